#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "qbitopt/job/job.h"
#include "qbitopt/runlog/reader.h"
#include "qbitopt/sweep/search.h"

namespace qbitopt {

// Queries for programs; people use the views.

// Keys of a sweep's jobs in its order, without orphaned ones; empty for an unknown sweep.
std::vector<std::string> stored_keys(const Reader& reader, const std::string& sweep_name);

// The one job whose key starts with `prefix`. Throws InputError if there is none (naming the file)
// or more than one (listing them).
std::string find_key(const Reader& reader, const std::string& prefix);

// All fields of a stored job. Throws InputError if there is no such job.
Job stored_job(const Reader& reader, const std::string& key);

// The results of a job that a search uses; nullopt until the job has finished or failed. Throws
// InputError if the job has no budget or has reported no accuracy on held-out images.
// The state of every job, by key: "new", ..., "stopped".
std::map<std::string, std::string> job_states(const Reader& reader);

std::optional<TrialResult> trial_result(const Reader& reader, const std::string& key);

// Keys of the jobs for which a condition over the view `runs` holds:
// "method = 'qbitopt' AND seed > 0". Throws InputError for wrong SQL.
std::vector<std::string> keys_where(const Reader& reader, const std::string& condition);

// One execution of a job.
struct AttemptRecord {
  int number = 0;
  std::string state;   // "running", "interrupted", "finished", "failed"
  std::string folder;  // absolute
  std::string host;
  int64_t pid = 0;
  std::string queue_id;  // of its job in a cluster's queue: "101_0"; empty: none
  double begun_at = 0;   // seconds since 1970
  double ended_at = 0;   // 0: not yet
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::string error_class;
  std::string error_text;
};
// The attempts at a job in order; empty for an unknown job.
std::vector<AttemptRecord> attempts(const Reader& reader, const std::string& key);
// The key of each job that has an attempt, and the folder of the last one. `sweep`: only its jobs.
std::vector<std::pair<std::string, std::string>> last_folders(
    const Reader& reader, const std::optional<std::string>& sweep);

// A file that a finished job left: "model", "allocation".
struct ArtifactRecord {
  std::string path;    // absolute
  std::string sha256;  // of its content
};
// Nullopt if the job has not finished, or left no such file.
std::optional<ArtifactRecord> finished_artifact(const Reader& reader, const std::string& key,
                                                const std::string& name);

// The log of a job's attempts in order: notes, warnings, how they ended.
struct LoggedEvent {
  int attempt = 0;
  double unix_seconds = 0;
  std::string level;  // "info", "warning", "error"
  std::optional<int64_t> step;
  std::string text;
};
std::vector<LoggedEvent> logged_events(const Reader& reader, const std::string& key);

// A sweep as it was last run.
struct SweepRevision {
  std::string file;                                           // path of the sweep file
  std::string text;                                           // verbatim
  std::vector<std::pair<std::string, std::string>> included;  // path and sha256 of what it extends
  std::vector<std::string> overrides;                         // on the command line
  std::vector<std::string> argv;
  std::string folder;      // working directory, to which relative paths refer; empty: not known
  double recorded_at = 0;  // seconds since 1970
};
// Nullopt for an unknown sweep.
std::optional<SweepRevision> last_revision(const Reader& reader, const std::string& sweep_name);

// Columns that the view `runs` has in a file whose jobs have these parameters.
std::set<std::string> columns_of_runs(const std::set<std::string>& parameters);

}  // namespace qbitopt
