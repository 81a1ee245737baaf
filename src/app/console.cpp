#include "app/console.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "qbitopt/core/encoding.h"

namespace qbitopt::app {
namespace {

// `head`: with its colors.
void write_line(std::string_view line, const std::string& head = "") {
  const std::string text = head + printable(line, "\n\t") + '\n';
  std::fwrite(text.data(), 1, text.size(), stderr);
}

bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

}  // namespace

Console::Console() {
  const char* terminal = std::getenv("TERM");
  live_ = ::isatty(STDERR_FILENO) && terminal != nullptr && std::string_view(terminal) != "dumb";
  color_ = live_ && !is_set("NO_COLOR");
  prints_to_terminal_ = ::isatty(STDOUT_FILENO) != 0;
}

void Console::print(std::string_view text) {
  const std::string safe = prints_to_terminal_ ? printable(text, "\n\t") : std::string();
  if (prints_to_terminal_) text = safe;
  std::fwrite(text.data(), 1, text.size(), stdout);
}

void Console::print_json(const Json& json) {
  print(json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

void Console::take_back(size_t lines) {
  if (prints_to_terminal_ && live_ && lines > 0) std::printf("\x1b[%zuA\x1b[J", lines);
}

void Console::say(std::string_view line) {
  if (!quiet_) write_line(line);
}

void Console::detail(std::string_view line) {
  if (verbose_ && !quiet_) write_line(line);
}

void Console::warn(std::string_view line) { write_line(line, styled("warning: ", Style::kYellow)); }

void Console::error(std::string_view line) { write_line(line, styled("error: ", Style::kRed)); }

std::string Console::styled(std::string_view text, Style style) const {
  if (!color_ || style == Style::kPlain) return std::string(text);
  const char* code = "";
  switch (style) {
    case Style::kBold:
      code = "1";
      break;
    case Style::kDim:
      code = "2";
      break;
    case Style::kRed:
      code = "31";
      break;
    case Style::kGreen:
      code = "32";
      break;
    case Style::kYellow:
      code = "33";
      break;
    case Style::kPlain:
      break;
  }
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

}  // namespace qbitopt::app
