#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "qbitopt/schedule/executors/batch.h"
#include "qbitopt/schedule/executors/batch_system.h"
#include "qbitopt/schedule/executors/calls.h"
#include "qbitopt/schedule/executors/executor.h"
#include "qbitopt/sweep/queue_settings.h"

namespace qbitopt {

// Attempts as jobs in a cluster's queue. They are collected for some seconds, packed, and submitted
// as few arrays; then the queue is asked about all of them with one command now and then.
//
// An attempt is over when its worker has left an exit status in its folder, or its spool says so;
// otherwise when its job is absent from two answers of the queue and stays so for a while. An answer
// that does not come, or cannot be read, says nothing.
//
// The batch is on record, with the unique name of its job, before it is submitted. After a
// submission without a clear answer, and when a new driver finds such a batch, the queue is asked
// for that name before anything is submitted again.
class QueueExecutor : public Executor {
 public:
  QueueExecutor(std::unique_ptr<BatchSystem> system, const ExecutorOptions& options);
  ~QueueExecutor() override;

  std::string description() const override;
  std::string obstacle() const override;
  double share(int threads) const override { return 0; }  // nobody knows what the queue lets run
  bool has_room(int threads) const override;
  bool is_busy() const override;
  bool outlives_driver() const override { return true; }
  bool may_be_left() const override;
  void submit(const Attempt& attempt, int threads) override;
  void reattach(const Attempt& attempt) override;
  void cancel(const std::string& key, StopLevel level) override;
  void hear_end(const std::string& key) override;
  std::string state_of(const std::string& key) const override;
  std::chrono::milliseconds spool_interval() const override;
  std::string preview(const std::vector<Job>& jobs) const override;
  std::vector<Outcome> poll(std::chrono::milliseconds patience) override;

 private:
  using Clock = std::chrono::steady_clock;
  using Seconds = std::chrono::duration<double>;

  using Rows = std::map<std::pair<std::string, int>, QueueStatus::Row>;

  // Jobs of one shape go into one array.
  struct Shape {
    int threads = 1;
    std::string gpus;
    auto operator<=>(const Shape&) const = default;
  };
  struct Collected {
    Attempt attempt;
    Shape shape;
    JobEstimate estimate;
  };
  // A job of the queue.
  struct Task {
    std::vector<std::string> open;  // keys of the attempts that are not over
    bool has_begun = false;         // one of its attempts
    QueueStatus::Row row;           // as last heard
    int absences = 0;               // answers in a row that do not have it
    Clock::time_point absent_since{};
    std::string explanation;  // how it ended, in the queue's words
    bool is_explanation_asked = false, is_explained = false;
    std::optional<StopLevel> wanted, sent;
  };
  struct Submission {
    QueueBatch batch;
    BatchNeeds needs;
    int threads = 1;
    std::vector<Task> tasks;     // as batch.tasks
    bool is_asked = false;       // the command that submits it runs, or is about to
    bool is_unclear = false;     // the queue may have it, though its id is not known
    bool is_refused = false;     // as far as that can be believed before the queue was asked
    int answers_without_it = 0;  // of the queue, since it became unclear
    int refusals = 0;
    Clock::time_point not_before{};  // when to try it again
    Clock::time_point unclear_since{};
    std::string words;  // of the last try

    bool is_submitted() const { return batch.state == QueueBatch::State::kSubmitted; }
    bool is_over() const;
  };
  struct Where {
    Submission* submission = nullptr;
    size_t task = 0;
    std::string folder;
  };

  Shape shape_of(const Job& job, int threads) const;
  std::vector<std::vector<Collected>> packed(std::vector<Collected> attempts) const;
  BatchNeeds needs_of(const Shape& shape, const std::vector<std::vector<Collected>>& tasks) const;
  void flush_collected();
  void make_submission(const Shape& shape, std::vector<std::vector<Collected>> tasks);
  void add_submission(QueueBatch batch, const BatchNeeds& needs, int threads);
  void ask_for_limits();
  void submit_next();
  void hear_submission(Submission& submission, const CallResult& answer, int queued);
  void accept(Submission& submission, const std::string& id);
  void split(Submission& submission);
  void refuse(Submission& submission);
  void stop_submitting(const std::string& reason);
  void drop_cancelled(Submission& submission);

  void ask_for_status();
  void hear_status(const CallResult& answer, const std::vector<std::string>& ids);
  void hear_of(Task& task, const Rows& rows, const std::pair<std::string, int>& place);
  void look_up(Submission& submission, const QueueStatus& status);

  void look_at_attempts();
  void look_for_start(Submission& submission);
  void look_at(Submission& submission, size_t task);
  void give_up(Submission& submission, size_t task);
  void end(const std::string& key, Outcome outcome);
  void end_all(Submission& submission, size_t task, const Loss& loss);
  static Outcome never_submitted(const std::string& key);

  void send_cancels();
  void hear_cancel(const CallResult& answer, bool is_kill);

  void tell_states();
  Submission* find(const std::string& name);
  int open_tasks() const;
  double packs_collected() const;
  bool is_stopping() const;

  std::unique_ptr<BatchSystem> system_;
  ExecutorOptions options_;
  QueueSettings settings_;
  Calls calls_;

  std::vector<Collected> collected_;
  Clock::time_point collecting_since_{};
  std::list<Submission> submissions_;
  std::map<std::string, Where> attempts_;  // of submissions_, by key
  std::vector<Attempt> strangers_;         // that no batch has, begun by an earlier driver
  std::vector<Outcome> outcomes_;

  BatchSystem::Limits limits_;
  int queued_limit_ = 0;
  bool are_limits_known_ = false, are_limits_asked_ = false;
  Clock::time_point next_limits_{};
  bool is_status_asked_ = false;
  bool has_status_ = false;  // the queue has answered
  Clock::time_point next_status_{};
  Seconds status_interval_;
  Clock::time_point next_cancel_{};
  Clock::time_point looked_{};
  bool has_submitted_ = false;
  std::string trouble_;  // why the queue's answers do not come
  std::string full_;     // why it takes no more jobs
  std::string fatal_;    // why nothing can be submitted
  std::string told_states_;

  // Batches of earlier drivers, once one of their attempts is asked for; folder of the attempt ->
  // batch and task.
  std::optional<std::vector<QueueBatch>> recorded_;
  std::map<std::string, std::pair<size_t, size_t>> recorded_places_;
};

}  // namespace qbitopt
