#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "qbitopt/job/event.h"

namespace qbitopt {

struct WorkerCountOptions {
  double seconds = 10;       // that each worker is measured for
  int64_t steps = 10;        // that each has to do in that time
  double least_gain = 1.03;  // fewer workers must be this much faster, or as many as fit are kept
};

// Finds how many workers train the most steps per second together, while the first jobs run: half
// of those that fit at first, then three quarters, then all. The fastest number stays. Only jobs of
// one kind are compared, because a step of another takes another time.
class WorkerCount {
 public:
  // `most`: workers that there is room for, at least 2.
  explicit WorkerCount(int most, WorkerCountOptions options = {});

  // Whether measuring pays: with fewer jobs than this, it does not.
  static size_t least_jobs(int most) { return 8 * static_cast<size_t>(most); }

  // How many workers may run now.
  int limit() const { return limit_; }

  // So many run from now on.
  void set_running(int workers, double unix_seconds);
  // A worker's event. `key`: of its job; `kind`: jobs with the same one take equally long for a step.
  void hear(const std::string& key, const std::string& kind, const Event& event);
  // A job has ended. If too many do without a measurement, all that fit are let run.
  void hear_end(const std::string& key);

  // Once, when the number is chosen: it and the reason, for the user.
  std::optional<std::string> take_decision() { return std::exchange(decision_, std::nullopt); }

 private:
  struct Sample {
    int64_t steps = 0;
    double seconds = 0;  // of all workers together
  };
  using Samples = std::map<std::string, Sample>;  // by kind

  bool is_enough(int workers, const Sample& sample) const;
  double speed(int workers, const std::string& kind) const;  // 0: too little was measured
  void advance();
  void decide();

  WorkerCountOptions options_;
  std::vector<int> counts_;  // to measure, ascending
  size_t stage_ = 0;         // index of the current one; all were measured: their number
  int limit_ = 0;
  int running_ = 0;
  double changed_at_ = 0;  // [unix seconds] when `running_` did
  int ended_ = 0;          // jobs in this stage
  std::map<int, Samples> samples_;
  std::map<std::string, std::pair<int64_t, double>> last_;  // step and time, by the job's key
  std::optional<std::string> decision_;
};

}  // namespace qbitopt
