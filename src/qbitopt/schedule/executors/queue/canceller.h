#pragma once

#include <string>

#include "qbitopt/schedule/executors/queue/batch_system.h"
#include "qbitopt/schedule/executors/queue/calls.h"
#include "qbitopt/schedule/executors/queue/queued_attempts.h"
#include "qbitopt/schedule/executors/queue/status_poll.h"

namespace qbitopt {

// Stops attempts that were submitted: jobs that wait are canceled, those that run are asked for a
// checkpoint first, many with one command. A request that came to nothing is repeated.
class Canceller {
 public:
  // All references must outlive it.
  Canceller(const BatchSystem& system, Calls& calls, QueuedAttempts& queued, StatusPoll& poll,
            const QueueSettings& settings)
      : system_(system), calls_(calls), queued_(queued), poll_(poll), settings_(settings) {}

  // Does nothing if the queue is not to have the attempt at this job. The other attempts of its job
  // of the queue end, too.
  void cancel(const std::string& key, StopLevel level);
  // Gives the commands that are due.
  void advance();

 private:
  void hear(const CallResult& answer, bool is_kill);
  // The tasks of a submission that are to be told now; those that get a signal are in `gentle`.
  void add_due(Submission& submission, std::vector<QueuePlace>& gentle,
               std::vector<QueuePlace>& hard, bool& is_kill);

  const BatchSystem& system_;
  Calls& calls_;
  QueuedAttempts& queued_;
  StatusPoll& poll_;
  const QueueSettings& settings_;
  QueueClock::time_point next_{};
};

}  // namespace qbitopt
