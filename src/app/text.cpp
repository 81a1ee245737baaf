#include "app/text.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "qbitopt/core/encoding.h"

namespace qbitopt::app {
namespace {

// Number of characters, not bytes, of UTF-8 text.
size_t width_of(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789.-+e%") == std::string::npos;
}

}  // namespace

std::string duration(double seconds) {
  const auto whole = static_cast<int64_t>(std::max(0.0, seconds) + 0.5);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  if (whole < 86400) return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
  return fmt::format("{} d {} h", whole / 86400, whole % 86400 / 3600);
}

std::string plain(const Json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return fmt::format("{:.12g}", value.get<double>());
  if (!value.is_array()) return value.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string text = "[";
  for (const Json& element : value) text += (text.size() > 1 ? ", " : "") + plain(element);
  return text + "]";
}

std::string label(const PlannedJob& planned) {
  const Json parameters = planned.job().parameters;
  std::string text = plain(parameters.value("method", Json("job")));
  const Json axes = planned.axes();
  for (const auto& [name, value] : axes.items()) {
    if (name == "method" || name == "seed") continue;
    text += fmt::format(" {}={}", name.substr(name.rfind('.') + 1), plain(value));
  }
  if (parameters.contains("seed")) text += " seed=" + plain(parameters["seed"]);
  if (planned.trial > 0) text += fmt::format(" (search, run {})", planned.trial);
  return text;
}

std::string shown(const std::filesystem::path& path) {
  const auto relative = path.lexically_relative(std::filesystem::current_path());
  return relative.empty() || *relative.begin() == ".." ? path.string() : relative.string();
}

std::string columns(std::vector<std::vector<std::string>> rows) {
  std::vector<size_t> widths;
  std::vector<bool> to_the_right;
  for (auto& row : rows) {
    for (std::string& cell : row) cell = printable(cell);
    widths.resize(std::max(widths.size(), row.size()));
    to_the_right.resize(widths.size(), rows.size() > 1);
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], width_of(row[i]));
      if (&row != &rows.front() && !row[i].empty() && !is_number(row[i])) to_the_right[i] = false;
    }
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - width_of(row[i]), ' ');
      line += (i > 0 ? "  " : "") + (to_the_right[i] ? padding + row[i] : row[i] + padding);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::string host_name() {
  char name[256] = "";
  ::gethostname(name, sizeof(name) - 1);
  return name;
}

std::string search_text(const SearchState& search) {
  const std::string runs = fmt::format("{} run{}", search.runs, search.runs == 1 ? "" : "s");
  const std::string chosen = search.chosen ? plain(*search.chosen) : "";
  const std::string head = "search for " + search.where + ": ";
  switch (search.status) {
    case SearchState::Status::kRunning:
      return head + fmt::format("not finished after {} of at most {}", runs, search.max_runs);
    case SearchState::Status::kFound:
      return head + fmt::format("found {} in {}", chosen, runs);
    case SearchState::Status::kMissed:
      return head + fmt::format("not found in {}; the nearest is {}", runs, chosen);
    case SearchState::Status::kFailed:
      return head + fmt::format("ended by a failed run, after {}", runs);
  }
  return head;
}

}  // namespace qbitopt::app
