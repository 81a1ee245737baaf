#pragma once

#include <string>
#include <utility>

#include "qbitopt/schedule/executors/queue/batch_system.h"
#include "qbitopt/schedule/executors/queue/calls.h"
#include "qbitopt/schedule/executors/queue/queued_attempts.h"

namespace qbitopt {

// Finds out which attempts of the queue have ended, and how. An attempt is over when its worker has
// left an exit status in its folder; otherwise when its job is absent from two answers of the queue
// and stays so for a while.
class AttemptEnds {
 public:
  // All references must outlive it.
  AttemptEnds(const BatchSystem& system, const QueueSettings& settings, Calls& calls,
              QueuedAttempts& queued)
      : system_(system), settings_(settings), calls_(calls), queued_(queued) {}

  // Looks at the folders of all attempts that may run.
  void look();
  // True once after the queue has explained how a job ended: look() has something to do.
  bool has_heard() { return std::exchange(has_heard_, false); }
  // The attempt's spool has its last event.
  void hear_end(const std::string& key);

 private:
  void look_at(Submission& submission, size_t task);
  void give_up(Submission& submission, size_t task);
  bool waits_for_explanation(Submission& submission, size_t task);

  const BatchSystem& system_;
  const QueueSettings& settings_;
  Calls& calls_;
  QueuedAttempts& queued_;
  bool has_heard_ = false;
};

}  // namespace qbitopt
