#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "qbitopt/schedule/executors/queue/batch.h"
#include "qbitopt/schedule/executors/queue/calls.h"
#include "qbitopt/sweep/queue_settings.h"

namespace qbitopt {

// What each job of a batch needs.
struct BatchNeeds {
  int cpus = 1;
  std::string gpus;       // as QueueSettings::gpus_per_job; empty: none
  int64_t megabytes = 0;  // 0: the system's default
  int64_t minutes = 0;    // the same
  // What it will have: `minutes`, or else the system's default; 0: no limit, or not known.
  int64_t granted_minutes = 0;
};

// The queue's answer to a submission.
struct SubmitAnswer {
  enum class Kind {
    kAccepted,
    kFull,     // not now: so many jobs are in the queue
    kUnclear,  // it may have been submitted, or not
    kRefused,
  };
  Kind kind = Kind::kUnclear;
  std::string id;  // if accepted
};

// What the queue says of its jobs.
struct QueueStatus {
  struct Row {
    std::string state;  // in the queue's words: "PENDING"
    bool is_pending = false;
    bool is_over = false;
    std::string reason;  // why it is pending
    std::string name;    // of the job, where the queue tells names
  };
  // Id of the job, or of the array, and task -> row.
  std::map<std::pair<std::string, int>, Row> rows;
  std::map<std::string, std::string> ids;  // name -> id, where the queue tells names
  // Ids of which the answer says nothing, one way or the other.
  std::vector<std::string> unknown;
};

// Where a job of the queue is. A queue that lost its memory gives an id once more, so that only id and
// name together are one's own.
struct QueuePlace {
  std::string id;
  std::string name;
  int task = 0;
  bool is_whole = false;  // stands for all tasks of the array
};

// A cluster's queue: which shell commands to give, and what their answers mean. No state, no
// processes; QueueExecutor runs the commands.
class BatchSystem {
 public:
  virtual ~BatchSystem() = default;

  virtual std::string executor() const = 0;   // "slurm", as make_executor() takes it
  virtual std::string name() const = 0;       // "Slurm", for people
  virtual std::string submitter() const = 0;  // "sbatch"

  // Asks for limits(); empty if there is nothing to ask.
  virtual std::string limits_command() const { return ""; }
  struct Limits {
    int array = 1;      // jobs of one submission
    int queued = 1000;  // jobs in the queue
    // That a job of the chosen partition may take, and that it gets if it does not ask; 0: no
    // limit, or not known.
    int64_t minutes = 0, default_minutes = 0;
    std::string partition;  // that has these limits
  };
  virtual Limits limits(const CallResult& answer) const { return {}; }

  // The lines with which a batch's script begins, behind the first.
  virtual std::string header(const QueueBatch& batch, const BatchNeeds& needs) const = 0;
  // Shell variable with the number of an array's job, empty without arrays.
  virtual std::string task_variable() const { return ""; }
  // The id of one job, as the system's commands take it: "101_0" in an array, "101" without.
  std::string id_of(const QueuePlace& job) const;

  virtual std::string submit(const QueueBatch& batch, const BatchNeeds& needs) const = 0;
  // Shell text that goes before that.
  virtual std::string submit_prelude() const { return ""; }
  virtual SubmitAnswer submitted(const CallResult& answer) const = 0;

  // One command for all jobs.
  virtual std::string status(const std::vector<std::string>& ids) const = 0;
  // nullopt: the queue did not answer, or what it said is no answer.
  virtual std::optional<QueueStatus> status(const CallResult& answer,
                                            const std::vector<std::string>& ids) const = 0;
  // True if status() tells the names of jobs.
  virtual bool tells_names() const { return false; }

  // Ends jobs; `is_gentle`: asks running ones for a checkpoint first, if the system has a way to.
  virtual std::string cancel(const std::vector<QueuePlace>& jobs, bool is_gentle) const = 0;

  // Asks how a job ended; empty if there is nobody to ask.
  virtual std::string explain(const QueuePlace& job) const { return ""; }
  // The state that it ended in, in the queue's words; empty: not known.
  virtual std::string explanation(const CallResult& answer) const { return ""; }
};

inline std::string BatchSystem::id_of(const QueuePlace& job) const {
  return task_variable().empty() ? job.id : job.id + "_" + std::to_string(job.task);
}

std::unique_ptr<BatchSystem> make_slurm(const QueueSettings& settings);
std::unique_ptr<BatchSystem> make_command_template(const QueueSettings& settings);

}  // namespace qbitopt
