#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "qbitopt/job/event.h"
#include "qbitopt/job/job.h"
#include "qbitopt/sweep/plan.h"

namespace qbitopt {

enum class JobState {
  kNew,          // no attempt was begun, or the job will be run again
  kRunning,      // the end of an attempt is not recorded: it is running, or its driver died
  kInterrupted,  // stopped in good order; the next attempt continues from its checkpoint
  kFinished,
  kFailed,
  kStopped,  // before its end, by the sweep's `stop`; it has no result
};
const char* name(JobState state);  // "new", "running", ...
const std::vector<std::string>& job_state_names();

// What a store knows about a job.
struct JobRecord {
  JobState state = JobState::kNew;
  int attempts = 0;         // begun so far; the next one's number is attempts + 1
  std::string folder;       // of the last attempt, absolute; empty without one
  std::string error_class;  // of the last attempt, if it failed
};

// The class of an attempt that was stopped early.
inline constexpr const char* kStopped = "stopped";

// How an attempt ended.
struct AttemptEnd {
  JobState state = JobState::kFinished;  // kFinished, kFailed, kStopped or kInterrupted
  int exit_code = 0;                     // of the worker, if it ended with the attempt
  int signal = 0;                        // that ended the worker; 0: none
  // If failed: the class of the JobError, or "lost" (the worker was killed, or its folder deleted),
  // "crashed", "stalled" (run.stall_timeout), "timeout" (run.timeout, or a queue's limit that leaves no time for a checkpoint),
  // "disk_full", "spool" (its events cannot be read), "folder" (its folder
  // cannot be made or written), "missing_input" or "damaged_input" (a file of a needed job is
  // missing or was changed), "cancelled" (by the user).
  std::string error_class;
  std::string text;  // one line
  // True: the failed attempt is followed by another one, in this run or else in the next. Its job
  // is new again.
  bool will_retry = false;
};

// Where the scheduler stores the state of jobs. The program uses the database; a test uses a map.
class RunStore {
 public:
  virtual ~RunStore() = default;

  // One record per job, in the plan's order.
  virtual std::vector<JobRecord> records(const Plan& plan) = 0;
  // On record after the next commit(): no worker may hear of the attempt before.
  virtual void begin(const Attempt& attempt) = 0;
  // The attempt is a job of a cluster's queue: "101_0". May be committed later.
  virtual void note_queue_id(const Attempt& attempt, const std::string& id) {}
  // Events of one attempt in their order; numbers that are stored already are ignored. Throws
  // InputError, with none of them stored, if they hold what no event can.
  virtual void ingest(const Attempt& attempt, const std::vector<Event>& events) = 0;
  // Committed by the next commit(), with everything before it.
  virtual void end(const Attempt& attempt, const AttemptEnd& end) = 0;
  // For the log of an attempt: what the driver has decided. May be committed later.
  virtual void note(const Attempt& attempt, const std::string& text) {}
  virtual void commit() {}
  // Absolute path of a file that a finished job left. Throws InputError if the file is missing,
  // JobError if its content has changed.
  virtual std::string artifact(const std::string& job_key, const std::string& name) = 0;
  // Step and value, on validation images, of the run at this job: those that count.
  virtual std::vector<std::pair<int64_t, double>> validation_curve(const std::string& key,
                                                                   const std::string& metric) {
    return {};
  }
  // Call regularly while nothing is ingested.
  virtual void commit_if_due() {}

  // Called about 20 times per second while another program keeps the store from writing; it must
  // not use the store. `wait`: a message for the user once in each long wait, else empty. If it
  // returns false, the store stops waiting and throws.
  using Meanwhile = std::function<bool(const std::string& wait)>;
  // Returns the previous function.
  virtual Meanwhile set_meanwhile(Meanwhile) {  // NOLINT(performance-unnecessary-value-param)
    return nullptr;
  }
};

}  // namespace qbitopt
