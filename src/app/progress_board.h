#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "qbitopt/schedule/scheduler.h"

namespace qbitopt::app {

// The progress of a run as text: the state of every running job, the number of finished jobs, and
// the estimated time left.
class ProgressBoard {
 public:
  using Clock = std::chrono::steady_clock;

  struct Options {
    // Executor::share().
    std::function<double(int threads)> share = [](int) { return 1.0; };
    // Executor::state_of().
    std::function<std::string(const std::string& key)> state_of = [](const std::string&) {
      return std::string();
    };
    // Seconds that earlier jobs of this kind took; nullopt if there were none. Called once for each
    // kind of job.
    std::function<std::optional<double>(const Job&)> expected_seconds = [](const Job&) {
      return std::optional<double>();
    };
  };

  ProgressBoard(const Plan& plan, const std::vector<JobRecord>& records, Options options);

  // The plan has grown.
  void add(const std::vector<PlannedJob>& jobs, const std::vector<JobRecord>& records);
  void started(const PlannedJob& job, Clock::time_point now);
  void progressed(const std::string& key, const Progress& progress);
  // nullopt: the job reports again.
  void silent(const std::string& key, const std::optional<Silence>& silence, Clock::time_point now);
  // `seconds`: duration of the job, if it finished.
  void ended(const PlannedJob& job, const AttemptEnd& end, bool will_retry,
             std::optional<double> seconds);
  void cancelled(const PlannedJob& job);  // before it was started
  void blocked(const PlannedJob& job);

  size_t total() const { return total_; }
  size_t done() const { return finished_ + failed_ + stopped_ + blocked_; }
  // Estimated time for all unfinished jobs. Nullopt until a job of each kind has finished, and if it is
  // not known how many jobs run at a time.
  std::optional<double> seconds_left(Clock::time_point now) const;

  // A line for each running job, one for each reason why jobs are queued, then a summary line; each
  // has at most `width` characters.
  std::vector<std::string> lines(Clock::time_point now, size_t width) const;

 private:
  // Jobs with about the same duration.
  struct Kind {
    size_t waiting = 0;  // not started
    double share = 1;
    std::optional<double> seconds;  // of one job
    int measured = 0;               // in this run
  };
  struct Running {
    std::string label;
    std::string kind;
    Clock::time_point since;
    Progress progress;
    std::optional<Silence> silence;
    Clock::time_point silent_since{};
  };
  static std::string kind_of(const Job& job);
  std::optional<double> seconds_of(const Kind& kind) const;
  static std::string line_of(const std::string& key, const Running& job, Clock::time_point now);
  std::string overall(size_t queued, Clock::time_point now) const;

  Options options_;
  size_t total_ = 0;
  size_t finished_ = 0;
  size_t finished_now_ = 0;
  size_t failed_ = 0;
  size_t stopped_ = 0;
  size_t blocked_ = 0;
  Clock::time_point begun_;
  std::map<std::string, Kind> kinds_;
  std::map<std::string, Running> running_;  // by key
};

}  // namespace qbitopt::app
