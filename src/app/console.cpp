#include "app/console.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace qbitopt::app {
namespace {

void write_line(std::string_view line) {
  std::string text(line);
  text += '\n';
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
}

void Console::print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void Console::say(std::string_view line) {
  if (!quiet_) write_line(line);
}

void Console::detail(std::string_view line) {
  if (verbose_ && !quiet_) write_line(line);
}

void Console::warn(std::string_view line) {
  write_line(styled("warning: ", Style::kYellow) + std::string(line));
}

void Console::error(std::string_view line) {
  write_line(styled("error: ", Style::kRed) + std::string(line));
}

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
