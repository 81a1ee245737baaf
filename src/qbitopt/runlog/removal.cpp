#include "qbitopt/runlog/removal.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "qbitopt/core/error.h"
#include "qbitopt/core/hash.h"
#include "qbitopt/runlog/queries.h"
#include "qbitopt/runlog/removal_rows.h"

namespace qbitopt {
namespace {

using Keys = std::set<std::string>;

// Jobs of these sweeps that no other sweep has, also not in an earlier version.
Keys jobs_of_these_sweeps_only(const Reader& reader, const std::vector<std::string>& sweeps) {
  const Rows rows = reader.query(
      "SELECT job.key FROM job JOIN sweep_job ON sweep_job.job_id = job.id"
      " JOIN sweep ON sweep.id = sweep_job.sweep_id GROUP BY job.id"
      " HAVING min(sweep.name IN (SELECT value FROM json_each(?1)))",
      {Json(sweeps).dump()});
  Keys keys;
  for (const auto& row : rows.rows) keys.insert(row[0].get<std::string>());
  return keys;
}

// Needed job -> jobs that need it.
std::map<std::string, std::vector<std::string>> followers_of(const Reader& reader,
                                                             const Keys& keys) {
  const Rows rows = reader.query(
      "SELECT needed.key, job.key FROM job_dependency JOIN job ON job.id = job_id"
      " JOIN job AS needed ON needed.id = needed_job_id ORDER BY job.id");
  std::map<std::string, std::vector<std::string>> followers;
  for (const auto& row : rows.rows) {
    const std::string needed = row[0];
    if (keys.count(needed) != 0) followers[needed].push_back(row[1]);
  }
  return followers;
}

// A job of a sweep stays if a job that stays needs it, and so on.
void keep_what_is_needed(Keys& keys, const Keys& named,
                         const std::map<std::string, std::vector<std::string>>& followers) {
  for (bool has_changed = true; has_changed;) {
    has_changed = false;
    for (const auto& [needed, jobs] : followers) {
      if (keys.count(needed) == 0) continue;
      for (const std::string& job : jobs) {
        if (keys.count(job) != 0) continue;
        if (named.count(needed) != 0)
          throw InputError(
              fmt::format("job {} is needed by job {}, which stays; remove that one, "
                          "too, or neither",
                          short_key(needed), short_key(job)));
        has_changed = keys.erase(needed) > 0;
        break;
      }
    }
  }
}

}  // namespace

Removal plan_removal(const Reader& reader, const std::vector<std::string>& sweeps,
                     const std::vector<std::string>& keys) {
  Keys all = sweeps.empty() ? Keys{} : jobs_of_these_sweeps_only(reader, sweeps);
  const Keys named(keys.begin(), keys.end());
  all.insert(named.begin(), named.end());
  keep_what_is_needed(all, named, followers_of(reader, all));
  Removal removal;
  removal.sweeps = sweeps;
  for (const std::string& key : all) {
    for (const AttemptRecord& attempt : attempts(reader, key)) {
      if (attempt.state == "running")
        throw InputError(fmt::format("job {} is running; cancel it first: `qbitopt cancel {}`",
                                     short_key(key), short_key(key)));
      removal.folders.push_back(attempt.folder);
    }
    removal.jobs.push_back(key);
  }
  return removal;
}

void delete_rows(Connection& connection, const Removal& removal) {
  const std::string jobs = Json(removal.jobs).dump(), sweeps = Json(removal.sweeps).dump();
  connection.raw().exec(
      "CREATE TEMP TABLE IF NOT EXISTS doomed_job (id INTEGER PRIMARY KEY);"
      "CREATE TEMP TABLE IF NOT EXISTS doomed_attempt (id INTEGER PRIMARY KEY);"
      "CREATE TEMP TABLE IF NOT EXISTS doomed_allocation (id INTEGER PRIMARY KEY);"
      "CREATE TEMP TABLE IF NOT EXISTS doomed_sweep (id INTEGER PRIMARY KEY);"
      "DELETE FROM doomed_job; DELETE FROM doomed_attempt; DELETE FROM doomed_allocation;"
      "DELETE FROM doomed_sweep");
  connection.execute(
      "INSERT INTO doomed_job SELECT id FROM job WHERE key IN (SELECT value FROM json_each(?))",
      jobs);
  connection.execute(
      "INSERT INTO doomed_sweep SELECT id FROM sweep WHERE name IN (SELECT value FROM "
      "json_each(?))",
      sweeps);
  // From the leaves to the roots: SQLite checks every reference.
  for (
      const char* sql :
      {"INSERT INTO doomed_attempt SELECT id FROM attempt WHERE job_id IN doomed_job",
       "INSERT INTO doomed_allocation SELECT id FROM allocation WHERE attempt_id IN doomed_attempt",
       "DELETE FROM quantizer_bits WHERE allocation_id IN doomed_allocation",
       "DELETE FROM sensitivity WHERE allocation_id IN doomed_allocation",
       "DELETE FROM allocation_budget WHERE allocation_id IN doomed_allocation",
       "DELETE FROM allocation WHERE id IN doomed_allocation",
       "DELETE FROM artifact WHERE attempt_id IN doomed_attempt",
       "DELETE FROM budget_result WHERE attempt_id IN doomed_attempt",
       "DELETE FROM event WHERE attempt_id IN doomed_attempt",
       "DELETE FROM metric WHERE attempt_id IN doomed_attempt",
       "DELETE FROM metric_point WHERE attempt_id IN doomed_attempt",
       "DELETE FROM quantizer_final WHERE attempt_id IN doomed_attempt",
       "DELETE FROM attempt_chain WHERE attempt_id IN doomed_attempt",
       "UPDATE job SET attempt_id = NULL WHERE id IN doomed_job",
       "UPDATE attempt SET resumed_from = NULL WHERE id IN doomed_attempt",
       "DELETE FROM attempt WHERE id IN doomed_attempt",
       "DELETE FROM job_dependency WHERE job_id IN doomed_job",
       "DELETE FROM sweep_job WHERE job_id IN doomed_job OR sweep_id IN doomed_sweep",
       "DELETE FROM note WHERE job_id IN doomed_job OR sweep_id IN doomed_sweep",
       "DELETE FROM tag WHERE job_id IN doomed_job OR sweep_id IN doomed_sweep",
       "DELETE FROM job WHERE id IN doomed_job",
       "DELETE FROM sweep_revision WHERE sweep_id IN doomed_sweep",
       "DELETE FROM sweep WHERE id IN doomed_sweep",
       "DELETE FROM environment WHERE id NOT IN (SELECT environment_id FROM attempt WHERE "
       "environment_id IS NOT NULL)",
       "DELETE FROM quantizer WHERE inventory_id NOT IN (SELECT inventory_id FROM attempt WHERE "
       "inventory_id IS NOT NULL)",
       "DELETE FROM inventory WHERE id NOT IN (SELECT inventory_id FROM attempt WHERE inventory_id "
       "IS NOT NULL)"}) {
    connection.execute(sql);
  }
}

}  // namespace qbitopt
