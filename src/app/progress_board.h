#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "qbitopt/schedule/scheduler.h"

namespace qbitopt::app {

// How a run stands, for the eye: what every running job does, how many are done, how long the rest
// will take.
class ProgressBoard {
 public:
  using Clock = std::chrono::steady_clock;

  struct Options {
    // Executor::share().
    std::function<double(int threads)> share = [](int) { return 1.0; };
    // Seconds that jobs like this one took before; nothing if there were none. Asked once for each
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
  // nullopt: it is heard of again.
  void silent(const std::string& key, const std::optional<Silence>& silence, Clock::time_point now);
  // `seconds`: how long the job computed, if it finished.
  void ended(const PlannedJob& job, const AttemptEnd& end, bool will_retry,
             std::optional<double> seconds);
  void blocked(const PlannedJob& job);

  size_t total() const { return total_; }
  size_t done() const { return finished_ + failed_ + blocked_; }
  // Of everything that is not done. Nothing before the first job of some kind has finished.
  std::optional<double> seconds_left(Clock::time_point now) const;

  // A line for each running job, then one for all; none longer than `width` characters.
  std::vector<std::string> lines(Clock::time_point now, size_t width) const;

 private:
  // Jobs that take about as long as each other.
  struct Kind {
    size_t waiting = 0;  // neither begun nor done
    double share = 1;
    std::optional<double> seconds;  // of one
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
  std::string overall(Clock::time_point now) const;

  Options options_;
  size_t total_ = 0;
  size_t finished_ = 0;
  size_t finished_now_ = 0;
  size_t failed_ = 0;
  size_t blocked_ = 0;
  Clock::time_point begun_;
  std::map<std::string, Kind> kinds_;
  std::map<std::string, Running> running_;  // by key
};

}  // namespace qbitopt::app
