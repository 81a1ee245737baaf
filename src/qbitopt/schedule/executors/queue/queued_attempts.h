#pragma once

#include <chrono>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "qbitopt/schedule/executors/executor.h"
#include "qbitopt/schedule/executors/queue/batch.h"
#include "qbitopt/schedule/executors/queue/batch_system.h"

namespace qbitopt {

using QueueClock = std::chrono::steady_clock;

// Seconds as a duration of QueueClock.
QueueClock::duration queue_duration(double seconds);

// Answers of the queue in a row without a job, until the job counts as absent.
constexpr int kAnswersUntilAbsent = 2;
// Seconds between answers while something is expected to happen in the queue.
constexpr double kSoonSeconds = 1;

// A job of the queue: one of a submission.
struct QueueTask {
  std::vector<std::string> open;  // keys of the attempts that are not over
  bool has_begun = false;         // one of its attempts
  QueueStatus::Row row;           // as last heard
  int absences = 0;               // answers in a row that do not have it
  QueueClock::time_point absent_since{};
  std::string explanation;  // how it ended, in the queue's words
  bool is_explanation_asked = false, is_explained = false;
  std::optional<StopLevel> wanted, sent;  // what its attempts were asked, and the queue was told
};

// A batch on its way through the queue.
struct Submission {
  QueueBatch batch;
  BatchNeeds needs;
  int threads = 1;
  std::vector<QueueTask> tasks;  // as batch.tasks
  bool is_asked = false;         // the command that submits it runs, or is about to
  bool is_unclear = false;       // the queue may have it, though its id is not known
  bool is_refused = false;       // as far as that can be believed before the queue was asked
  int answers_without_it = 0;    // of the queue, since it became unclear
  int refusals = 0;
  QueueClock::time_point not_before{};  // when to try it again
  QueueClock::time_point unclear_since{};
  std::string words;  // of the last try

  bool is_submitted() const { return batch.state == QueueBatch::State::kSubmitted; }
  QueuePlace place(size_t task) const { return {batch.id, batch.name, static_cast<int>(task)}; }
  // True if none of its attempts is open.
  bool is_over() const;
};

// The attempts that are to be in a queue, or are in it: each belongs to a task of a submission until
// it ends, and leaves its outcome here. Submissions keep their addresses until drop_finished().
class QueuedAttempts {
 public:
  struct Place {
    Submission* submission = nullptr;
    size_t task = 0;
    std::string folder;  // of the attempt

    QueueTask& queue_task() const { return submission->tasks[task]; }
  };

  // Adds a submission without attempts.
  Submission& add(QueueBatch batch);
  // An attempt that another submission has moves.
  void add_attempt(Submission& submission, size_t task, const QueueBatch::Entry& entry);
  // Removes submissions whose attempts are all over.
  void drop_finished();

  std::list<Submission>& submissions() { return submissions_; }
  const std::list<Submission>& submissions() const { return submissions_; }
  // By the name of its batch; null if there is none.
  Submission* find(const std::string& name);
  // By the key of the attempt's job.
  const std::map<std::string, Place>& attempts() const { return attempts_; }
  const Place* place(const std::string& key) const;
  // Number of tasks with open attempts.
  int open_tasks() const { return open_tasks_; }
  // True if a task is asked to stop and has not.
  bool is_stopping() const;

  // Ends an attempt. Does nothing if it is over already.
  void end(const std::string& key, Outcome outcome);
  // Ends those of a task that are open.
  void end_all(Submission& submission, size_t task, const Loss& loss);
  // Ends an attempt that no submission has.
  void end_unsubmitted(const std::string& key);

  // The queue has the attempt at this job, by this id.
  void note_id(const std::string& key, const std::string& id) { ids_.push_back({key, id}); }
  std::vector<QueueId> take_ids() { return std::exchange(ids_, {}); }

  bool has_outcomes() const { return !outcomes_.empty(); }
  std::vector<Outcome> take_outcomes() { return std::exchange(outcomes_, {}); }

 private:
  void take_out(const std::string& key, QueueTask& task);

  std::list<Submission> submissions_;
  int open_tasks_ = 0;
  std::map<std::string, Place> attempts_;
  std::vector<Outcome> outcomes_;
  std::vector<QueueId> ids_;  // that nobody has taken yet
};

// The loss of an attempt that the queue never had.
Loss never_submitted();

}  // namespace qbitopt
