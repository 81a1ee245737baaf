#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "qbitopt/schedule/run_store.h"
#include "qbitopt/sweep/plan.h"

namespace qbitopt {

// Number of threads of a job: its "training.threads" or "pretraining.threads"; 1 if it has neither.
int threads_of(const Job& job);

// Which jobs of a plan can run now, and in what order: a job that others wait for goes first, then
// a job with more threads (it is harder to place later), then the plan's order.
class JobQueue {
 public:
  enum class Status { kWaiting, kReady, kTaken, kFinished, kFailed, kBlocked };

  // Failed jobs stay failed, and jobs that wait for them are blocked. Running jobs count as taken.
  // Throws InputError if a job needs one that the plan does not have, or itself.
  JobQueue(const Plan& plan, const std::vector<JobRecord>& records);

  // Adds the new jobs of a plan that has grown, with the indices that follow. `records`: of the new
  // jobs only.
  void add(const std::vector<PlannedJob>& jobs, const std::vector<JobRecord>& records);

  // The next job that fits, by index into plan.jobs; it is taken from the queue. Nullopt if none is
  // ready or none fits. Of jobs with as many threads, one is asked about. A job that others wait for is not overtaken: room is kept until it fits.
  std::optional<size_t> take(const std::function<bool(size_t job)>& fits);
  // Puts a taken job back into the queue.
  void put_back(size_t job);
  void finish(size_t job);
  // A job that waits, is ready or taken. Returns the jobs that can never run now.
  std::vector<size_t> fail(size_t job);

  Status status(size_t job) const { return entries_[job].status; }
  int threads(size_t job) const { return entries_[job].threads; }
  // Throws std::out_of_range.
  size_t index(const std::string& key) const { return index_.at(key); }
  bool contains(const std::string& key) const { return index_.count(key) != 0; }
  bool has_ready() const { return !ready_.empty(); }
  size_t count(Status status) const;

 private:
  struct Entry {
    Status status = Status::kWaiting;
    int threads = 1;
    int missing = 0;              // needs that are not finished yet
    std::vector<size_t> waiting;  // jobs that need this one
  };
  // Smallest first.
  using Rank = std::tuple<bool, int, size_t>;  // nobody waits for it, -threads, index
  Rank rank(size_t job) const;
  void make_ready(size_t job);
  void block_waiting(size_t job, std::vector<size_t>& blocked);

  std::vector<Entry> entries_;
  std::unordered_map<std::string, size_t> index_;
  std::set<Rank> ready_;
};

}  // namespace qbitopt
