#include "qbitopt/report/tensorboard/tensorboard.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "qbitopt/report/rows_format.h"
#include "qbitopt/report/tensorboard/event_file.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;

// Fixed, so that a later export replaces the file. TensorBoard knows event files by "tfevents".
constexpr const char* kEventFileName = "events.out.tfevents.0.qbitopt";
constexpr const char* kResultPrefix = "result/";

struct ResultColumn {
  std::string name;
  std::string unit;
  std::string meaning;
};

// Columns of `runs` with results: those with a unit that are neither parameters nor times.
std::vector<ResultColumn> result_columns(const Reader& reader) {
  std::vector<ResultColumn> columns;
  const Rows rows = reader.query(
      "SELECT column_name, unit, meaning FROM schema_doc WHERE relation = 'runs'"
      " AND meaning NOT LIKE 'parameter %' AND (column_name = 'budget_met' OR"
      " unit NOT IN ('', 'unix seconds', 'threads')) ORDER BY position");
  for (const auto& row : rows.rows) columns.push_back({row[0], row[1], row[2]});
  return columns;
}

EventFile::Value event_value(const Json& value, const std::string& type) {
  if (type == "true" || type == "false") return type == "true";
  if (value.is_number()) return value.get<double>();
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::map<std::string, EventFile::Value> parameters_of(const Reader& reader,
                                                      const std::string& key) {
  std::map<std::string, EventFile::Value> parameters;
  for (const auto& row :
       reader.query("SELECT name, value, type FROM parameters WHERE key = ?1", {key}).rows) {
    if (!row[1].is_null()) parameters[row[0]] = event_value(row[1], row[2]);
  }
  return parameters;
}

Rows chosen_runs(const Reader& reader, const TensorboardChoice& choice) {
  std::string sql =
      "SELECT * FROM runs WHERE started_at IS NOT NULL"
      " AND (?1 IS NULL OR key IN (SELECT key FROM sweep_runs WHERE sweep = ?1))";
  if (!choice.where.empty()) sql += " AND (" + choice.where + "\n)";
  return reader.query(sql + " ORDER BY started_at, key",
                      {choice.sweep ? Json(*choice.sweep) : Json()});
}

std::string text_of_bits(const Reader& reader, const std::string& key) {
  std::string text;
  for (const auto& row :
       reader.query("SELECT quantizer, bits FROM bits WHERE key = ?1 ORDER BY position", {key})
           .rows) {
    if (text.empty()) text = "| quantizer | bits |\n|---|---|\n";
    text += fmt::format("| {} | {} |\n", markdown_escaped(cell_text(row[0])), cell_text(row[1]));
  }
  return text;
}

EventFile::Session::Status status_of(const std::string& state) {
  using Status = EventFile::Session::Status;
  if (state == "finished") return Status::kSuccess;
  if (state == "failed") return Status::kFailure;
  return state == "running" ? Status::kRunning : Status::kUnknown;
}

// Letters that are safe in a folder's name; data may hold any.
std::string folder_name(const std::string& text) {
  std::string name = text;
  std::replace_if(
      name.begin(), name.end(),
      [](unsigned char c) { return !std::isalnum(c) && c != '_' && c != '-' && c != '.'; }, '_');
  return name;
}

// What the runs differ in: parameters with several values, or that only some runs have.
class Axes {
 public:
  void add(const std::map<std::string, EventFile::Value>& parameters) {
    ++runs_;
    for (const auto& [name, value] : parameters) {
      values_[name].insert(value);
      ++counts_[name];
    }
  }
  bool has(const std::string& name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) return false;
    return name == "method" || found->second.size() > 1 || counts_.at(name) < runs_;
  }
  // Values of one type each; a parameter of several types has texts.
  std::vector<EventFile::Experiment::Parameter> columns(const Reader& reader) const {
    std::vector<EventFile::Experiment::Parameter> columns;
    for (const auto& [name, values] : values_) {
      if (!has(name)) continue;
      EventFile::Experiment::Parameter& column = columns.emplace_back();
      column.name = name;
      const Rows doc = reader.query(
          "SELECT description FROM parameter_definition WHERE name = ?1 LIMIT 1", {name});
      if (!doc.empty() && doc.rows[0][0].is_string()) column.description = doc.rows[0][0];
      column.values.assign(values.begin(), values.end());
    }
    return columns;
  }

 private:
  size_t runs_ = 0;
  std::map<std::string, std::set<EventFile::Value>> values_;
  std::map<std::string, size_t> counts_;
};

}  // namespace

size_t write_tensorboard(const Reader& reader, const TensorboardChoice& choice,
                         const fs::path& folder) {
  const Rows runs = chosen_runs(reader, choice);
  if (runs.empty()) return 0;
  const std::vector<ResultColumn> results = result_columns(reader);
  Axes axes;
  std::vector<std::map<std::string, EventFile::Value>> parameters;  // by run
  for (size_t i = 0; i < runs.size(); ++i) {
    parameters.push_back(parameters_of(reader, runs.at(i, "key")));
    axes.add(parameters.back());
  }
  std::set<std::string> seen;  // results that some run has
  for (size_t i = 0; i < runs.size(); ++i) {
    const std::string key = runs.at(i, "key"), job = runs.at(i, "job");
    const std::string method = cell_text(runs.at(i, "method"));
    const double begun = runs.at(i, "started_at");
    const double ended =
        runs.at(i, "ended_at").is_number() ? runs.at(i, "ended_at").get<double>() : begun;
    const fs::path place = folder / folder_name(method + "-" + job);
    fs::create_directories(place);
    EventFile file(place / kEventFileName, begun);
    EventFile::Session session{
        {}, runs.at(i, "config_key"), begun, ended, status_of(runs.at(i, "state"))};
    for (const auto& [name, value] : parameters[i]) {
      if (axes.has(name)) session.parameters.emplace(name, value);
    }
    file.add_session(session);
    // The database stores steps, not times: they are spread evenly over the run.
    const int64_t last = runs.at(i, "steps").is_number() ? runs.at(i, "steps").get<int64_t>() : 0;
    for (const auto& row : reader
                               .query("SELECT split, metric, step, value FROM curves WHERE key = ?1"
                                      " AND value IS NOT NULL ORDER BY step",
                                      {key})
                               .rows) {
      const auto step = row[2].get<int64_t>();
      const double share =
          last > 0 ? std::clamp(static_cast<double>(step) / static_cast<double>(last), 0.0, 1.0)
                   : 0;
      file.add_scalar(row[0].get<std::string>() + "/" + row[1].get<std::string>(), step,
                      begun + share * (ended - begun), row[3]);
    }
    for (const ResultColumn& column : results) {
      const Json& value = runs.at(i, column.name);
      if (!value.is_number()) continue;
      file.add_scalar(kResultPrefix + column.name, last, ended, value);
      seen.insert(column.name);
    }
    if (const std::string bits = text_of_bits(reader, key); !bits.empty())
      file.add_text("bits", ended, bits);
    file.commit();
  }
  EventFile::Experiment experiment{axes.columns(reader), {}};
  for (const ResultColumn& column : results) {
    if (seen.count(column.name) == 0) continue;
    experiment.metrics.push_back(
        {kResultPrefix + column.name,
         column.name + (column.unit.empty() ? "" : " [" + column.unit + "]"), column.meaning});
  }
  const double begun = runs.at(0, "started_at");
  EventFile file(folder / kEventFileName, begun);
  file.add_experiment(experiment, begun);
  file.commit();
  return runs.size();
}

}  // namespace qbitopt
