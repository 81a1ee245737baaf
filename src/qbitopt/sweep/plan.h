#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "qbitopt/config/objective.h"
#include "qbitopt/core/json.h"
#include "qbitopt/core/shared.h"
#include "qbitopt/job/job.h"
#include "qbitopt/sweep/stop_rule.h"

namespace qbitopt {

// The common part of jobs that differ only in some values, stored once for all of them.
struct JobShape {
  Json parameters = Json::object();  // those with the same value in every job
  std::vector<std::string> varying;  // names of the others, in the order of PlannedJob::values
  std::vector<std::string> axes;     // the parameters, of either kind, that the sweep varies
  std::map<std::string, int> versions;
  // Name of a need -> the output that the needed job hands over: "model", "allocation".
  std::map<std::string, std::string> artifacts;
  bool guarantees_budget = true;
};

// A job in its place in a sweep. Small, so that a plan may hold a million: job() says it in full.
struct PlannedJob {
  std::string key;                       // Job::key
  Shared<std::string> config_key;        // Job::config_key
  std::string case_name;                 // empty without cases
  std::vector<std::string> other_cases;  // that have this same job, too
  bool requested = true;                 // false: only there because others need it
  int trial = 0;                         // the n-th run of a search that did not choose it
  Shared<std::map<std::string, std::string>> needs;  // Job::needs
  std::shared_ptr<const JobShape> shape;             // never null
  std::vector<Json> values;                          // of shape->varying

  Job job() const;
  // The sweep's axes for this job: dotted name -> value; an axis that does not apply is absent.
  Json axes() const;
  // The cases that the job belongs to; empty without cases, or if the job is there only because
  // others need it.
  std::vector<std::string> cases() const;
  // Null if the job has no such parameter. Valid as long as the job.
  const Json& value(const std::string& name) const;
  Json parameter(const std::string& name) const { return value(name); }
  const std::map<std::string, std::string>& artifacts() const { return shape->artifacts; }
};

// Says planned jobs in full, one after another. Jobs that share a shape differ in a few parameters,
// which alone are replaced: much faster than PlannedJob::job() for many jobs.
class JobCursor {
 public:
  // Valid until the next call.
  const Job& at(const PlannedJob& planned);

 private:
  std::shared_ptr<const JobShape> shape_;
  Job job_;
};

// A planned job that is not part of any grid; for a job that was stored, or one made by hand.
PlannedJob planned_job(const Job& job, const std::map<std::string, std::string>& artifacts = {});

// Where a search for the strength that meets a budget stands (search.h).
struct SearchState {
  std::string where;      // "fracbits.kappa of fracbits at budget.average_bits=3"
  std::string parameter;  // "fracbits.kappa"
  int runs = 0;           // that are over
  int max_runs = 0;
  // running: the next run is in the plan; found: a run met the budget; missed: no run met it, and
  // the nearest one was chosen; failed: a run failed, which ends the search.
  enum class Status { kRunning, kFound, kMissed, kFailed };
  Status status = Status::kRunning;
  std::optional<double> chosen;
};

// An expanded sweep file: every job once, after the jobs that it needs.
struct Plan {
  std::string sweep_name;
  std::string file;  // path of the sweep file
  std::string text;  // verbatim, for the record
  // Path and sha256 of every file it extends, and of its files of points (`rows`).
  std::vector<std::pair<std::string, std::string>> included;
  std::vector<std::string> overrides;  // as given on the command line
  std::vector<PlannedJob> jobs;
  std::vector<SearchState> searches;  // the plan grows with the results of their runs
  // Number of jobs when all searches have ended, unless a failed run ends one early; both are the
  // number of `jobs` if no search is running.
  size_t least_jobs = 0;
  size_t most_jobs = 0;
  std::vector<std::string> warnings;
  std::vector<std::string> tables;  // paths of the table definitions it asks for
  Objective metric;
  std::optional<StopRule> stop;  // of hopeless runs
  // "executor": a name that make_executor() knows; "jobs": "auto" or a count; "timeout_seconds": a
  // number, absent without a limit; "stall_seconds": the same of silence; "retries": class of failure -> count, -1 for unlimited; "slurm"
  // and "command": see queue_settings.h. Contains only the keys that the file sets.
  Json run = Json::object();
};

// The difference between the jobs that a database has for a sweep and a new plan of the sweep, by
// key.
struct PlanDifference {
  std::vector<std::string> added;     // in the plan only, in its order
  std::vector<std::string> orphaned;  // stored only
  std::vector<std::string> kept;      // both, in the plan's order
};
PlanDifference difference(const std::vector<std::string>& stored_keys, const Plan& plan);

// For `plan --json`, all but the jobs: {name, file, overrides, warnings, tables, metric, run,
// counts: {jobs, requested, needed, least, most, cases: {name: jobs}, axes: {key: {value: jobs}}},
// searches: [{where, parameter, runs, max_runs, status, chosen}]}.
Json to_json(const Plan& plan);
// {key, config_key, case, other_cases, requested, trial, axes, needs, parameters}.
Json to_json(const PlannedJob& job);

}  // namespace qbitopt
