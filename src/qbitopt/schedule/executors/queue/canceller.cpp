#include "qbitopt/schedule/executors/queue/canceller.h"

#include <algorithm>
#include <vector>

namespace qbitopt {
namespace {

constexpr size_t kMostCancelled = 500;  // jobs of one command

}  // namespace

void Canceller::cancel(const std::string& key, StopLevel level) {
  const QueuedAttempts::Place* place = queued_.place(key);
  if (place == nullptr) return;
  const Submission& submission = *place->submission;
  QueueTask& task = place->queue_task();
  if (!task.wanted || *task.wanted < level) task.wanted = level;
  if (submission.is_submitted()) return;
  const bool is_never = !submission.is_asked && !submission.is_unclear;
  if (!is_never && level != StopLevel::kKill) return;
  Outcome outcome{key};
  outcome.loss = never_submitted();
  queued_.end(key, std::move(outcome));
}

void Canceller::advance() {
  if (QueueClock::now() < next_) return;
  std::vector<QueuePlace> gentle, hard;
  bool is_kill = false;
  for (Submission& submission : queued_.submissions()) {
    if (submission.is_submitted()) add_due(submission, gentle, hard, is_kill);
  }
  for (const auto* places : {&gentle, &hard}) {
    for (size_t begin = 0; begin < places->size(); begin += kMostCancelled) {
      const size_t end = std::min(begin + kMostCancelled, places->size());
      const std::vector<QueuePlace> part(places->begin() + begin, places->begin() + end);
      calls_.add(system_.cancel(part, places == &gentle),
                 [this, is_kill](const CallResult& answer) { hear(answer, is_kill); });
    }
  }
}

void Canceller::add_due(Submission& submission, std::vector<QueuePlace>& gentle,
                        std::vector<QueuePlace>& hard, bool& is_kill) {
  std::vector<QueuePlace> now;
  for (size_t i = 0; i < submission.tasks.size(); ++i) {
    QueueTask& task = submission.tasks[i];
    if (task.open.empty() || !task.wanted || (task.sent && *task.sent >= *task.wanted)) continue;
    const bool is_gentle = *task.wanted == StopLevel::kCheckpoint;
    if (is_gentle && task.row.state.empty()) {  // whether it runs is not known yet
      poll_.ask_within(0);
      continue;
    }
    task.sent = task.wanted;
    is_kill |= *task.wanted == StopLevel::kKill;
    const QueuePlace place = submission.place(i);
    (is_gentle && !task.row.is_pending ? gentle : now).push_back(place);
  }
  if (!now.empty() && now.size() == submission.tasks.size())
    now = {{now[0].id, now[0].name, 0, true}};
  hard.insert(hard.end(), now.begin(), now.end());
}

void Canceller::hear(const CallResult& answer, bool is_kill) {
  poll_.ask_within(kSoonSeconds);
  next_ = QueueClock::now() + queue_duration(std::min(kSoonSeconds, settings_.poll_seconds));
  for (Submission& submission : queued_.submissions()) {
    for (size_t i = 0; i < submission.tasks.size(); ++i) {
      QueueTask& task = submission.tasks[i];
      if (!task.sent) continue;
      if (is_kill && *task.sent == StopLevel::kKill) {
        queued_.end_all(submission, i, {"", "it was killed"});
      } else if (!answer.is_good()) {
        task.sent.reset();  // once more; those that are gone by then do no harm
      }
    }
  }
}

}  // namespace qbitopt
