#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "qbitopt/core/processes.h"
#include "qbitopt/job/spool.h"
#include "qbitopt/schedule/early_stopping.h"
#include "qbitopt/schedule/executors/executor.h"
#include "qbitopt/schedule/job_queue.h"
#include "qbitopt/schedule/rhythm.h"
#include "qbitopt/schedule/run_store.h"
#include "qbitopt/schedule/verdict.h"
#include "qbitopt/schedule/worker_count.h"

namespace qbitopt {

// A worker that reports no events.
struct Silence {
  double seconds = 0;       // so far
  int pid = 0;              // 0: not known
  bool is_stopped = false;  // by SIGSTOP, Ctrl-Z or a debugger
  double usual_seconds =
      0;  // longest time between its reports; 0: it does not use its processor, either
};

// Is notified of the progress of a run, to show it. Called from Scheduler::run().
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  // The plan has grown by these jobs.
  virtual void on_planned(const std::vector<PlannedJob>& jobs,
                          const std::vector<JobRecord>& records) {}
  virtual void on_started(const PlannedJob& job, const Attempt& attempt) {}
  // An earlier driver began it, and it goes on.
  virtual void on_attached(const PlannedJob& job, const Attempt& attempt) {}
  virtual void on_events(const Attempt& attempt, const std::vector<Event>& events) {}
  virtual void on_ended(const PlannedJob& job, const Attempt& attempt, const AttemptEnd& end,
                        bool will_retry) {}
  // The user has cancelled the job before it was started.
  virtual void on_cancelled(const PlannedJob& job) {}
  // The job needs a job that failed.
  virtual void on_blocked(const PlannedJob& job) {}
  // Called once when a job's worker has been silent for long, and with nullopt when it reports again:
  // for SchedulerOptions::silence_seconds without using its processor, or beyond its Rhythm.
  virtual void on_silence(const PlannedJob& job, const std::optional<Silence>& silence) {}
  // The store waits for another program (see RunStore::set_meanwhile), or jobs wait for memory.
  virtual void on_wait(const std::string& wait) {}
  // What the scheduler has decided, for the user.
  virtual void on_decision(const std::string& text) {}
  // Ten times a second or more. Must not use the store.
  virtual void on_tick() {}
};

struct SchedulerOptions {
  std::filesystem::path runs_folder;  // attempts are at <runs_folder>/<key's first 10>/<number>
  double timeout_seconds = 0;         // of one attempt; 0: none
  double silence_seconds = 20;        // of an idle worker, after which the observer is told
  // A worker that sends no event for this long, or no first one, is killed, and its job tried again
  // (class "stalled"); 0: never.
  double stall_seconds = 0;
  // Class of failure -> how often a job is tried again after such a failure within this run; -1:
  // always. "other" stands for the classes that are not named.
  std::map<std::string, int> retries = {
      {"preempted", -1}, {kForgotten, 5}, {"lost", 2}, {"stalled", 2}, {"other", 0}};
  // Return as soon as everything that can start is submitted; needs an executor whose attempts outlive
  // the driver.
  bool detach = false;
  // Memory that a job like this one took, if known; a job waits while it would not fit beside those
  // that run. Null: memory is not watched.
  std::function<std::optional<int64_t>(const Job&)> memory_bytes;
  std::function<int64_t()> free_memory_bytes = free_memory;
  // Measure how many jobs at a time finish soonest, where enough jobs of the same number of threads
  // are to be run; nullopt: as many as the executor has room for.
  std::optional<WorkerCountOptions> worker_count;
  // What the store knows about the plan's jobs, if it was asked before; nullopt: it is asked.
  std::optional<std::vector<JobRecord>> records;
  int max_failures = 0;  // stop after this many failed jobs; 0: never
  // Called after each finished job of a plan with unfinished searches: returns the new plan, with
  // the jobs that follow from the results, all of them stored. Null: the plan does not grow.
  std::function<Plan()> replan;
  // How often the user has asked to stop so far. 1: start no job and let running jobs write a
  // checkpoint; 2: terminate; 3: kill.
  std::function<int()> stop_requests = [] { return 0; };
  // True once the driver is to end while its attempts go on, as with an executor that outlives it.
  // Nothing is started any more, and run() returns after `leave_seconds`, and then as soon as everything
  // that was submitted is on its way, unless the user asks to stop meanwhile.
  std::function<bool()> leave_requested = [] { return false; };
  double leave_seconds = 5;
  // Keys of jobs that the user has asked to cancel since the last call. A running job writes a
  // checkpoint and stops; asked again, it is terminated, and then killed. The job fails with class
  // "cancelled", and is not tried again.
  std::function<std::vector<std::string>()> cancel_requests = [] {
    return std::vector<std::string>{};
  };
};

// Outcome of a run: number of the plan's jobs in each state.
struct RunSummary {
  size_t cached = 0;    // finished before
  size_t finished = 0;  // now
  size_t failed = 0;    // now
  size_t failed_before = 0;
  size_t cancelled = 0;   // now, by the user
  size_t stopped = 0;     // now or before, by the sweep's `stop`
  size_t blocked = 0;     // need a failed job
  size_t unfinished = 0;  // not begun, or interrupted
  size_t left = 0;        // of those, attempts that continue without this driver
  // Why no more jobs were started, unless the user stopped the run: a full disk, too many failures.
  std::string stopped_by;
};

// Runs the unfinished jobs of a plan, which may grow meanwhile. Jobs that others need run first,
// and as many run at a time as the executor has room for. Reads the attempts' spools into the
// store, and decides which jobs are tried again. An attempt has finished if its spool says so; a
// worker's report is only the occasion to look.
//
// While the store waits for another program, no job is started and the running ones continue. If
// the store throws (a full disk), the workers are asked to write checkpoints and the exception is
// passed on to the caller. No event is lost, because the next run reads the spools.
class Scheduler {
 public:
  // `plan` must outlive the scheduler; the jobs that `replan` returns are added to it.
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
    Clock::time_point heard = started;  // its last event
    Rhythm rhythm;
    // When it was last seen to compute, and the CPU time of the worker at that time.
    Clock::time_point computed = started;
    double cpu_seconds = 0;
    bool is_silent = false;
    int64_t memory_bytes = 0;  // expected
    std::string kind;          // of the job, for WorkerCount
  };

  void adopt_running();
  // The part that needs no store, also done while the store waits.
  void tend();
  bool wait_for_store(const std::string& wait);
  void start_what_fits();
  bool has_memory_for(size_t job);
  void plan_worker_count();
  void note_running();
  // An attempt that is on record, or will be with the next commit.
  struct Begun {
    size_t job = 0;
    Attempt attempt;
    std::optional<AttemptEnd> trouble;  // it cannot be started
  };
  Begun begin(size_t job);
  void start(Begun&& begun);
  std::map<std::string, std::string> inputs_of(const PlannedJob& job);
  void note_queue_ids();
  void read_spool(Running& running);
  void read_spools();
  void stop_if_hopeless(Running& running, const Event& event);
  void stop_slow_ones();
  void notice_silent_ones();
  std::optional<Silence> silence_of(Running& running);
  void hear_of(Running& running);
  void obey_stop_requests();
  void obey_cancel_requests();
  void cancel(size_t job);
  void ask_to_stop(Running& running, StopLevel level);
  void conclude(const Outcome& outcome);
  void settle(size_t job, const Attempt& attempt, AttemptEnd end);
  void block_those_that_need(size_t job);
  void count_failure();
  void grow();
  void stop(const std::string& reason);
  bool may_retry(size_t job, const std::string& error_class);
  void bound_time_limits(const Running& running, const Outcome& outcome, AttemptEnd& end);
  void drain_after_trouble();
  bool is_over() const;
  bool has_left() const;

  Plan& plan_;
  Executor& executor_;
  RunStore& store_;
  RunObserver& observer_;
  SchedulerOptions options_;
  std::vector<JobRecord> records_;
  JobQueue queue_;
  std::optional<EarlyStopping> early_stopping_;
  std::optional<WorkerCount> worker_count_;
  std::map<std::string, Running> running_;                 // by the job's key
  std::vector<Outcome> outcomes_;                          // of attempts that are over
  std::map<std::pair<size_t, std::string>, int> retried_;  // job and class of failure -> how often
  std::map<size_t, int> vain_;  // job -> attempts in a row that met a time limit without progress
  Clock::time_point spools_read_{}, silence_looked_for_{};
  bool is_stopping_ = false;
  std::optional<Clock::time_point> leaving_since_;
  bool has_told_of_memory_ = false;
  RunSummary summary_;
};

}  // namespace qbitopt
