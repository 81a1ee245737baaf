#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "qbitopt/job/job.h"

namespace qbitopt {

// How an attempt is asked to stop.
enum class StopLevel {
  kCheckpoint,  // write a checkpoint, then stop
  kTerminate,   // the same, and kill the worker after a few seconds
  kKill,        // now
};

// The class of an attempt that a queue does not know any more though it never began, as after the
// crash of a controller that had not yet saved what it accepted.
inline constexpr const char* kForgotten = "forgotten";

// The reason why it is not known how an attempt's worker ended.
struct Loss {
  // "lost", "out_of_memory", ..., kForgotten; empty: the attempt never began, so its job did not fail
  std::string error_class;
  std::string text;
};

// The end of an attempt. Its results are in its spool; an Outcome is about the worker.
struct Outcome {
  std::string key;  // of the job
  // "finished", "failed", "interrupted"; empty: the worker ended without a report
  std::string reported;
  std::optional<int> exit_code;  // if the worker ended with the attempt
  std::optional<int> signal;     // that ended it
  std::string last_words;  // what the worker wrote to stderr outside of an attempt; may be empty
  std::optional<Loss> loss;
  // Its job in a queue had reached the limit of its time, or was about to.
  bool ran_out_of_time = false;
};

// The id of an attempt's job in a cluster's queue.
struct QueueId {
  std::string key;  // of the attempt's job
  std::string id;   // "101_0", in the queue's words
};

// Where attempts are executed: processes of this machine, jobs of a cluster. Not thread-safe.
class Executor {
 public:
  virtual ~Executor() = default;

  // For the user: which workers it starts, and how many jobs run at a time.
  virtual std::string description() const = 0;
  // The reason why no attempt can start, such as workers of an earlier driver that have not ended
  // yet, and what the user can do about it; empty: there is none. Called at most once per second.
  virtual std::string obstacle() const { return ""; }
  // What the user should know about how attempts are executed, each text once.
  virtual std::vector<std::string> take_notes() { return {}; }
  // The fraction of the executor's capacity that an attempt with this many threads takes: above 0,
  // at most 1; 0: not known.
  virtual double share(int threads) const = 0;
  // True if an attempt with this many threads could start now.
  virtual bool has_room(int threads) const = 0;
  // How many attempts there is room for that start no sooner than the next poll(), whatever their
  // threads, so that all of them can be put on record before the first is submitted; at least 1.
  virtual size_t room_for_batch() const { return 1; }
  // True while a submitted attempt has not ended.
  virtual bool is_busy() const = 0;
  // Starts an attempt; its folder exists. Needs room. Throws InputError if there is no worker
  // program.
  virtual void submit(const Attempt& attempt, int threads) = 0;
  // Takes over an attempt that an earlier driver began. poll() returns its outcome as soon as no
  // worker works on it.
  virtual void reattach(const Attempt& attempt) = 0;
  // The process that works on this job; 0: not known.
  virtual int process_of(const std::string& key) const { return 0; }
  // Asks the attempt at this job, if there is one, to stop. A reattached attempt was asked already,
  // by the end of its driver: it can only be killed.
  virtual void cancel(const std::string& key, StopLevel level) = 0;
  // True if attempts continue after this driver has ended, so that reattach() in another driver finds
  // them running.
  virtual bool outlives_driver() const { return false; }
  // True if everything that was submitted is on its way, so that the driver may end.
  virtual bool may_be_left() const { return !is_busy(); }
  // The attempt's spool has its last event: the attempt has ended, even if it is not known how the
  // worker did.
  virtual void hear_end(const std::string& key) {}
  // The state of an attempt that does not run yet: "queued: Priority"; empty: it runs.
  virtual std::string state_of(const std::string& key) const { return ""; }
  // True if the attempt cannot have begun, as far as was heard a moment ago: there is no need to look
  // for its spool.
  virtual bool is_waiting(const std::string& key) const { return false; }
  // The attempts whose id in the queue has become known since the last call; none without a queue.
  virtual std::vector<QueueId> take_queue_ids() { return {}; }
  // How often to read the spools.
  virtual std::chrono::milliseconds spool_interval() const {
    return std::chrono::milliseconds(200);
  }
  // For `plan`: what would be submitted for these jobs; empty if there is nothing to show.
  virtual std::string preview(const std::vector<Job>& jobs) const { return ""; }
  // Returns the attempts that have ended; waits at most `patience` for the first.
  virtual std::vector<Outcome> poll(std::chrono::milliseconds patience) = 0;
};

// What jobs of this kind took, as far as it is known.
struct JobEstimate {
  std::optional<double> seconds;
  std::optional<int64_t> bytes;  // of memory
};

// Options of every executor.
struct ExecutorOptions {
  std::filesystem::path worker;                     // the program
  std::filesystem::path runs_folder;                // the attempts' folders are below it
  int jobs = 0;                                     // at a time; 0: as many as there is room for
  bool wants_gpus = false;                          // some of the jobs run on a GPU
  std::string gpus = "all";                         // which of this machine's, see choose_gpus()
  int slots_per_gpu = 1;                            // jobs at a time on each
  bool pins_workers = false;                        // of this machine, to cores of their own
  Json settings = Json::object();                   // of this executor, from the sweep file
  std::function<JobEstimate(const Job&)> estimate;  // may be null
};

// By name: "local", "slurm", or "command" for another batch system. Throws InputError for an unknown
// name, and if there is no worker program.
std::unique_ptr<Executor> make_executor(const std::string& name, const ExecutorOptions& options);

}  // namespace qbitopt
