#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "qbitopt/job/spool.h"
#include "qbitopt/schedule/executors/executor.h"
#include "qbitopt/schedule/job_queue.h"
#include "qbitopt/schedule/run_store.h"
#include "qbitopt/schedule/verdict.h"

namespace qbitopt {

// A worker that neither reports nor computes.
struct Silence {
  double seconds = 0;       // so far
  int pid = 0;              // 0: not known
  bool is_stopped = false;  // by SIGSTOP, Ctrl-Z or a debugger
};

// Hears what happens, to show it. Called from Scheduler::run().
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  // The plan has grown by these jobs.
  virtual void on_planned(const std::vector<PlannedJob>& jobs,
                          const std::vector<JobRecord>& records) {}
  virtual void on_started(const PlannedJob& job, const Attempt& attempt) {}
  virtual void on_events(const Attempt& attempt, const std::vector<Event>& events) {}
  virtual void on_ended(const PlannedJob& job, const Attempt& attempt, const AttemptEnd& end,
                        bool will_retry) {}
  // It waits for a job that failed.
  virtual void on_blocked(const PlannedJob& job) {}
  // Once when a job's worker has been silent for SchedulerOptions::silence_seconds; nullopt: it is
  // heard of again.
  virtual void on_silence(const PlannedJob& job, const std::optional<Silence>& silence) {}
  // The store waits for another program; see RunStore::set_meanwhile.
  virtual void on_wait(const std::string& wait) {}
  // Ten times a second or more. Must not use the store.
  virtual void on_tick() {}
};

struct SchedulerOptions {
  std::filesystem::path runs_folder;  // attempts are at <runs_folder>/<key's first 10>/<number>
  double timeout_seconds = 0;         // of one attempt; 0: none
  double silence_seconds = 20;        // of a worker, until the observer hears of it
  // Class of failure -> how often an attempt that failed so is followed by another one within this
  // run; -1: always. "other" stands for the classes that are not named.
  std::map<std::string, int> retries = {{"preempted", -1}, {"lost", 2}, {"other", 0}};
  int max_failures = 0;  // stop after so many failed jobs; 0: never
  // Asked after each finished job of a plan with searches that go on: the plan anew, with the jobs
  // that follow from what is finished, all of them on record. Null: the plan does not grow.
  std::function<Plan()> replan;
  // How often the user has asked to stop by now: 1: start nothing, checkpoint what runs; 2:
  // terminate; 3: kill.
  std::function<int()> stop_requests = [] { return 0; };
};

// What became of a plan's jobs.
struct RunSummary {
  size_t cached = 0;    // finished before
  size_t finished = 0;  // now
  size_t failed = 0;    // now
  size_t failed_before = 0;
  size_t blocked = 0;     // wait for a failed one
  size_t unfinished = 0;  // not begun, or interrupted
  // Why nothing more was started, if that was not the user's wish: a full disk, too many failures.
  std::string stopped_by;
};

// Runs the jobs of a plan, which may grow meanwhile, that are not finished: those that others wait
// for first, side by side as the executor has room. Feeds the attempts' spools to the store, and
// decides what is tried again. Whether an attempt finished is what its spool says; the worker's
// word is only the occasion to look.
//
// While the store waits for another program, nothing is started and everything that runs goes on.
// If it throws (a full disk), the running workers are asked to checkpoint and the exception goes on
// to the caller; nothing is lost, because their spools are ingested by the next run.
class Scheduler {
 public:
  // `plan` lives as long, and grows by what `replan` adds to it.
  Scheduler(Plan& plan, Executor& executor, RunStore& store, RunObserver& observer,
            SchedulerOptions options);

  // Throws InputError if the plan lacks a needed job, or no worker can be started.
  RunSummary run();

 private:
  using Clock = std::chrono::steady_clock;
  struct Running {
    size_t job = 0;
    Attempt attempt;
    SpoolReader spool;
    Clock::time_point started;
    Evidence evidence;
    // Since when silence is measured, and what the worker had computed by then.
    Clock::time_point heard = started;
    double cpu_seconds = 0;
    bool is_silent = false;
  };

  void adopt_running();
  // What needs no store: also done while that waits.
  void tend();
  bool wait_for_store(const std::string& wait);
  void start_what_fits();
  void start(size_t job);
  std::map<std::string, std::string> inputs_of(const PlannedJob& job);
  void read_spool(Running& running);
  void read_spools();
  void stop_slow_ones();
  void notice_silent_ones();
  void hear_of(Running& running);
  void obey_stop_requests();
  void ask_to_stop(Running& running, StopLevel level);
  void conclude(const Outcome& outcome);
  void settle(size_t job, const Attempt& attempt, AttemptEnd end);
  void fail_job(size_t job);
  void grow();
  void stop(const std::string& reason);
  bool may_retry(size_t job, const std::string& error_class);
  void drain_after_trouble();
  bool is_over() const;

  Plan& plan_;
  Executor& executor_;
  RunStore& store_;
  RunObserver& observer_;
  SchedulerOptions options_;
  std::vector<JobRecord> records_;
  JobQueue queue_;
  std::map<std::string, Running> running_;                 // by the job's key
  std::vector<Outcome> outcomes_;                          // of attempts that are over
  std::map<std::pair<size_t, std::string>, int> retried_;  // job and class of failure -> how often
  Clock::time_point spools_read_{};
  bool is_stopping_ = false;
  RunSummary summary_;
};

}  // namespace qbitopt
