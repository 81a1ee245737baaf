#include "qbitopt/report/page/run_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "qbitopt/core/error.h"
#include "qbitopt/core/hash.h"
#include "qbitopt/report/page/queries.h"
#include "qbitopt/runlog/queries.h"

namespace qbitopt {
namespace {

constexpr size_t kHistoryCharacters = 900'000;
constexpr size_t kMostRunsOfPage = 25'000;  // some 40 MB of HTML, 700 MB to make it

Json argument(const std::optional<std::string>& sweep) { return sweep ? Json(*sweep) : Json(); }

std::string plain(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

bool is_shown_elsewhere(const std::string& name) {
  return name == "method" || name == "seed" || name.starts_with("budget.");
}

ShownParameters settings_of(const std::map<std::string, Json>& parameters) {
  // Values of each parameter within each method; a missing parameter counts as a value.
  std::map<std::string, std::map<std::string, std::set<std::string>>> values;
  std::set<std::string> names;
  for (const auto& [key, job] : parameters) {
    for (const auto& [name, value] : job.items()) names.insert(name);
  }
  for (const auto& [key, job] : parameters) {
    auto& of_method = values[plain(job.value("method", Json()))];
    for (const std::string& name : names) of_method[name].insert(job.value(name, Json()).dump());
  }
  ShownParameters settings;
  for (const auto& [key, job] : parameters) {
    std::string& text = settings[key];
    const auto& of_method = values[plain(job.value("method", Json()))];
    for (const auto& [name, value] : job.items()) {
      if (is_shown_elsewhere(name) || of_method.at(name).size() < 2) continue;
      text += (text.empty() ? "" : " ") + name + "=" + plain(value);
    }
  }
  return settings;
}

// Parameters that every job has with the same value.
Json common_parameters(const std::map<std::string, Json>& parameters) {
  if (parameters.empty()) return Json::object();
  Json common = parameters.begin()->second;
  for (const auto& [key, job] : parameters) {
    for (auto item = common.begin(); item != common.end();) {
      const bool is_same = job.contains(item.key()) && job.at(item.key()) == item.value();
      item = is_same ? std::next(item) : common.erase(item);
    }
  }
  return common;
}

// The index of a value in a list without duplicates.
size_t place_in(Json& list, std::map<std::string, size_t>& places, const Json& value) {
  const auto [found, is_new] = places.emplace(value.dump(), list.size());
  if (is_new) list.push_back(value);
  return found->second;
}

std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> parts;
  size_t begin = 0;
  for (size_t end = text.find(by); end != std::string::npos; end = text.find(by, begin)) {
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  parts.push_back(text.substr(begin));
  return parts;
}

void add_curves(const Reader& reader, const Json& sweep, Json& data) {
  std::map<std::string, size_t> places;
  for (const auto& row : reader.query(page_query("curves"), {sweep}).rows) {
    Json steps = Json::array();
    for (const std::string& step : split(row[3], ',')) steps.push_back(std::stoll(step));
    data["details"][short_key(row[0])]["curves"].push_back(
        {row[1], row[2], place_in(data["steps"], places, steps), row[4]});
  }
}

void add_inventories(const Reader& reader, const Json& sweep, Json& data) {
  std::map<std::string, size_t> places;
  for (const auto& row : reader.query(page_query("bits"), {sweep}).rows) {
    const auto names = split(row[1], '\n');
    const auto kinds = split(row[2], '\n');
    const auto counted = split(row[3], '\n');
    Json inventory = Json::array();
    for (size_t i = 0; i < names.size(); ++i)
      inventory.push_back({names[i], kinds[i], counted[i] == "1"});
    Json& detail = data["details"][short_key(row[0])];
    detail["inventory"] = place_in(data["inventories"], places, inventory);
    detail["bits"] = row[4];
  }
}

// Every choice of bits, or every second, third, ... if there are too many.
void add_histories(const Reader& reader, const Json& sweep, Json& data) {
  const Rows rows = reader.query(page_query("bits_history"), {sweep});
  size_t characters = 0;
  for (const auto& row : rows.rows) characters += row[2].get_ref<const std::string&>().size();
  const size_t every = characters / kHistoryCharacters + 1;
  std::map<std::string, size_t> seen;
  for (const auto& row : rows.rows) {
    const std::string job = short_key(row[0]);
    if (seen[job]++ % every == 0) data["details"][job]["history"].push_back({row[1], row[2]});
  }
}

// The last lines of a log, without those about single steps, which the curves show.
std::string tail_of(const std::string& file, size_t characters) {
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  if (!in) return "";
  const auto size = static_cast<size_t>(in.tellg());
  const size_t looked_at = std::min<size_t>(size, 1 << 16);
  in.seekg(static_cast<std::streamoff>(size - looked_at));
  std::string text, line;
  if (looked_at < size) std::getline(in, line);  // skip a line that was cut
  bool is_cut = looked_at < size;
  while (std::getline(in, line)) {
    if (line.find(", train: ") == std::string::npos) text += line + "\n";
  }
  if (text.size() > characters) {
    const size_t end = text.find('\n', text.size() - characters);
    text.erase(0, std::min(end, text.size() - 1) + 1);
    is_cut = true;
  }
  return is_cut ? "...\n" + text : text;
}

std::string without_control_characters(std::string text) {
  std::erase_if(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t'; });
  return text;
}

void add_logs(const Reader& reader, const std::vector<std::string>& keys, Json& data) {
  const size_t characters = kLogCharacters / std::max<size_t>(keys.size(), 60);
  for (const std::string& key : keys) {
    std::string text;
    for (const LoggedEvent& event : logged_events(reader, key)) {
      const std::string step = event.step ? fmt::format("step {}: ", *event.step) : "";
      text += fmt::format("[{}] {}{}\n", event.level, step, event.text.substr(0, characters));
    }
    const auto executions = attempts(reader, key);
    if (!executions.empty()) {
      const std::string log = tail_of(executions.back().folder + "/log.txt", characters);
      if (!log.empty()) text += (text.empty() ? "" : "\n") + log;
    }
    if (!text.empty()) data["details"][short_key(key)]["log"] = without_control_characters(text);
  }
}

}  // namespace

PageRuns read_runs(const Reader& reader, const std::optional<std::string>& sweep) {
  PageRuns runs{.rows = reader.query(page_query("runs"), {argument(sweep)}),
                .parameters = {},
                .settings = {}};
  if (runs.rows.size() > kMostRunsOfPage) {
    throw InputError(fmt::format(
        "a page of {} runs is too large for a browser, which takes at most {}; select a sweep with "
        "--sweep, or export the runs to another program with `qbitopt export`",
        runs.rows.size(), kMostRunsOfPage));
  }
  for (size_t i = 0; i < runs.rows.size(); ++i) {
    const std::string key = runs.rows.at(i, "key");
    runs.parameters[key] = stored_job(reader, key).parameters;
  }
  runs.settings = settings_of(runs.parameters);
  return runs;
}

Json run_data(const Reader& reader, const std::optional<std::string>& sweep, const PageRuns& runs) {
  Json data = {{"common", common_parameters(runs.parameters)},
               {"steps", Json::array()},
               {"inventories", Json::array()},
               {"details", Json::object()}};
  Json fields = runs.rows.columns;
  fields.insert(fields.end(), {"job", "setting", "parameters"});
  Json rows = Json::array();
  std::vector<std::string> keys;
  for (const auto& row : runs.rows.rows) {
    const std::string key = row.front();
    keys.push_back(key);
    Json own = runs.parameters.at(key);
    for (const auto& [name, value] : data["common"].items()) own.erase(name);
    Json cells = row;
    cells.insert(cells.end(), {short_key(key), runs.settings.at(key), own});
    rows.push_back(std::move(cells));
  }
  data["runs"] = {{"fields", fields}, {"rows", rows}};
  add_curves(reader, argument(sweep), data);
  add_inventories(reader, argument(sweep), data);
  add_histories(reader, argument(sweep), data);
  add_logs(reader, keys, data);
  return data;
}

}  // namespace qbitopt
