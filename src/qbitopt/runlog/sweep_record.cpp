#include "qbitopt/runlog/sweep_record.h"

#include <algorithm>

#include "qbitopt/config/catalog.h"

namespace qbitopt {

void SweepRecorder::record(const Plan& plan, const SweepOrigin& origin) {
  const int64_t sweep = record_name(plan);
  record_revision(sweep, plan, origin);
  if (origin.catalog != nullptr) record_definitions(*origin.catalog);
  std::vector<int64_t> jobs;
  jobs.reserve(plan.jobs.size());
  for (const PlannedJob& planned : plan.jobs)
    jobs.push_back(record_place(sweep, static_cast<int64_t>(jobs.size()), planned));
  std::sort(jobs.begin(), jobs.end());
  orphan_others(sweep, jobs);
}

int64_t SweepRecorder::record_place(int64_t sweep, int64_t position, const PlannedJob& planned) {
  const std::string axes = canonical_json(planned.axes());
  const std::string others = Json(planned.other_cases).dump();
  if (const auto known = connection_.find<int64_t>(
          "SELECT job.id FROM job JOIN sweep_job ON sweep_job.job_id = job.id WHERE job.key = ? "
          "AND job.state = 'finished' AND sweep_id = ? AND position = ? AND case_name = ? AND "
          "requested = ? AND axes = ? AND NOT orphaned AND trial = ? AND other_cases = ?",
          planned.key, sweep, position, planned.case_name, planned.requested, axes, planned.trial,
          others)) {
    return *known;
  }
  const int64_t job = record_job(planned);
  connection_.execute("INSERT OR REPLACE INTO sweep_job VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?)", sweep,
                      job, position, planned.case_name, planned.requested, axes, planned.trial,
                      others);
  record_needs(job, planned);
  return job;
}

void SweepRecorder::orphan_others(int64_t sweep, const std::vector<int64_t>& jobs) {
  std::vector<int64_t> others;
  SQLite::Statement& row = connection_.prepare(
      "SELECT job_id FROM sweep_job WHERE sweep_id = ? AND NOT orphaned", sweep);
  while (row.executeStep()) {
    const int64_t job = row.getColumn(0).getInt64();
    if (!std::binary_search(jobs.begin(), jobs.end(), job)) others.push_back(job);
  }
  row.reset();
  for (const int64_t job : others)
    connection_.execute("UPDATE sweep_job SET orphaned = 1 WHERE sweep_id = ? AND job_id = ?",
                        sweep, job);
}

int64_t SweepRecorder::record_name(const Plan& plan) {
  connection_.execute(
      "INSERT INTO sweep (name, file, metric, goal, rule) VALUES (?, ?, ?, ?, ?) ON CONFLICT (name)"
      " DO UPDATE SET file = excluded.file, metric = excluded.metric, goal = excluded.goal, rule = "
      "excluded.rule",
      plan.sweep_name, plan.file, plan.metric.name, plan.metric.goal, plan.metric.rule);
  return *connection_.find<int64_t>("SELECT id FROM sweep WHERE name = ?", plan.sweep_name);
}

void SweepRecorder::record_revision(int64_t sweep, const Plan& plan, const SweepOrigin& origin) {
  const std::string included = Json(plan.included).dump();
  const std::string overrides = Json(plan.overrides).dump();
  const std::string environment = Json(origin.environment).dump();
  const auto is_known = connection_.find<int64_t>(
      "SELECT text = ?2 AND included = ?3 AND overrides = ?4 AND environment = ?5 FROM "
      "sweep_revision WHERE sweep_id = ?1 ORDER BY id DESC LIMIT 1",
      sweep, plan.text, included, overrides, environment);
  if (is_known == 1) return;
  connection_.execute(
      "INSERT INTO sweep_revision (sweep_id, recorded_at, text, included, overrides, argv, "
      "environment)"
      " VALUES (?, ?, ?, ?, ?, ?, ?)",
      sweep, now_, plan.text, included, overrides, Json(origin.argv).dump(), environment);
}

int64_t SweepRecorder::record_job(const PlannedJob& planned) {
  // Parameters that do not affect the result may have changed. A finished job keeps those with
  // which it was run.
  if (const auto finished = connection_.find<int64_t>(
          "SELECT id FROM job WHERE key = ? AND state = 'finished'", planned.key))
    return *finished;
  const Job job = planned.job();
  connection_.execute(
      "INSERT INTO job (key, config_key, parameters, versions, guarantees_budget, recorded_at) "
      "VALUES (?, ?, ?, ?, ?, ?)"
      " ON CONFLICT (key) DO UPDATE SET parameters = excluded.parameters",
      job.key, job.config_key, canonical_json(job.parameters), canonical_json(Json(job.versions)),
      job.guarantees_budget, now_);
  return *connection_.find<int64_t>("SELECT id FROM job WHERE key = ?", job.key);
}

void SweepRecorder::record_definitions(const Catalog& catalog) {
  for (const auto& [name, spec] : catalog.keys()) {
    connection_.execute("INSERT OR REPLACE INTO parameter_definition VALUES (?, ?, ?)", name,
                        spec->unit, spec->description);
  }
  connection_.execute(
      "INSERT OR REPLACE INTO parameter_definition VALUES ('plugin', '', ?)",
      std::string("The shared library that brings the method; none: a built-in one."));
}

void SweepRecorder::record_needs(int64_t job, const PlannedJob& planned) {
  for (const auto& [need, key] : *planned.needs) {
    const auto artifact = planned.artifacts().find(need);
    connection_.execute(
        "INSERT OR REPLACE INTO job_dependency SELECT ?, ?, id, ? FROM job WHERE key = ?", job,
        need, artifact == planned.artifacts().end() ? std::string("model") : artifact->second, key);
  }
}

std::filesystem::path folder_of_database(const std::filesystem::path& database) {
  return std::filesystem::weakly_canonical(std::filesystem::absolute(database)).parent_path();
}

std::string absolute_folder(const std::filesystem::path& database, const std::string& stored) {
  return (folder_of_database(database) / stored).lexically_normal().string();
}

}  // namespace qbitopt
