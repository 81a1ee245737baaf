#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "qbitopt/job/job.h"

namespace qbitopt {

// How hard an attempt is asked to stop.
enum class StopLevel {
  kCheckpoint,  // write a checkpoint, then stop
  kTerminate,   // the same, and be killed if it takes more than a few seconds
  kKill,        // now
};

// An attempt is over. What it achieved is in its spool; this says how the worker stands.
struct Outcome {
  std::string key;  // of the job
  // "finished", "failed", "interrupted"; empty: the worker went without a word
  std::string reported;
  std::optional<int> exit_code;  // if the worker ended with the attempt
  std::optional<int> signal;     // that ended it
  std::string last_words;  // what the worker wrote to stderr outside of an attempt; may be empty
};

// Where attempts are executed: processes of this machine, jobs of a cluster. Not thread-safe.
class Executor {
 public:
  virtual ~Executor() = default;

  // For the user: which workers it starts, and how many side by side.
  virtual std::string description() const = 0;
  // What keeps every attempt from starting, like the workers of an earlier driver that have not
  // ended yet, and what can be done about it; empty: nothing does. Asked once a second or less.
  virtual std::string obstacle() const { return ""; }
  // The part of all that runs side by side that an attempt with this many threads takes: above 0, at
  // most 1.
  virtual double share(int threads) const = 0;
  // True if an attempt with this many threads could start now.
  virtual bool has_room(int threads) const = 0;
  // True while an attempt that was submitted is not over.
  virtual bool is_busy() const = 0;
  // Starts an attempt; its folder exists. Needs room. Throws InputError if there is no worker
  // program.
  virtual void submit(const Attempt& attempt, int threads) = 0;
  // Takes over an attempt that an earlier driver began. Its outcome comes from poll() as soon as
  // nothing works on it any more.
  virtual void reattach(const Attempt& attempt) = 0;
  // Process that works on the attempt at this job; 0: not known.
  virtual int process_of(const std::string& key) const { return 0; }
  // Asks the attempt at this job to stop; nothing happens if there is none. The end of its driver
  // has asked a reattached one already: it can only be killed.
  virtual void cancel(const std::string& key, StopLevel level) = 0;
  // Attempts that are over, waiting at most `patience` for the first.
  virtual std::vector<Outcome> poll(std::chrono::milliseconds patience) = 0;
};

// What every executor is told.
struct ExecutorOptions {
  std::filesystem::path worker;       // the program
  std::filesystem::path runs_folder;  // the attempts' folders are below it
  int jobs = 0;                       // side by side; 0: as many as there is room for
  bool wants_gpus = false;            // some of the jobs are to run on one
};

// By name: "local". Throws InputError for an unknown name, and if there is no worker program.
std::unique_ptr<Executor> make_executor(const std::string& name, const ExecutorOptions& options);

}  // namespace qbitopt
