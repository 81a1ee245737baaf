#include "qbitopt/schedule/executors/queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <thread>

#include "qbitopt/core/error.h"
#include "qbitopt/core/file_lock.h"
#include "qbitopt/core/output_file.h"
#include "qbitopt/schedule/executors/queue/files.h"

namespace qbitopt {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

QueueExecutor::QueueExecutor(std::unique_ptr<BatchSystem> system, const ExecutorOptions& options)
    : system_(std::move(system)),
      options_(options),
      settings_(queue_settings(options.settings)),
      calls_(std::chrono::duration<double>(settings_.patience_seconds)),
      status_(*system_, settings_, calls_, queued_,
              [this](const QueueStatus& status) { hear_status(status); }),
      submitter_(*system_, options_, settings_, calls_, queued_, status_),
      ends_(*system_, settings_, calls_, queued_),
      canceller_(*system_, calls_, queued_, status_, settings_) {
  if (settings_.launch == "{worker}" && !is_there(options_.worker)) {
    throw InputError("no worker program at " + options_.worker.string() +
                     "; build the target qbitopt_worker, or name another one in QBITOPT_WORKER");
  }
}

std::string QueueExecutor::description() const {
  return fmt::format("worker {}; jobs of {}", worker_command(settings_, options_.worker),
                     system_->name());
}

std::string QueueExecutor::obstacle() const {
  const std::string& trouble = status_.trouble().empty() ? submitter_.trouble() : status_.trouble();
  if (!trouble.empty())
    return fmt::format("{} does not answer ({}); it is asked again, and its jobs go on meanwhile",
                       system_->name(), trouble);
  if (!submitter_.full().empty())
    return fmt::format("{} takes no more jobs now ({}); the others follow", system_->name(),
                       submitter_.full());
  return "";
}

bool QueueExecutor::is_busy() const {
  return submitter_.has_collected_any() || !queued_.attempts().empty() || !strangers_.empty();
}

bool QueueExecutor::may_be_left() const {
  if (queued_.has_outcomes() || !strangers_.empty() || !submitter_.is_settled()) return false;
  return queued_.attempts().empty() || status_.has_answered();
}

milliseconds QueueExecutor::spool_interval() const {
  const double seconds = std::clamp(settings_.poll_seconds / 6, 0.05, 5.0);
  return milliseconds(static_cast<int64_t>(seconds * 1000));
}

void QueueExecutor::submit(const Attempt& attempt, int threads) {
  submitter_.collect(attempt, threads);
}

void QueueExecutor::cancel(const std::string& key, StopLevel level) {
  if (submitter_.take_back(key)) return queued_.end_unsubmitted(key);
  canceller_.cancel(key, level);
}

// ---- Attempts of earlier drivers

void QueueExecutor::read_recorded() {
  recorded_ = recorded_batches(options_.runs_folder);
  for (size_t i = 0; i < recorded_->size(); ++i) {
    const QueueBatch& batch = (*recorded_)[i];
    // An attempt of a batch that was refused may be in a later one.
    if (batch.state == QueueBatch::State::kRefused) continue;
    for (size_t task = 0; task < batch.tasks.size(); ++task) {
      for (const QueueBatch::Entry& entry : batch.tasks[task])
        recorded_places_[entry.folder] = {i, task};
    }
  }
}

void QueueExecutor::reattach(const Attempt& attempt) {
  if (!recorded_) read_recorded();
  const auto found = recorded_places_.find(attempt.folder);
  if (found == recorded_places_.end()) {
    strangers_.push_back(attempt);
    return;
  }
  const auto& [index, task] = found->second;
  const QueueBatch& batch = (*recorded_)[index];
  Submission* submission = queued_.find(batch.name);
  if (submission == nullptr) {
    submission = &queued_.add(batch);
    submission->is_unclear = !submission->is_submitted();
    submission->unclear_since = QueueClock::now();
  }
  queued_.add_attempt(*submission, task, {attempt.job.key, attempt.folder});
  if (submission->is_submitted())
    queued_.note_id(attempt.job.key, system_->id_of(submission->place(task)));
}

// ---- Turning

void QueueExecutor::hear_status(const QueueStatus& status) {
  submitter_.hear_status(status);
  looked_ = {};
  tell_states();
}

void QueueExecutor::look_at_attempts() {
  const auto now = QueueClock::now();
  if (!ends_.has_heard() && now - looked_ < spool_interval()) return;
  looked_ = now;
  std::erase_if(strangers_, [&](const Attempt& attempt) {
    if (FileLock::is_held(fs::path(attempt.folder) / "lock")) return false;
    queued_.end_unsubmitted(attempt.job.key);
    return true;
  });
  submitter_.look_for_starts();
  ends_.look();
  queued_.drop_finished();
}

std::vector<Outcome> QueueExecutor::poll(milliseconds patience) {
  const auto deadline = QueueClock::now() + patience;
  while (true) {
    if (!submitter_.fatal().empty() && !queued_.has_outcomes())
      throw InputError(submitter_.fatal());
    calls_.advance();
    submitter_.advance();
    canceller_.advance();
    status_.advance();
    look_at_attempts();
    const auto left = deadline - QueueClock::now();
    if (queued_.has_outcomes() || left <= QueueClock::duration::zero())
      return queued_.take_outcomes();
    std::this_thread::sleep_for(std::min<QueueClock::duration>(left, milliseconds(10)));
  }
}

// ---- Showing

std::string QueueExecutor::state_of(const std::string& key) const {
  const QueuedAttempts::Place* place = queued_.place(key);
  if (place == nullptr) return submitter_.has_collected(key) ? "to be submitted" : "";
  const QueueTask& task = place->queue_task();
  if (!place->submission->is_submitted())
    return submitter_.full().empty() ? "to be submitted" : "to be submitted: the queue is full";
  if (task.absences > 0) return "gone from the queue";
  if (!task.row.is_pending) return task.row.state.empty() ? "submitted" : "";
  return task.row.reason.empty() ? "queued" : "queued: " + task.row.reason;
}

bool QueueExecutor::is_waiting(const std::string& key) const {
  const QueuedAttempts::Place* place = queued_.place(key);
  if (place == nullptr) return submitter_.has_collected_any() && submitter_.has_collected(key);
  return place->queue_task().row.is_pending && status_.is_fresh();
}

void QueueExecutor::tell_states() {
  Json states = Json::object();
  for (const auto& [key, place] : queued_.attempts()) {
    if (const std::string state = state_of(key); !state.empty()) states[key] = state;
  }
  const std::string text = states.dump() + "\n";
  if (std::exchange(told_states_, text) == text) return;
  try {
    OutputFile file(options_.runs_folder / "queue.json");
    file.write(text);
    file.commit();
  } catch (const std::system_error&) {  // only shown, and written again
  }
}

std::string QueueExecutor::preview(const std::vector<Job>& jobs) const {
  return submitter_.preview(jobs);
}

}  // namespace qbitopt
