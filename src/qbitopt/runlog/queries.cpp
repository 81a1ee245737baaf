#include "qbitopt/runlog/queries.h"

#include <fmt/format.h>

#include <algorithm>

#include "qbitopt/core/error.h"
#include "qbitopt/core/hash.h"
#include "qbitopt/job/budget_kinds.h"
#include "qbitopt/runlog/schema.h"
#include "qbitopt/runlog/sweep_record.h"

namespace qbitopt {
namespace {

std::vector<std::string> texts(const Rows& rows) {
  std::vector<std::string> values;
  for (const auto& row : rows.rows) values.push_back(row.front().get<std::string>());
  return values;
}

std::string text_or_empty(const Json& cell) {
  return cell.is_null() ? "" : cell.get<std::string>();
}

template <typename Value>
std::optional<Value> maybe(const Json& cell) {
  return cell.is_null() ? std::nullopt : std::optional(cell.get<Value>());
}

}  // namespace

std::vector<std::string> stored_keys(const Reader& reader, const std::string& sweep_name) {
  return texts(
      reader.query("SELECT key FROM sweep_runs WHERE sweep = ? ORDER BY position", {sweep_name}));
}

std::map<std::string, std::string> job_states(const Reader& reader) {
  std::map<std::string, std::string> states;
  reader.for_each(
      fmt::format(
          "SELECT key, {} FROM job LEFT JOIN attempt ON attempt.id = job.attempt_id ORDER BY key",
          kStateOfJob),
      [](const auto&) {},
      [&](const auto& row) { states.emplace_hint(states.end(), row[0], row[1]); });
  return states;
}

std::string find_key(const Reader& reader, const std::string& prefix) {
  constexpr const char* kHexadecimal = "0123456789abcdef";
  const bool is_key =
      !prefix.empty() && prefix.find_first_not_of(kHexadecimal) == std::string::npos;
  const auto keys = is_key
                        ? texts(reader.query(
                              "SELECT key FROM job WHERE key GLOB ? || '*' ORDER BY key", {prefix}))
                        : std::vector<std::string>{};
  if (keys.empty()) {
    throw InputError(
        fmt::format("no job '{}' in {}; `qbitopt ls` lists them", prefix, reader.file().string()));
  }
  if (keys.size() == 1) return keys.front();
  std::string list;
  for (size_t i = 0; i < keys.size() && i < 5; ++i)
    list += (i ? ", " : "") + keys[i].substr(0, prefix.size() + 4);
  throw InputError(fmt::format("'{}' matches {} jobs: {}{}; give more digits", prefix, keys.size(),
                               list, keys.size() > 5 ? ", ..." : ""));
}

Job stored_job(const Reader& reader, const std::string& key) {
  const Rows rows = reader.query(
      "SELECT config_key, parameters, versions, guarantees_budget FROM job WHERE key = ?", {key});
  if (rows.empty()) throw InputError(fmt::format("no job '{}' in {}", key, reader.file().string()));
  Job job;
  job.key = key;
  job.config_key = rows.at(0, "config_key");
  job.parameters = Json::parse(rows.at(0, "parameters").get<std::string>());
  job.versions =
      Json::parse(rows.at(0, "versions").get<std::string>()).get<std::map<std::string, int>>();
  job.guarantees_budget = rows.at(0, "guarantees_budget") == 1;
  const Rows needs = reader.query(
      "SELECT need, needed.key FROM job JOIN job_dependency ON job_dependency.job_id = job.id"
      " JOIN job AS needed ON needed.id = job_dependency.needed_job_id WHERE job.key = ?",
      {key});
  for (const auto& row : needs.rows) job.needs[row[0]] = row[1];
  return job;
}

std::optional<TrialResult> trial_result(const Reader& reader, const std::string& key) {
  // Uses the job's own state, because a result does not count while the job is run again.
  const Rows rows = reader.query(
      "SELECT runs.*, job.state AS job_state FROM job JOIN runs ON runs.key = job.key WHERE "
      "job.key = ?",
      {key});
  if (rows.empty()) return std::nullopt;
  const auto state = rows.at(0, "job_state");
  if (state == "failed") return TrialResult{.has_failed = true};
  if (state != "finished") return std::nullopt;
  std::optional<double> excess;
  for (const BudgetKind& kind : budget_kinds()) {
    if (!kind.is_average()) continue;  // a search is for a budget in bits
    const Json& limit = rows.at(0, kind.limit_column);
    const Json& achieved = rows.at(0, kind.achieved_column);
    if (!limit.is_number() || !achieved.is_number()) continue;
    const double over = achieved.get<double>() - limit.get<double>();
    excess = std::max(over, excess.value_or(over));
  }
  const auto& columns = rows.columns;
  const bool has_accuracy =
      std::find(columns.begin(), columns.end(), "validation_top1") != columns.end();
  const Json accuracy = has_accuracy ? rows.at(0, "validation_top1") : Json();
  if (!excess || !accuracy.is_number()) {
    throw InputError(fmt::format("job {} is a run of a search, but has no {}", short_key(key),
                                 excess ? "validation_top1" : "budget"));
  }
  return TrialResult{.excess = *excess, .validation_top1 = accuracy.get<double>()};
}

std::vector<std::string> keys_where(const Reader& reader, const std::string& condition) {
  return texts(reader.query("SELECT key FROM runs WHERE (" + condition + "\n)"));
}

std::vector<AttemptRecord> attempts(const Reader& reader, const std::string& key) {
  const Rows rows = reader.query(
      "SELECT attempt.number, attempt.state, attempt.folder, attempt.host, attempt.pid, "
      "attempt.slurm_id AS queue_id, attempt.begun_at,"
      " attempt.ended_at, attempt.exit_code, attempt.signal, attempt.error_class, "
      "attempt.error_text"
      " FROM job JOIN attempt ON attempt.job_id = job.id WHERE job.key = ? ORDER BY attempt.number",
      {key});
  std::vector<AttemptRecord> records;
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto at = [&](const char* column) -> const Json& { return rows.at(i, column); };
    records.push_back({.number = at("number"),
                       .state = at("state"),
                       .folder = absolute_folder(reader.file(), at("folder")),
                       .host = text_or_empty(at("host")),
                       .pid = maybe<int64_t>(at("pid")).value_or(0),
                       .queue_id = text_or_empty(at("queue_id")),
                       .begun_at = at("begun_at"),
                       .ended_at = maybe<double>(at("ended_at")).value_or(0),
                       .exit_code = maybe<int>(at("exit_code")),
                       .signal = maybe<int>(at("signal")),
                       .error_class = text_or_empty(at("error_class")),
                       .error_text = text_or_empty(at("error_text"))});
  }
  return records;
}

std::vector<std::pair<std::string, std::string>> last_folders(
    const Reader& reader, const std::optional<std::string>& sweep) {
  const Rows rows = reader.query(
      "SELECT job.key, attempt.folder FROM job JOIN attempt ON attempt.id = (SELECT id FROM "
      "attempt "
      "AS last WHERE last.job_id = job.id ORDER BY number DESC LIMIT 1) WHERE :sweep IS NULL OR "
      "job.key IN (SELECT key FROM sweep_runs WHERE sweep = :sweep)",
      {sweep ? Json(*sweep) : Json()});
  const std::filesystem::path folder = folder_of_database(reader.file());
  std::vector<std::pair<std::string, std::string>> folders;
  for (const auto& row : rows.rows)
    folders.emplace_back(row[0], (folder / row[1].get<std::string>()).string());
  return folders;
}

std::optional<ArtifactRecord> finished_artifact(const Reader& reader, const std::string& key,
                                                const std::string& name) {
  const Rows rows = reader.query(
      "SELECT attempt.folder, artifact.path, artifact.sha256 FROM job"
      " JOIN attempt ON attempt.id = job.attempt_id"
      " JOIN artifact ON artifact.attempt_id = attempt.id AND artifact.name = ?"
      " WHERE job.key = ? AND attempt.state = 'finished'",
      {name, key});
  if (rows.empty()) return std::nullopt;
  const std::filesystem::path folder = absolute_folder(reader.file(), rows.at(0, "folder"));
  return ArtifactRecord{(folder / rows.at(0, "path").get<std::string>()).string(),
                        rows.at(0, "sha256")};
}

std::vector<LoggedEvent> logged_events(const Reader& reader, const std::string& key) {
  const Rows rows = reader.query(
      "SELECT attempt.number, event.unix_seconds, event.level, event.step, event.text"
      " FROM job JOIN attempt ON attempt.job_id = job.id JOIN event ON event.attempt_id = "
      "attempt.id"
      " WHERE job.key = ? ORDER BY attempt.number, event.id",
      {key});
  std::vector<LoggedEvent> events;
  for (const auto& row : rows.rows)
    events.push_back({row[0], row[1], row[2], maybe<int64_t>(row[3]), row[4]});
  return events;
}

std::optional<SweepRevision> last_revision(const Reader& reader, const std::string& sweep_name) {
  const Rows rows = reader.query(
      "SELECT file, text, included, overrides, argv, environment, recorded_at"
      " FROM sweep JOIN sweep_revision ON sweep_revision.sweep_id = sweep.id"
      " WHERE sweep.name = ? ORDER BY sweep_revision.id DESC LIMIT 1",
      {sweep_name});
  if (rows.empty()) return std::nullopt;
  const auto parsed = [&](const char* column) {
    return Json::parse(rows.at(0, column).get<std::string>());
  };
  SweepRevision revision;
  revision.file = rows.at(0, "file");
  revision.text = rows.at(0, "text");
  revision.included = parsed("included");
  revision.overrides = parsed("overrides");
  revision.argv = parsed("argv");
  revision.folder = parsed("environment").value("folder", "");
  revision.recorded_at = rows.at(0, "recorded_at");
  return revision;
}

}  // namespace qbitopt
