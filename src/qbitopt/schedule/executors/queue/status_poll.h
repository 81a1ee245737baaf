#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "qbitopt/schedule/executors/queue/batch_system.h"
#include "qbitopt/schedule/executors/queue/calls.h"
#include "qbitopt/schedule/executors/queue/queued_attempts.h"

namespace qbitopt {

// Asks the queue about all jobs with one command now and then, and notes what it says in their
// tasks. A queue that is slow or away is asked less often; an answer that does not come, or cannot be
// read, changes nothing.
class StatusPoll {
 public:
  // `then` is called after each answer. All references must outlive the poll.
  StatusPoll(const BatchSystem& system, const QueueSettings& settings, Calls& calls,
             QueuedAttempts& queued, std::function<void(const QueueStatus&)> then);

  // Asks if it is time to, and something is or may be in the queue.
  void advance();
  // Asks no later than in so many seconds, or after the usual interval if that is shorter.
  void ask_within(double seconds);

  // True if the queue has answered once.
  bool has_answered() const { return has_answered_; }
  // True if its last answer is about as new as it can be.
  bool is_fresh() const;
  // Why its answers do not come; empty: they do.
  const std::string& trouble() const { return trouble_; }

 private:
  void hear(const CallResult& answer, const std::vector<std::string>& ids);
  void note(Submission& submission, size_t number, const QueueStatus& status);

  const BatchSystem& system_;
  const QueueSettings& settings_;
  Calls& calls_;
  QueuedAttempts& queued_;
  std::function<void(const QueueStatus&)> then_;
  bool is_asked_ = false, has_answered_ = false;
  QueueClock::time_point next_{}, heard_{};
  double interval_;  // seconds
  std::string trouble_;
};

}  // namespace qbitopt
