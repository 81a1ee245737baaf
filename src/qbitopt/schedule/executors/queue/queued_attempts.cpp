#include "qbitopt/schedule/executors/queue/queued_attempts.h"

#include <algorithm>
#include <utility>

namespace qbitopt {

QueueClock::duration queue_duration(double seconds) {
  return std::chrono::duration_cast<QueueClock::duration>(std::chrono::duration<double>(seconds));
}

Loss never_submitted() { return {"", "it was not submitted"}; }

bool Submission::is_over() const {
  return !is_asked && std::all_of(tasks.begin(), tasks.end(),
                                  [](const QueueTask& task) { return task.open.empty(); });
}

Submission& QueuedAttempts::add(QueueBatch batch) {
  Submission& submission = submissions_.emplace_back();
  submission.batch = std::move(batch);
  submission.tasks.resize(submission.batch.tasks.size());
  return submission;
}

void QueuedAttempts::add_attempt(Submission& submission, size_t task,
                                 const QueueBatch::Entry& entry) {
  Place& place = attempts_[entry.key];
  if (place.submission != nullptr) take_out(entry.key, place.queue_task());
  place = {&submission, task, entry.folder};
  std::vector<std::string>& open = place.queue_task().open;
  open_tasks_ += open.empty();
  open.push_back(entry.key);
}

void QueuedAttempts::take_out(const std::string& key, QueueTask& task) {
  if (std::erase(task.open, key) > 0) open_tasks_ -= task.open.empty();
}

void QueuedAttempts::drop_finished() {
  submissions_.remove_if([](const Submission& submission) { return submission.is_over(); });
}

Submission* QueuedAttempts::find(const std::string& name) {
  for (Submission& submission : submissions_) {
    if (submission.batch.name == name) return &submission;
  }
  return nullptr;
}

const QueuedAttempts::Place* QueuedAttempts::place(const std::string& key) const {
  const auto found = attempts_.find(key);
  return found == attempts_.end() ? nullptr : &found->second;
}

bool QueuedAttempts::is_stopping() const {
  return std::any_of(submissions_.begin(), submissions_.end(), [](const Submission& submission) {
    return std::any_of(submission.tasks.begin(), submission.tasks.end(),
                       [](const QueueTask& task) { return task.wanted && !task.open.empty(); });
  });
}

void QueuedAttempts::end(const std::string& key, Outcome outcome) {
  const auto found = attempts_.find(key);
  if (found == attempts_.end()) return;
  take_out(key, found->second.queue_task());
  attempts_.erase(found);
  outcomes_.push_back(std::move(outcome));
}

void QueuedAttempts::end_all(Submission& submission, size_t task, const Loss& loss) {
  for (const std::string& key : std::vector(submission.tasks[task].open)) {
    Outcome outcome{key};
    outcome.loss = loss;
    end(key, std::move(outcome));
  }
}

void QueuedAttempts::end_unsubmitted(const std::string& key) {
  Outcome outcome{key};
  outcome.loss = never_submitted();
  outcomes_.push_back(std::move(outcome));
}

}  // namespace qbitopt
