#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "qbitopt/schedule/executors/executor.h"
#include "qbitopt/schedule/executors/queue/attempt_ends.h"
#include "qbitopt/schedule/executors/queue/batch.h"
#include "qbitopt/schedule/executors/queue/batch_system.h"
#include "qbitopt/schedule/executors/queue/calls.h"
#include "qbitopt/schedule/executors/queue/canceller.h"
#include "qbitopt/schedule/executors/queue/queued_attempts.h"
#include "qbitopt/schedule/executors/queue/status_poll.h"
#include "qbitopt/schedule/executors/queue/submitter.h"
#include "qbitopt/sweep/queue_settings.h"

namespace qbitopt {

// Attempts as jobs in a cluster's queue. The parts, in queue/: a Submitter brings attempts into the
// queue, a StatusPoll asks about all of them with one command now and then, AttemptEnds decides which
// are over, a Canceller stops them. They share the QueuedAttempts.
//
// Nothing ends with the driver: a new one finds the batches on record, asks the queue for the name of
// those without an id, and goes on.
class QueueExecutor : public Executor {
 public:
  QueueExecutor(std::unique_ptr<BatchSystem> system, const ExecutorOptions& options);

  std::string description() const override;
  std::string obstacle() const override;
  std::vector<std::string> take_notes() override { return submitter_.take_notes(); }
  double share(int threads) const override { return 0; }  // nobody knows what the queue lets run
  bool has_room(int threads) const override { return submitter_.room() > 0; }
  size_t room_for_batch() const override { return std::max<size_t>(1, submitter_.room()); }
  bool is_busy() const override;
  bool outlives_driver() const override { return true; }
  bool may_be_left() const override;
  void submit(const Attempt& attempt, int threads) override;
  void reattach(const Attempt& attempt) override;
  void cancel(const std::string& key, StopLevel level) override;
  void hear_end(const std::string& key) override { ends_.hear_end(key); }
  std::string state_of(const std::string& key) const override;
  bool is_waiting(const std::string& key) const override;
  std::vector<QueueId> take_queue_ids() override { return queued_.take_ids(); }
  std::chrono::milliseconds spool_interval() const override;
  std::string preview(const std::vector<Job>& jobs) const override;
  std::vector<Outcome> poll(std::chrono::milliseconds patience) override;

 private:
  void read_recorded();
  void hear_status(const QueueStatus& status);
  void look_at_attempts();
  void tell_states();

  std::unique_ptr<BatchSystem> system_;
  ExecutorOptions options_;
  QueueSettings settings_;
  Calls calls_;
  QueuedAttempts queued_;
  StatusPoll status_;
  Submitter submitter_;
  AttemptEnds ends_;
  Canceller canceller_;

  std::vector<Attempt> strangers_;  // that no batch has, begun by an earlier driver
  QueueClock::time_point looked_{};
  std::string told_states_;

  // Batches of earlier drivers, once one of their attempts is asked for; folder of the attempt ->
  // batch and task.
  std::optional<std::vector<QueueBatch>> recorded_;
  std::map<std::string, std::pair<size_t, size_t>> recorded_places_;
};

}  // namespace qbitopt
