#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "qbitopt/config/yaml.h"
#include "qbitopt/core/json.h"

namespace qbitopt {

// How a cluster's queue is used: `run.slurm` or `run.command` of a sweep. Empty and 0: not said.
struct QueueSettings {
  // Of Slurm, as sbatch takes them.
  std::string partition, account, qos, constraint;
  std::vector<std::string> options;  // any others: "--exclusive"

  // Of another system: shell commands in which {script}, {name}, {cpus}, {gpus}, {memory}
  // (megabytes) and {minutes} stand for those of a job, {id} for the ids of jobs, a space between.
  std::string submit, status, cancel;
  std::string id;    // regular expression: the id in what `submit` prints; its first group, if any
  std::string done;  // regular expression: lines of `status` that are of jobs that are over

  // Of every system.
  std::string launch = "{worker}";  // the command that a job runs, in a container for example
  std::string before;               // shell commands before that: module load ...
  std::string gpus_per_job;         // "1", "a100:2"; not said: 1 if the job is to run on a GPU
  int cpus_per_job = 0;             // not said: the job's threads
  int64_t memory_megabytes = 0;     // not said: as jobs like it took, else the system's default
  double time_seconds = 0;          // the same
  double pack_seconds = 1800;       // short jobs follow each other in one job of the queue
  int max_queued = 0;               // jobs that are in the queue at a time
  double collect_seconds = 3;  // jobs that become ready within this time are submitted together
  double poll_seconds = 30;
  double grace_seconds = 90;     // from a job's absence in the queue until it counts as lost
  double patience_seconds = 60;  // for an answer of the system's commands
};

// The map below run.slurm (`executor` is "slurm") or run.command, checked, as queue_settings() takes
// it: {"partition": "gpu", "time_seconds": 3600}. `is_whole`: it must have all that the executor
// needs. Throws InputError.
Json read_queue_settings(const YamlNode& node, const std::string& executor, bool is_whole = true);

QueueSettings queue_settings(const Json& json);

}  // namespace qbitopt
