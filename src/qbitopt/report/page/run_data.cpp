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
constexpr size_t kShortestLog = 200;        // characters
constexpr size_t kMostRunsOfPage = 25'000;  // some 40 MB of HTML, 700 MB to make it

Json argument(const std::optional<std::string>& sweep) { return sweep ? Json(*sweep) : Json(); }

std::string plain(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

bool is_shown_elsewhere(const std::string& name) {
  return name == "method" || name == "seed" || name.starts_with("budget.");
}

// Of jobs with many parameters, most of which are the same: those of the first job, and for each
// job what differs from them, where a discarded value stands for a missing one.
class Differences {
 public:
  void add(const std::string& key, const Json& parameters) {
    if (by_key_.empty()) first_ = parameters;
    Json& own = by_key_[key] = Json::object();
    for (const auto& [name, value] : parameters.items()) {
      const auto there = first_.find(name);
      if (there == first_.end() || *there != value) own[name] = value;
    }
    if (parameters.size() - own.size() < first_.size()) {
      for (const auto& [name, value] : first_.items()) {
        if (!parameters.contains(name)) own[name] = Json(Json::value_t::discarded);
      }
    }
    for (const auto& [name, value] : own.items()) varying_.insert(name);
  }

  Json common() const {
    Json same = first_;
    for (const std::string& name : varying_) same.erase(name);
    return same;
  }

  // What is not common, by key.
  std::map<std::string, Json> own() && {
    for (auto& [key, own] : by_key_) {
      for (const std::string& name : varying_) {
        const auto here = own.find(name), there = first_.find(name);
        if (here == own.end()) {
          if (there != first_.end()) own[name] = *there;
        } else if (here->is_discarded()) {
          own.erase(here);
        }
      }
    }
    return std::move(by_key_);
  }

 private:
  Json first_ = Json::object();
  std::map<std::string, Json> by_key_;
  std::set<std::string> varying_;
};

ShownParameters settings_of(const std::map<std::string, Json>& parameters) {
  std::set<std::string> names;
  for (const auto& [key, job] : parameters) {
    for (const auto& [name, value] : job.items()) names.insert(name);
  }
  // The first job of each method, and the parameters in which others differ from it; a missing
  // parameter counts as a value.
  std::map<std::string, std::pair<const Json*, std::set<std::string>>> methods;
  for (const auto& [key, job] : parameters) {
    auto& [first, varying] =
        methods.try_emplace(plain(job.value("method", Json())), &job, std::set<std::string>())
            .first->second;
    for (const std::string& name : names) {
      const auto here = job.find(name), there = first->find(name);
      const bool is_here = here != job.end(), is_there = there != first->end();
      if (is_here != is_there || (is_here && *here != *there)) varying.insert(name);
    }
  }
  ShownParameters settings;
  for (const auto& [key, job] : parameters) {
    std::string& text = settings[key];
    const std::set<std::string>& varying = methods.at(plain(job.value("method", Json()))).second;
    for (const auto& [name, value] : job.items()) {
      if (is_shown_elsewhere(name) || !varying.contains(name)) continue;
      text += (text.empty() ? "" : " ") + name + "=" + plain(value);
    }
  }
  return settings;
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

// The events of each job, and the end of what its last attempt wrote. Of thousands of jobs, a line
// each would be left: only those of jobs that did not finish are shown then.
void add_logs(const Reader& reader, const std::optional<std::string>& sweep, const PageRuns& runs,
              Json& data) {
  const size_t jobs = runs.rows.size();
  std::set<std::string> finished;
  if (jobs > kLogCharacters / kShortestLog) {
    for (size_t i = 0; i < jobs; ++i) {
      if (runs.rows.at(i, "state") == "finished") finished.insert(runs.rows.at(i, "key"));
    }
  }
  const size_t characters = kLogCharacters / std::clamp<size_t>(jobs - finished.size(), 60,
                                                                kLogCharacters / kShortestLog);
  std::map<std::string, std::string> texts;
  for (const auto& row : reader.query(page_query("events"), {argument(sweep)}).rows) {
    const std::string step =
        row[2].is_null() ? "" : fmt::format("step {}: ", row[2].get<int64_t>());
    texts[row[0]] += fmt::format("[{}] {}{}\n", row[1].get_ref<const std::string&>(), step,
                                 row[3].get_ref<const std::string&>().substr(0, characters));
  }
  for (const auto& [key, folder] : last_folders(reader, sweep)) {
    if (finished.contains(key)) continue;
    const std::string log = tail_of(folder + "/log.txt", characters);
    if (log.empty()) continue;
    std::string& text = texts[key];
    text += (text.empty() ? "" : "\n") + log;
  }
  for (auto& [key, text] : texts)
    data["details"][short_key(key)]["log"] = without_control_characters(std::move(text));
}

}  // namespace

PageRuns read_runs(const Reader& reader, const std::optional<std::string>& sweep) {
  PageRuns runs{.rows = reader.query(page_query("runs"), {argument(sweep)}),
                .common = {},
                .parameters = {},
                .settings = {}};
  if (runs.rows.size() > kMostRunsOfPage) {
    throw InputError(fmt::format(
        "a page of {} runs is too large for a browser, which takes at most {}; select a sweep with "
        "--sweep, or export the runs to another program with `qbitopt export`",
        runs.rows.size(), kMostRunsOfPage));
  }
  Differences differences;
  reader.for_each_named(
      page_query("parameters"), {{"sweep", argument(sweep)}},
      [](const std::vector<std::string>&) {},
      [&](const std::vector<Json>& row) {
        differences.add(row[0], Json::parse(row[1].get_ref<const std::string&>()));
      });
  runs.common = differences.common();
  runs.parameters = std::move(differences).own();
  runs.settings = settings_of(runs.parameters);
  return runs;
}

Json run_data(const Reader& reader, const std::optional<std::string>& sweep, const PageRuns& runs) {
  Json data = {{"common", runs.common},
               {"steps", Json::array()},
               {"inventories", Json::array()},
               {"details", Json::object()}};
  Json fields = runs.rows.columns;
  fields.insert(fields.end(), {"job", "setting", "parameters"});
  Json rows = Json::array();
  for (const auto& row : runs.rows.rows) {
    const std::string key = row.front();
    Json cells = row;
    cells.insert(cells.end(), {short_key(key), runs.settings.at(key), runs.parameters.at(key)});
    rows.push_back(std::move(cells));
  }
  data["runs"] = {{"fields", fields}, {"rows", rows}};
  add_curves(reader, argument(sweep), data);
  add_inventories(reader, argument(sweep), data);
  add_histories(reader, argument(sweep), data);
  add_logs(reader, sweep, runs, data);
  return data;
}

}  // namespace qbitopt
