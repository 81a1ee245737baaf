#pragma once

#include <string>
#include <utility>
#include <vector>

#include "qbitopt/schedule/executors/queue/batch_system.h"
#include "qbitopt/schedule/executors/queue/calls.h"
#include "qbitopt/schedule/executors/queue/packing.h"
#include "qbitopt/schedule/executors/queue/queued_attempts.h"
#include "qbitopt/schedule/executors/queue/status_poll.h"

namespace qbitopt {

// Collects attempts for some seconds, packs them, and submits them as few arrays, one after another,
// within the limits of the queue.
//
// A batch is on record, with the unique name of its job, before it is submitted. After a submission
// without a clear answer the queue is asked for that name before anything is submitted again.
class Submitter {
 public:
  // All references must outlive it.
  Submitter(const BatchSystem& system, const ExecutorOptions& options,
            const QueueSettings& settings, Calls& calls, QueuedAttempts& queued, StatusPoll& poll);

  void collect(const Attempt& attempt, int threads);
  bool has_collected(const std::string& key) const;
  bool has_collected_any() const { return !collected_.empty(); }
  // Takes back an attempt that was collected and is in no batch yet. False if there is none.
  bool take_back(const std::string& key);
  // How many more attempts there is room for, if each has a job of the queue for itself.
  size_t room() const;

  // Asks for the queue's limits, makes batches of what was collected, submits the next one.
  void advance();
  // What the queue says about submissions that may be in it.
  void hear_status(const QueueStatus& status);
  // Where the queue cannot be asked for a name, a job that begins tells its id: looks for that.
  void look_for_starts();

  // False if a submission is yet to be tried, or its outcome to be heard.
  bool is_settled() const;
  const std::string& trouble() const { return trouble_; }  // why the limits are not known; or empty
  const std::string& full() const { return full_; }        // why the queue takes no more; or empty
  const std::string& fatal() const { return fatal_; }      // why nothing can be submitted; or empty

  // What the user should know about the limits of the queue, once.
  std::vector<std::string> take_notes() { return std::exchange(notes_, {}); }

  // The command and the script for these jobs, for a person.
  std::string preview(const std::vector<Job>& jobs) const;

 private:
  CollectedAttempt collected(const Attempt& attempt, int threads) const;
  void ask_for_limits();
  void hear_limits(const BatchSystem::Limits& limits);
  void count_packs();
  void flush_collected();
  void add_batch(QueueBatch batch, const BatchNeeds& needs, int threads);
  void submit_next();
  void hear_submission(Submission& submission, const CallResult& answer, int queued);
  void accept(Submission& submission, const std::string& id);
  void split(Submission& submission);
  void refuse(Submission& submission);
  void stop(const std::string& reason);
  void drop_cancelled(Submission& submission);
  void look_for_start(Submission& submission);

  const BatchSystem& system_;
  const ExecutorOptions& options_;
  QueueSettings settings_;
  Calls& calls_;
  QueuedAttempts& queued_;
  StatusPoll& poll_;

  std::vector<CollectedAttempt> collected_;
  double collected_packs_ = 0;  // jobs of the queue that they will be, about
  QueueClock::time_point collecting_since_{};
  BatchSystem::Limits limits_;
  int queued_limit_ = 0;  // jobs that the queue takes, as far as it is known
  bool are_limits_known_ = false, are_limits_asked_ = false;
  QueueClock::time_point next_limits_{};
  bool has_submitted_ = false;
  std::string trouble_, full_, fatal_;
  std::vector<std::string> notes_;  // that nobody has taken yet
};

// The shell command that starts the worker, by settings.launch.
std::string worker_command(const QueueSettings& settings, const std::filesystem::path& worker);

}  // namespace qbitopt
