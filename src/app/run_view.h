#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "app/console.h"
#include "app/progress_board.h"
#include "qbitopt/schedule/scheduler.h"

namespace qbitopt::app {

// Shows a run on stderr: on a terminal as a block of lines that is updated, else as one line for
// every change of state. A failure is shown at once, with the path of its log.
class RunView : public RunObserver {
 public:
  // `tick` is called as often as the scheduler does, `failed` when a job has failed for good.
  using Failed = std::function<void(const PlannedJob&, const Attempt&, const AttemptEnd&)>;
  RunView(Console& console, ProgressBoard board, std::function<void()> tick, Failed failed);
  ~RunView() override;

  void on_planned(const std::vector<PlannedJob>& jobs,
                  const std::vector<JobRecord>& records) override;
  void on_started(const PlannedJob& job, const Attempt& attempt) override;
  void on_attached(const PlannedJob& job, const Attempt& attempt) override;
  void on_events(const Attempt& attempt, const std::vector<Event>& events) override;
  void on_ended(const PlannedJob& job, const Attempt& attempt, const AttemptEnd& end,
                bool will_retry) override;
  void on_cancelled(const PlannedJob& job) override;
  void on_blocked(const PlannedJob& job) override;
  void on_silence(const PlannedJob& job, const std::optional<Silence>& silence) override;
  void on_wait(const std::string& wait) override;
  // Attempts that are begun wait in a cluster's queue.
  void set_queued() { begins_ = "submitted"; }
  void on_decision(const std::string& text) override { say(text); }
  void on_tick() override;

  // A line above the block.
  void say(const std::string& line);

 private:
  void error(const std::string& line);
  void tell(const std::string& key, const Note& note);
  void draw();
  void erase();

  Console& console_;
  ProgressBoard board_;
  std::function<void()> tick_;
  Failed failed_;
  std::map<std::string, Finished> finished_;  // by key, until on_ended
  std::set<std::string> warned_;              // texts
  const char* begins_ = "started";
  size_t drawn_lines_ = 0;
  ProgressBoard::Clock::time_point drawn_{};
};

}  // namespace qbitopt::app
