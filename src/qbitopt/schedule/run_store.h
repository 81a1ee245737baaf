#pragma once

#include <functional>
#include <string>
#include <vector>

#include "qbitopt/job/event.h"
#include "qbitopt/job/job.h"
#include "qbitopt/sweep/plan.h"

namespace qbitopt {

enum class JobState {
  kNew,          // nothing was begun, or it shall be run again
  kRunning,      // an attempt was begun whose end is not recorded: it runs, or its driver died
  kInterrupted,  // stopped in good order; the next attempt goes on from its checkpoint
  kFinished,
  kFailed,
};
const char* name(JobState state);  // "new", "running", ...

// What is remembered of one job.
struct JobRecord {
  JobState state = JobState::kNew;
  int attempts = 0;         // begun so far; the next one's number is attempts + 1
  std::string folder;       // of the last attempt, absolute; empty without one
  std::string error_class;  // of the last attempt, if it failed
};

// How an attempt ended.
struct AttemptEnd {
  JobState state = JobState::kFinished;  // kFinished, kFailed or kInterrupted
  int exit_code = 0;                     // of the worker, if it ended with the attempt
  int signal = 0;                        // that ended the worker; 0: none
  // If failed: as JobError, or "lost" (the worker was killed, or its folder deleted), "crashed",
  // "timeout", "disk_full", "spool" (its events cannot be read), "folder" (its folder cannot be
  // made or written), "missing_input" or "damaged_input" (what a needed job left is gone or was changed).
  std::string error_class;
  std::string text;  // one line
  // A failed one is followed by another, by this run or, if that does not come to it, the next: its
  // job is new again.
  bool will_retry = false;
};

// The scheduler's memory. The program keeps it in the database; a test in a map.
class RunStore {
 public:
  virtual ~RunStore() = default;

  // One record a job, in the plan's order.
  virtual std::vector<JobRecord> records(const Plan& plan) = 0;
  // Committed on return: a worker hears of an attempt only after it is on record.
  virtual void begin(const Attempt& attempt) = 0;
  // Events of one attempt in their order; numbers that are stored already are ignored. Throws
  // InputError, with none of them stored, if they hold what no event can.
  virtual void ingest(const Attempt& attempt, const std::vector<Event>& events) = 0;
  // Committed on return, with everything ingested before.
  virtual void end(const Attempt& attempt, const AttemptEnd& end) = 0;
  // Absolute path of a file that the finished job left. Throws InputError if it is gone, JobError
  // if its content is another one.
  virtual std::string artifact(const std::string& job_key, const std::string& name) = 0;
  // To be called now and then while nothing is ingested.
  virtual void commit_if_due() {}

  // Called some 20 times a second while another program keeps the store from writing; it must not
  // use the store. `wait`: once in each long wait, what to tell a person, else empty. Returns false
  // to give up: the store then throws.
  using Meanwhile = std::function<bool(const std::string& wait)>;
  // Returns what was set before.
  virtual Meanwhile set_meanwhile(Meanwhile meanwhile) { return nullptr; }
};

}  // namespace qbitopt
