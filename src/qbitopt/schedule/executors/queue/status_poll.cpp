#include "qbitopt/schedule/executors/queue/status_poll.h"

#include <algorithm>
#include <set>

namespace qbitopt {
namespace {

constexpr double kLongestBackOff = 10;  // times the usual interval
constexpr double kFreshAnswers = 2;     // intervals

}  // namespace

StatusPoll::StatusPoll(const BatchSystem& system, const QueueSettings& settings, Calls& calls,
                       QueuedAttempts& queued, std::function<void(const QueueStatus&)> then)
    : system_(system),
      settings_(settings),
      calls_(calls),
      queued_(queued),
      then_(std::move(then)),
      interval_(settings.poll_seconds) {}

void StatusPoll::ask_within(double seconds) {
  next_ = std::min(next_,
                   QueueClock::now() + queue_duration(std::min(seconds, settings_.poll_seconds)));
}

bool StatusPoll::is_fresh() const {
  return QueueClock::now() - heard_ < queue_duration(kFreshAnswers * interval_);
}

void StatusPoll::advance() {
  if (is_asked_ || QueueClock::now() < next_) return;
  std::set<std::string> ids;
  bool is_wanted = false;
  for (const Submission& submission : queued_.submissions()) {
    if (submission.is_over()) continue;
    if (submission.is_submitted()) ids.insert(submission.batch.id);
    is_wanted |= submission.is_submitted() || (submission.is_unclear && system_.tells_names());
  }
  if (!is_wanted) return;
  is_asked_ = true;
  const std::vector<std::string> list(ids.begin(), ids.end());
  calls_.add(system_.status(list), [this, list](const CallResult& answer) { hear(answer, list); });
}

void StatusPoll::hear(const CallResult& answer, const std::vector<std::string>& ids) {
  is_asked_ = false;
  const double usual = settings_.poll_seconds, longest = kLongestBackOff * usual;
  const auto status = system_.status(answer, ids);
  if (!status) {
    trouble_ = answer.words("its command");
    interval_ = std::min(longest, 2 * interval_);
    next_ = QueueClock::now() + queue_duration(interval_);
    return;
  }
  trouble_.clear();
  heard_ = QueueClock::now();
  has_answered_ = true;
  // A controller that takes long to answer is asked less often.
  interval_ = std::clamp(10 * answer.seconds, usual, longest);
  next_ = QueueClock::now() +
          queue_duration(queued_.is_stopping() ? std::min(kSoonSeconds, usual) : interval_);
  const std::set<std::string> asked(ids.begin(), ids.end());
  const std::set<std::string> unknown(status->unknown.begin(), status->unknown.end());
  for (Submission& submission : queued_.submissions()) {
    const std::string& id = submission.batch.id;
    if (!submission.is_submitted() || !asked.count(id) || unknown.count(id)) continue;
    for (size_t task = 0; task < submission.tasks.size(); ++task) note(submission, task, *status);
  }
  then_(*status);
}

void StatusPoll::note(Submission& submission, size_t number, const QueueStatus& status) {
  QueueTask& task = submission.tasks[number];
  auto row = status.rows.find({submission.batch.id, static_cast<int>(number)});
  if (row != status.rows.end() && system_.tells_names() &&
      row->second.name != submission.batch.name)
    row = status.rows.end();  // of another job, by an id that the queue gave twice
  if (row != status.rows.end() && !row->second.is_over) {
    task.row = row->second;
    task.absences = 0;
    if (task.row.is_pending) task.sent.reset();  // a request that came to nothing
    return;
  }
  if (row != status.rows.end()) task.explanation = row->second.state;
  if (task.absences++ == 0) task.absent_since = QueueClock::now();
  task.row.is_pending = false;
}

}  // namespace qbitopt
