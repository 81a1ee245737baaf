#include "qbitopt/schedule/executors/queue/submitter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <utility>

#include "qbitopt/core/hash.h"
#include "qbitopt/schedule/executors/queue/batch_script.h"
#include "qbitopt/schedule/executors/queue/files.h"
#include "qbitopt/schedule/job_queue.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostCollected = 1000;    // attempts; more than that are submitted without delay
constexpr int kMostRefusals = 3;           // in a row, once something was accepted
constexpr double kArraysPerAnswer = 5;     // at most so many are submitted between two answers
constexpr double kAskAfterSubmitting = 5;  // seconds
constexpr int64_t kMinute = 60;            // seconds
constexpr int64_t kShortMinutes = 10;      // a limit that the user is told of
constexpr double kPackedShare = 0.5;       // of the longest time, that runs in one job may take
constexpr int kNoSuchProgram = 127;        // exit status of a shell

std::string minutes_text(double seconds) {
  const auto minutes = static_cast<int64_t>(std::ceil(seconds / kMinute));
  return minutes == 1 ? "1 minute" : fmt::format("{} minutes", minutes);
}

}  // namespace

std::string worker_command(const QueueSettings& settings, const fs::path& worker) {
  std::string command = settings.launch;
  const std::string place = "{worker}", quoted = shell_quoted(worker.string());
  for (size_t at = 0; (at = command.find(place, at)) != std::string::npos; at += quoted.size())
    command.replace(at, place.size(), quoted);
  return command;
}

Submitter::Submitter(const BatchSystem& system, const ExecutorOptions& options,
                     const QueueSettings& settings, Calls& calls, QueuedAttempts& queued,
                     StatusPoll& poll)
    : system_(system),
      options_(options),
      settings_(settings),
      calls_(calls),
      queued_(queued),
      poll_(poll) {
  are_limits_known_ = system_.limits_command().empty();
  if (are_limits_known_) limits_ = system_.limits({});
  queued_limit_ = limits_.queued;
}

// ---- What waits to be submitted

CollectedAttempt Submitter::collected(const Attempt& attempt, int threads) const {
  return {attempt.job.key, attempt.folder, queue_shape(attempt.job, threads, settings_),
          options_.estimate ? options_.estimate(attempt.job) : JobEstimate{}};
}

void Submitter::collect(const Attempt& attempt, int threads) {
  if (collected_.empty()) collecting_since_ = QueueClock::now();
  collected_.push_back(collected(attempt, threads));
  collected_packs_ += pack_share(collected_.back(), settings_);
}

void Submitter::count_packs() {
  collected_packs_ = 0;
  for (const CollectedAttempt& each : collected_) collected_packs_ += pack_share(each, settings_);
}

bool Submitter::has_collected(const std::string& key) const {
  return std::any_of(collected_.begin(), collected_.end(),
                     [&](const CollectedAttempt& each) { return each.key == key; });
}

bool Submitter::take_back(const std::string& key) {
  const bool is_there =
      std::erase_if(collected_, [&](const CollectedAttempt& each) { return each.key == key; }) > 0;
  count_packs();
  return is_there;
}

size_t Submitter::room() const {
  if (!fatal_.empty() || collected_.size() >= kMostCollected) return 0;
  int limit = settings_.max_queued > 0 ? settings_.max_queued : queued_limit_;
  if (options_.jobs > 0) limit = std::min(limit, options_.jobs);
  const int taken = queued_.open_tasks() + static_cast<int>(collected_packs_);
  return std::min(static_cast<size_t>(std::max(0, limit - taken)),
                  kMostCollected - collected_.size());
}

bool Submitter::is_settled() const {
  if (!collected_.empty() || !fatal_.empty()) return false;
  const auto now = QueueClock::now();
  return std::all_of(queued_.submissions().begin(), queued_.submissions().end(),
                     [&](const Submission& submission) {
                       const bool waits = full_.empty() && submission.not_before <= now;
                       return submission.is_submitted() ||
                              !(submission.is_asked || submission.is_unclear || waits);
                     });
}

void Submitter::flush_collected() {
  if (collected_.empty() || !are_limits_known_) return;
  // Once jobs are in the queue, there is no hurry: few arrays with many jobs are what it likes.
  double patience = settings_.collect_seconds;
  if (queued_.open_tasks() > 0)
    patience = std::max(patience, settings_.poll_seconds / kArraysPerAnswer);
  const bool is_due = QueueClock::now() - collecting_since_ >= queue_duration(patience);
  if (!is_due && collected_.size() < kMostCollected) return;
  std::map<QueueShape, std::vector<CollectedAttempt>> by_shape;
  for (CollectedAttempt& each : collected_) by_shape[each.shape].push_back(std::move(each));
  collected_.clear();
  count_packs();
  const auto most = static_cast<size_t>(std::max(1, std::min(limits_.array, queued_limit_)));
  for (auto& [shape, attempts] : by_shape) {
    std::vector<AttemptPack> packs = packed(std::move(attempts), settings_);
    for (size_t begin = 0; begin < packs.size(); begin += most) {
      const size_t end = std::min(begin + most, packs.size());
      const std::vector<AttemptPack> part(std::make_move_iterator(packs.begin() + begin),
                                          std::make_move_iterator(packs.begin() + end));
      QueueBatch batch;
      for (const AttemptPack& pack : part) {
        auto& entries = batch.tasks.emplace_back();
        for (const CollectedAttempt& each : pack) entries.push_back({each.key, each.folder});
      }
      add_batch(std::move(batch), needs_of(shape, part, settings_, limits_), shape.threads);
    }
  }
}

void Submitter::add_batch(QueueBatch batch, const BatchNeeds& needs, int threads) {
  batch.name = new_batch_name();
  batch.folder = options_.runs_folder / "batches" / batch.name;
  batch.state = QueueBatch::State::kNew;
  batch.executor = system_.executor();
  batch.settings = options_.settings;
  make_batch(batch, batch_script(system_, batch, needs, threads, settings_,
                                 worker_command(settings_, options_.worker)));
  Submission& submission = queued_.add(std::move(batch));
  submission.needs = needs;
  submission.threads = threads;
  for (size_t task = 0; task < submission.tasks.size(); ++task) {
    for (const QueueBatch::Entry& entry : submission.batch.tasks[task])
      queued_.add_attempt(submission, task, entry);
  }
}

// ---- Submitting

void Submitter::advance() {
  ask_for_limits();
  flush_collected();
  submit_next();
}

void Submitter::ask_for_limits() {
  if (are_limits_known_ || are_limits_asked_ || collected_.empty() ||
      QueueClock::now() < next_limits_)
    return;
  are_limits_asked_ = true;
  calls_.add(system_.limits_command(), [this](const CallResult& answer) {
    are_limits_asked_ = false;
    next_limits_ = QueueClock::now() + queue_duration(settings_.poll_seconds);
    if (answer.exit_code == kNoSuchProgram) {
      return stop(
          fmt::format("this machine has no commands of {} ({}); run it where jobs are submitted",
                      system_.name(), answer.words("the shell")));
    }
    trouble_ = answer.is_good() ? "" : answer.words("its command");
    if (!answer.is_good()) return;
    hear_limits(system_.limits(answer));
  });
}

void Submitter::hear_limits(const BatchSystem::Limits& limits) {
  are_limits_known_ = true;
  limits_ = limits;
  limits_.queued = std::max(limits.queued, settings_.max_queued);  // the user knows better
  queued_limit_ = limits_.queued;
  if (limits.minutes == 0 && limits.default_minutes == 0) return;
  const auto seconds = static_cast<double>(limits.minutes * kMinute);
  if (limits.minutes > 0 && settings_.time_seconds > seconds) {
    return stop(fmt::format(
        "`time` is {}, but partition '{}' of {} ends jobs after {}; give a shorter time "
        "(a run goes on in another job, from its checkpoint), or another partition",
        minutes_text(settings_.time_seconds), limits.partition, system_.name(),
        minutes_text(seconds)));
  }
  if (limits.minutes > 0)
    settings_.pack_seconds = std::min(settings_.pack_seconds, seconds * kPackedShare);
  count_packs();
  const int64_t granted = limits.default_minutes;
  if (settings_.time_seconds == 0 && granted > 0 && granted <= kShortMinutes) {
    notes_.push_back(fmt::format(
        "partition '{}' of {} ends jobs after {}{}: runs that need longer go on in another job, "
        "from "
        "their checkpoint",
        limits.partition, system_.name(), minutes_text(static_cast<double>(granted * kMinute)),
        granted == limits.minutes ? "" : " unless they ask for more (--time)"));
  }
}

void Submitter::submit_next() {
  int queued = 0;
  for (const Submission& submission : queued_.submissions()) {
    if (submission.is_asked) return;  // one at a time
    for (const QueueTask& task : submission.tasks)
      queued += submission.is_submitted() && !task.open.empty();
  }
  for (Submission& submission : queued_.submissions()) {
    if (submission.is_submitted() || submission.is_unclear) continue;
    drop_cancelled(submission);
    if (submission.is_over() || submission.not_before > QueueClock::now()) continue;
    const int more = static_cast<int>(submission.tasks.size());
    if (queued > 0 && queued + more > queued_limit_) return;
    submission.is_asked = true;
    calls_.add(system_.submit_prelude() + system_.submit(submission.batch, submission.needs),
               [this, name = submission.batch.name, queued](const CallResult& answer) {
                 if (Submission* submission = queued_.find(name))
                   hear_submission(*submission, answer, queued);
               });
    return;
  }
}

void Submitter::hear_submission(Submission& submission, const CallResult& answer, int queued) {
  submission.is_asked = false;
  const SubmitAnswer said = system_.submitted(answer);
  const auto now = QueueClock::now();
  submission.words = answer.words(system_.submitter());
  switch (said.kind) {
    case SubmitAnswer::Kind::kAccepted:
      full_.clear();
      if (queued_limit_ < limits_.queued) ++queued_limit_;  // what it was full of may go away
      accept(submission, said.id);
      return;
    case SubmitAnswer::Kind::kFull: {
      full_ = submission.words;
      const int more = static_cast<int>(submission.tasks.size());
      queued_limit_ = std::max(1, queued + more / 2);
      if (queued == 0 || more == 1)
        submission.not_before = now + queue_duration(settings_.poll_seconds);
      if (more > 1) split(submission);
      return;
    }
    case SubmitAnswer::Kind::kRefused:
      submission.is_refused = true;
      if (!system_.tells_names()) return refuse(submission);
      break;
    case SubmitAnswer::Kind::kUnclear:
      submission.is_refused = false;
      break;
  }
  submission.is_unclear = true;
  submission.unclear_since = now;
  submission.answers_without_it = 0;
  poll_.ask_within(kSoonSeconds);
}

void Submitter::hear_status(const QueueStatus& status) {
  if (!system_.tells_names()) return;
  for (Submission& submission : queued_.submissions()) {
    if (!submission.is_unclear) continue;
    const auto found = status.ids.find(submission.batch.name);
    if (found != status.ids.end()) {
      accept(submission, found->second);
      continue;
    }
    ++submission.answers_without_it;
    if (submission.is_refused)
      refuse(submission);
    else if (submission.answers_without_it >= kAnswersUntilAbsent)
      submission.is_unclear = false;  // once more
  }
}

void Submitter::look_for_starts() {
  if (system_.tells_names()) return;
  for (Submission& submission : queued_.submissions()) {
    if (submission.is_unclear) look_for_start(submission);
  }
}

void Submitter::look_for_start(Submission& submission) {
  list_folder(submission.batch.folder);
  const std::string id = first_line_of(submission.batch.folder / "started.0");
  if (!id.empty()) return accept(submission, id);
  if (QueueClock::now() - submission.unclear_since < queue_duration(settings_.grace_seconds))
    return;
  for (size_t task = 0; task < submission.tasks.size(); ++task) {
    queued_.end_all(
        submission, task,
        {"lost", fmt::format("nobody knows whether it was submitted: {}", submission.words)});
  }
}

void Submitter::accept(Submission& submission, const std::string& id) {
  submission.batch.id = id;
  submission.batch.state = QueueBatch::State::kSubmitted;
  submission.is_unclear = submission.is_refused = false;
  has_submitted_ = true;
  record(submission.batch);
  for (size_t task = 0; task < submission.tasks.size(); ++task) {
    for (const std::string& key : submission.tasks[task].open)
      queued_.note_id(key, system_.id_of(submission.place(task)));
  }
  poll_.ask_within(kAskAfterSubmitting);
}

// ---- When the queue takes less, or nothing

// Of a submission that the queue does not have.
void Submitter::drop_cancelled(Submission& submission) {
  for (size_t task = 0; task < submission.tasks.size(); ++task) {
    if (submission.tasks[task].wanted) queued_.end_all(submission, task, never_submitted());
  }
}

void Submitter::split(Submission& submission) {
  drop_cancelled(submission);
  const auto& tasks = submission.batch.tasks;
  const auto middle = tasks.begin() + static_cast<std::ptrdiff_t>(tasks.size() / 2);
  for (const auto& [begin, end] : {std::pair(tasks.begin(), middle), {middle, tasks.end()}}) {
    QueueBatch half;
    half.tasks.assign(begin, end);
    for (auto& task : half.tasks) {
      std::erase_if(task, [&](const auto& entry) { return queued_.place(entry.key) == nullptr; });
    }
    std::erase_if(half.tasks, [](const auto& task) { return task.empty(); });
    if (half.tasks.empty()) continue;
    add_batch(std::move(half), submission.needs, submission.threads);
    queued_.submissions().back().not_before = submission.not_before;
  }
  submission.batch.state = QueueBatch::State::kRefused;
  record(submission.batch);
}

// The queue does not have it.
void Submitter::refuse(Submission& submission) {
  submission.is_unclear = submission.is_refused = false;
  if (has_submitted_ && ++submission.refusals < kMostRefusals) {
    submission.not_before = QueueClock::now() + queue_duration(settings_.poll_seconds);
    return;
  }
  stop(fmt::format("{} refused the jobs: {}; its script is {}", system_.submitter(),
                   submission.words, (submission.batch.folder / "script.sh").string()));
}

void Submitter::stop(const std::string& reason) {
  fatal_ = reason;
  for (const CollectedAttempt& each : std::exchange(collected_, {}))
    queued_.end_unsubmitted(each.key);
  for (Submission& each : queued_.submissions()) {
    if (each.is_submitted() || each.is_unclear || each.is_asked) continue;
    for (size_t task = 0; task < each.tasks.size(); ++task)
      queued_.end_all(each, task, never_submitted());
    each.batch.state = QueueBatch::State::kRefused;
    record(each.batch);
  }
}

// ---- Showing

std::string Submitter::preview(const std::vector<Job>& jobs) const {
  std::map<QueueShape, std::vector<CollectedAttempt>> by_shape;
  for (const Job& job : jobs) {
    Attempt attempt;
    attempt.job = job;
    attempt.folder = (options_.runs_folder / short_key(job.key) / "1").string();
    CollectedAttempt each = collected(attempt, threads_of(job));
    by_shape[each.shape].push_back(std::move(each));
  }
  std::string text;
  for (auto& [shape, attempts] : by_shape) {
    const size_t count = attempts.size();
    const std::vector<AttemptPack> packs = packed(std::move(attempts), settings_);
    QueueBatch batch;
    batch.name = "qbitopt-NAME";
    batch.folder = options_.runs_folder / "batches" / batch.name;
    batch.tasks.resize(packs.size());
    const BatchNeeds needs = needs_of(shape, packs, settings_, limits_);
    text += fmt::format(
        "# Runs: {}, in as many as {} jobs, submitted once what they need has finished: {}\n",
        count, packs.size(), system_.submit(batch, needs));
    text += batch_script(system_, batch, needs, shape.threads, settings_,
                         worker_command(settings_, options_.worker)) +
            "\n";
  }
  return text;
}

}  // namespace qbitopt
