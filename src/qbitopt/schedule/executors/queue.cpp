#include "qbitopt/schedule/executors/queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <fstream>
#include <set>
#include <system_error>
#include <thread>

#include "qbitopt/core/error.h"
#include "qbitopt/core/file_lock.h"
#include "qbitopt/core/hash.h"
#include "qbitopt/core/output_file.h"
#include "qbitopt/schedule/executors/batch_script.h"
#include "qbitopt/schedule/job_queue.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr size_t kMostCollected = 1000;  // attempts; more than that are submitted without delay
constexpr size_t kMostCancelled = 500;   // jobs of one command
constexpr int kMostRefusals = 3;         // in a row, once something was accepted
constexpr int kAnswers = 2;              // of the queue, until a job counts as absent
constexpr double kArraysPerAnswer = 5;   // at most so many are submitted between two answers
constexpr double kSoon = 1;              // seconds between answers while jobs are being cancelled
constexpr double kLongestBackOff = 10;   // times the usual interval
constexpr int64_t kSpareMinutes = 10, kSpareMegabytes = 512;
const std::string kExec = "exec ";   // with which a shell becomes the command
constexpr int kNoSuchProgram = 127;  // exit status of a shell
constexpr int kFirstSignal = 128;    // exit status of a shell's command that died of signal 0

std::chrono::steady_clock::duration to_clock(double seconds) {
  return std::chrono::duration_cast<std::chrono::steady_clock::duration>(
      std::chrono::duration<double>(seconds));
}

std::string first_line(const fs::path& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

bool is_there(const fs::path& file) {
  std::error_code none;
  return fs::exists(file, none);
}

// Last line with text of what the worker printed outside of the attempt.
std::string last_words_in(const fs::path& file) {
  std::ifstream stream(file);
  std::string last;
  for (std::string line; std::getline(stream, line);) {
    if (line.find_first_not_of(" \t\r") != std::string::npos) last = line;
  }
  return last;
}

// A network file system may go on saying that a file is not there until its folder is listed.
void list_folder(const fs::path& folder) {
  std::error_code none;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder, none)) {
  }
}

Outcome outcome_of_exit(const std::string& key, const std::string& folder, int status) {
  Outcome outcome{key};
  const int signal = status - kFirstSignal;
  const bool has_begun = is_there(fs::path(folder) / "events.jsonl");
  if ((status == 0 && has_begun) || signal == SIGUSR1 || signal == SIGTERM) {
    outcome.reported = "interrupted";  // or finished: then its spool says so
    outcome.exit_code = 0;
  } else if (signal > 0 && signal < NSIG) {
    outcome.signal = signal;
  } else {
    outcome.exit_code = status;
    if (status == 1) outcome.reported = "failed";
  }
  outcome.last_words = last_words_in(fs::path(folder) / "worker.txt");
  return outcome;
}

std::string class_of(const std::string& explanation) {
  if (explanation.rfind("OUT_OF_ME", 0) == 0) return "out_of_memory";
  if (explanation.rfind("PREEMPTED", 0) == 0) return "preempted";
  return "lost";
}

std::string worker_command(const QueueSettings& settings, const fs::path& worker) {
  std::string command = settings.launch;
  const std::string place = "{worker}";
  for (size_t at = 0; (at = command.find(place, at)) != std::string::npos;)
    command.replace(at, place.size(), shell_quoted(worker.string()));
  return command;
}

}  // namespace

bool QueueExecutor::Submission::is_over() const {
  return !is_asked && std::all_of(tasks.begin(), tasks.end(),
                                  [](const Task& task) { return task.open.empty(); });
}

QueueExecutor::QueueExecutor(std::unique_ptr<BatchSystem> system, const ExecutorOptions& options)
    : system_(std::move(system)),
      options_(options),
      settings_(queue_settings(options.settings)),
      calls_(Seconds(settings_.patience_seconds)),
      status_interval_(settings_.poll_seconds) {
  if (settings_.launch == "{worker}" && !is_there(options_.worker)) {
    throw InputError("no worker program at " + options_.worker.string() +
                     "; build the target qbitopt_worker, or name another one in QBITOPT_WORKER");
  }
  are_limits_known_ = system_->limits_command().empty();
  if (are_limits_known_) limits_ = system_->limits({});
  queued_limit_ = limits_.queued;
}

QueueExecutor::~QueueExecutor() = default;

std::string QueueExecutor::description() const {
  return fmt::format("worker {}; jobs of {}", worker_command(settings_, options_.worker),
                     system_->name());
}

std::string QueueExecutor::obstacle() const {
  if (!trouble_.empty())
    return fmt::format("{} does not answer ({}); it is asked again, and its jobs go on meanwhile",
                       system_->name(), trouble_);
  if (!full_.empty())
    return fmt::format("{} takes no more jobs now ({}); the others follow", system_->name(), full_);
  return "";
}

int QueueExecutor::open_tasks() const {
  int open = 0;
  for (const Submission& submission : submissions_) {
    for (const Task& task : submission.tasks) open += !task.open.empty();
  }
  return open;
}

double QueueExecutor::packs_collected() const {
  double packs = 0;
  for (const Collected& each : collected_) {
    packs += each.estimate.seconds ? std::min(1.0, *each.estimate.seconds / settings_.pack_seconds)
                                   : 1.0;
  }
  return packs;
}

bool QueueExecutor::has_room(int) const {
  if (!fatal_.empty() || collected_.size() >= kMostCollected) return false;
  int limit = settings_.max_queued > 0 ? settings_.max_queued : queued_limit_;
  if (options_.jobs > 0) limit = std::min(limit, options_.jobs);
  return open_tasks() + static_cast<int>(packs_collected()) < limit;
}

bool QueueExecutor::is_busy() const {
  return !collected_.empty() || !attempts_.empty() || !strangers_.empty();
}

bool QueueExecutor::may_be_left() const {
  if (!outcomes_.empty() || !collected_.empty() || !fatal_.empty() || !strangers_.empty())
    return false;
  for (const Submission& submission : submissions_) {
    if (submission.is_submitted()) continue;
    const bool waits = full_.empty() && submission.not_before <= Clock::now();
    if (submission.is_asked || submission.is_unclear || waits) return false;
  }
  return attempts_.empty() || has_status_;
}

std::chrono::milliseconds QueueExecutor::spool_interval() const {
  const double seconds = std::clamp(settings_.poll_seconds / 6, 0.05, 5.0);
  return milliseconds(static_cast<int64_t>(seconds * 1000));
}

QueueExecutor::Shape QueueExecutor::shape_of(const Job& job, int threads) const {
  Shape shape{threads, ""};
  if (job.parameters.value("device", Json("cpu")) == "cuda")
    shape.gpus = settings_.gpus_per_job.empty() ? "1" : settings_.gpus_per_job;
  return shape;
}

// ---- Submitting

void QueueExecutor::submit(const Attempt& attempt, int threads) {
  if (collected_.empty()) collecting_since_ = Clock::now();
  const JobEstimate estimate = options_.estimate ? options_.estimate(attempt.job) : JobEstimate{};
  collected_.push_back({attempt, shape_of(attempt.job, threads), estimate});
}

std::vector<std::vector<QueueExecutor::Collected>> QueueExecutor::packed(
    std::vector<Collected> attempts) const {
  std::vector<std::vector<Collected>> tasks;
  double seconds = 0;  // of the last task
  bool is_open = false;
  for (Collected& each : attempts) {
    const double more = each.estimate.seconds.value_or(0);
    const bool fits = is_open && each.estimate.seconds && seconds + more <= settings_.pack_seconds;
    if (!fits) {
      tasks.emplace_back();
      seconds = 0;
    }
    is_open = each.estimate.seconds.has_value();
    seconds += more;
    tasks.back().push_back(std::move(each));
  }
  return tasks;
}

BatchNeeds QueueExecutor::needs_of(const Shape& shape,
                                   const std::vector<std::vector<Collected>>& tasks) const {
  BatchNeeds needs;
  needs.cpus = settings_.cpus_per_job > 0 ? settings_.cpus_per_job : shape.threads;
  needs.gpus = shape.gpus;
  double longest = 0;  // of the jobs, in seconds
  int64_t most_bytes = 0;
  bool knows_seconds = true, knows_bytes = true;
  for (const auto& task : tasks) {
    double sum = 0;
    for (const Collected& each : task) {
      sum += each.estimate.seconds.value_or(0);
      most_bytes = std::max(most_bytes, each.estimate.bytes.value_or(0));
      knows_seconds &= each.estimate.seconds.has_value();
      knows_bytes &= each.estimate.bytes.has_value();
    }
    longest = std::max(longest, sum);
  }
  if (knows_seconds)
    needs.minutes = static_cast<int64_t>(std::ceil(2 * longest / 60)) + kSpareMinutes;
  if (settings_.time_seconds > 0)
    needs.minutes = static_cast<int64_t>(std::ceil(settings_.time_seconds / 60));
  if (knows_bytes) needs.megabytes = most_bytes * 3 / 2 / (1 << 20) + kSpareMegabytes;
  if (settings_.memory_megabytes > 0) needs.megabytes = settings_.memory_megabytes;
  return needs;
}

void QueueExecutor::flush_collected() {
  if (collected_.empty() || !are_limits_known_) return;
  // Once jobs are in the queue, there is no hurry: few arrays with many jobs are what it likes.
  double patience = settings_.collect_seconds;
  if (open_tasks() > 0) patience = std::max(patience, settings_.poll_seconds / kArraysPerAnswer);
  const bool is_due = Clock::now() - collecting_since_ >= Seconds(patience);
  if (!is_due && collected_.size() < kMostCollected) return;
  std::map<Shape, std::vector<Collected>> by_shape;
  for (Collected& each : collected_) by_shape[each.shape].push_back(std::move(each));
  collected_.clear();
  for (auto& [shape, attempts] : by_shape) {
    std::vector<std::vector<Collected>> tasks = packed(std::move(attempts));
    const auto most = static_cast<size_t>(std::max(1, std::min(limits_.array, queued_limit_)));
    for (size_t begin = 0; begin < tasks.size(); begin += most) {
      const size_t end = std::min(begin + most, tasks.size());
      make_submission(shape, {std::make_move_iterator(tasks.begin() + begin),
                              std::make_move_iterator(tasks.begin() + end)});
    }
  }
}

void QueueExecutor::make_submission(const Shape& shape, std::vector<std::vector<Collected>> tasks) {
  QueueBatch batch;
  for (const auto& task : tasks) {
    auto& entries = batch.tasks.emplace_back();
    for (const Collected& each : task)
      entries.push_back({each.attempt.job.key, each.attempt.folder});
  }
  add_submission(std::move(batch), needs_of(shape, tasks), shape.threads);
}

void QueueExecutor::add_submission(QueueBatch batch, const BatchNeeds& needs, int threads) {
  batch.name = new_batch_name();
  batch.folder = options_.runs_folder / "batches" / batch.name;
  batch.state = QueueBatch::State::kNew;
  make_batch(batch, batch_script(*system_, batch, needs, threads, settings_,
                                 worker_command(settings_, options_.worker)));
  Submission& submission = submissions_.emplace_back();
  submission.batch = std::move(batch);
  submission.needs = needs;
  submission.threads = threads;
  submission.tasks.resize(submission.batch.tasks.size());
  for (size_t task = 0; task < submission.tasks.size(); ++task) {
    for (const QueueBatch::Entry& entry : submission.batch.tasks[task]) {
      submission.tasks[task].open.push_back(entry.key);
      attempts_[entry.key] = {&submission, task, entry.folder};
    }
  }
}

QueueExecutor::Submission* QueueExecutor::find(const std::string& name) {
  for (Submission& submission : submissions_) {
    if (submission.batch.name == name) return &submission;
  }
  return nullptr;
}

void QueueExecutor::ask_for_limits() {
  if (are_limits_known_ || are_limits_asked_ || collected_.empty() || Clock::now() < next_limits_)
    return;
  are_limits_asked_ = true;
  calls_.add(system_->limits_command(), [this](const CallResult& answer) {
    are_limits_asked_ = false;
    next_limits_ = Clock::now() + to_clock(settings_.poll_seconds);
    if (answer.exit_code == kNoSuchProgram) {
      return stop_submitting(
          fmt::format("this machine has no commands of {} ({}); run it where jobs are submitted",
                      system_->name(), answer.words("the shell")));
    }
    trouble_ = answer.is_good() ? "" : answer.words("its command");
    if (!answer.is_good()) return;
    are_limits_known_ = true;
    limits_ = system_->limits(answer);
    queued_limit_ = limits_.queued;
  });
}

// Of a submission that the queue does not have.
void QueueExecutor::drop_cancelled(Submission& submission) {
  for (size_t task = 0; task < submission.tasks.size(); ++task) {
    if (submission.tasks[task].wanted) end_all(submission, task, {"", "it was not submitted"});
  }
}

void QueueExecutor::submit_next() {
  int queued = 0;
  for (const Submission& submission : submissions_) {
    if (submission.is_asked) return;  // one at a time
    for (const Task& task : submission.tasks)
      queued += submission.is_submitted() && !task.open.empty();
  }
  for (Submission& submission : submissions_) {
    if (submission.is_submitted() || submission.is_unclear) continue;
    drop_cancelled(submission);
    if (submission.is_over() || submission.not_before > Clock::now()) continue;
    const int more = static_cast<int>(submission.tasks.size());
    if (queued > 0 && queued + more > queued_limit_) return;
    submission.is_asked = true;
    calls_.add(system_->submit(submission.batch, submission.needs),
               [this, name = submission.batch.name, queued](const CallResult& answer) {
                 if (Submission* submission = find(name))
                   hear_submission(*submission, answer, queued);
               });
    return;
  }
}

void QueueExecutor::hear_submission(Submission& submission, const CallResult& answer, int queued) {
  submission.is_asked = false;
  const SubmitAnswer said = system_->submitted(answer);
  const auto now = Clock::now();
  submission.words = answer.words(system_->submitter());
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
      if (queued == 0 || more == 1) submission.not_before = now + to_clock(settings_.poll_seconds);
      if (more > 1) split(submission);
      return;
    }
    case SubmitAnswer::Kind::kRefused:
      submission.is_refused = true;
      if (!system_->tells_names()) return refuse(submission);
      break;
    case SubmitAnswer::Kind::kUnclear:
      submission.is_refused = false;
      break;
  }
  submission.is_unclear = true;
  submission.unclear_since = now;
  submission.answers_without_it = 0;
  next_status_ = std::min(next_status_, now + to_clock(std::min(kSoon, settings_.poll_seconds)));
}

void QueueExecutor::accept(Submission& submission, const std::string& id) {
  submission.batch.id = id;
  submission.batch.state = QueueBatch::State::kSubmitted;
  submission.is_unclear = submission.is_refused = false;
  has_submitted_ = true;
  record(submission.batch);
  next_status_ =
      std::min(next_status_, Clock::now() + to_clock(std::min(5.0, settings_.poll_seconds)));
}

void QueueExecutor::split(Submission& submission) {
  drop_cancelled(submission);
  const auto& tasks = submission.batch.tasks;
  const auto middle = tasks.begin() + static_cast<std::ptrdiff_t>(tasks.size() / 2);
  for (const auto& [begin, end] : {std::pair(tasks.begin(), middle), {middle, tasks.end()}}) {
    QueueBatch half;
    half.tasks.assign(begin, end);
    for (auto& task : half.tasks) {
      std::erase_if(task, [&](const auto& entry) { return !attempts_.count(entry.key); });
    }
    std::erase_if(half.tasks, [](const auto& task) { return task.empty(); });
    if (half.tasks.empty()) continue;
    add_submission(std::move(half), submission.needs, submission.threads);
    submissions_.back().not_before = submission.not_before;
  }
  for (Task& task : submission.tasks) task.open.clear();
  submission.batch.state = QueueBatch::State::kRefused;
  record(submission.batch);
}

// The queue does not have it.
void QueueExecutor::refuse(Submission& submission) {
  submission.is_unclear = submission.is_refused = false;
  if (has_submitted_ && ++submission.refusals < kMostRefusals) {
    submission.not_before = Clock::now() + to_clock(settings_.poll_seconds);
    return;
  }
  stop_submitting(fmt::format("{} refused the jobs: {}; its script is {}", system_->submitter(),
                              submission.words, (submission.batch.folder / "script.sh").string()));
}

void QueueExecutor::stop_submitting(const std::string& reason) {
  fatal_ = reason;
  for (const Collected& each : std::exchange(collected_, {}))
    outcomes_.push_back(never_submitted(each.attempt.job.key));
  for (Submission& each : submissions_) {
    if (each.is_submitted() || each.is_unclear || each.is_asked) continue;
    for (size_t task = 0; task < each.tasks.size(); ++task)
      end_all(each, task, {"", "it was not submitted"});
    each.batch.state = QueueBatch::State::kRefused;
    record(each.batch);
  }
}

// ---- Asking

void QueueExecutor::ask_for_status() {
  if (is_status_asked_ || Clock::now() < next_status_) return;
  std::set<std::string> ids;
  bool is_wanted = false;
  for (const Submission& submission : submissions_) {
    if (submission.is_over()) continue;
    if (submission.is_submitted()) ids.insert(submission.batch.id);
    is_wanted |= submission.is_submitted() || (submission.is_unclear && system_->tells_names());
  }
  if (!is_wanted) return;
  is_status_asked_ = true;
  const std::vector<std::string> list(ids.begin(), ids.end());
  calls_.add(system_->status(list),
             [this, list](const CallResult& answer) { hear_status(answer, list); });
}

void QueueExecutor::hear_status(const CallResult& answer, const std::vector<std::string>& ids) {
  is_status_asked_ = false;
  const double usual = settings_.poll_seconds, longest = kLongestBackOff * usual;
  const auto status = system_->status(answer, ids);
  if (!status) {
    trouble_ = answer.words("its command");
    status_interval_ = Seconds(std::min(longest, 2 * status_interval_.count()));
    next_status_ = Clock::now() + to_clock(status_interval_.count());
    return;
  }
  trouble_.clear();
  has_status_ = true;
  // A controller that takes long to answer is asked less often.
  status_interval_ = Seconds(std::clamp(10 * answer.seconds, usual, longest));
  const double next = is_stopping() ? std::min(kSoon, usual) : status_interval_.count();
  next_status_ = Clock::now() + to_clock(next);
  const std::set<std::string> asked(ids.begin(), ids.end());
  const std::set<std::string> unknown(status->unknown.begin(), status->unknown.end());
  for (Submission& submission : submissions_) {
    if (submission.is_unclear) look_up(submission, *status);
    const std::string& id = submission.batch.id;
    if (!submission.is_submitted() || !asked.count(id) || unknown.count(id)) continue;
    for (size_t task = 0; task < submission.tasks.size(); ++task)
      hear_of(submission.tasks[task], status->rows, {id, static_cast<int>(task)});
  }
  looked_ = {};
  tell_states();
}

void QueueExecutor::hear_of(Task& task, const Rows& rows,
                            const std::pair<std::string, int>& place) {
  const auto row = rows.find(place);
  if (row != rows.end() && !row->second.is_over) {
    task.row = row->second;
    task.absences = 0;
    if (task.row.is_pending) task.sent.reset();  // a request that came to nothing
    return;
  }
  if (row != rows.end()) task.explanation = row->second.state;
  if (task.absences++ == 0) task.absent_since = Clock::now();
  task.row.is_pending = false;
}

void QueueExecutor::look_up(Submission& submission, const QueueStatus& status) {
  if (!system_->tells_names()) return;
  const auto found = status.ids.find(submission.batch.name);
  if (found != status.ids.end()) return accept(submission, found->second);
  ++submission.answers_without_it;
  if (submission.is_refused) return refuse(submission);
  if (submission.answers_without_it >= kAnswers) submission.is_unclear = false;  // once more
}

// ---- The attempts

void QueueExecutor::reattach(const Attempt& attempt) {
  if (!recorded_) {
    recorded_ = recorded_batches(options_.runs_folder);
    for (size_t i = 0; i < recorded_->size(); ++i) {
      const auto& tasks = (*recorded_)[i].tasks;
      for (size_t task = 0; task < tasks.size(); ++task) {
        for (const QueueBatch::Entry& entry : tasks[task]) {
          // An attempt of a batch that was refused may be in a later one.
          if ((*recorded_)[i].state != QueueBatch::State::kRefused)
            recorded_places_[entry.folder] = {i, task};
        }
      }
    }
  }
  const auto found = recorded_places_.find(attempt.folder);
  if (found == recorded_places_.end()) {
    strangers_.push_back(attempt);
    return;
  }
  const auto& [index, task] = found->second;
  Submission* submission = find((*recorded_)[index].name);
  if (!submission) {
    submission = &submissions_.emplace_back();
    submission->batch = (*recorded_)[index];
    submission->tasks.resize(submission->batch.tasks.size());
    submission->is_unclear = !submission->is_submitted();
    submission->unclear_since = Clock::now();
  }
  submission->tasks[task].open.push_back(attempt.job.key);
  attempts_[attempt.job.key] = {submission, task, attempt.folder};
}

void QueueExecutor::hear_end(const std::string& key) {
  const auto found = attempts_.find(key);
  if (found == attempts_.end()) return;
  found->second.submission->tasks[found->second.task].has_begun = true;
  end(key, Outcome{key});
}

void QueueExecutor::end(const std::string& key, Outcome outcome) {
  const auto found = attempts_.find(key);
  if (found == attempts_.end()) return;
  std::erase(found->second.submission->tasks[found->second.task].open, key);
  attempts_.erase(found);
  outcomes_.push_back(std::move(outcome));
}

void QueueExecutor::end_all(Submission& submission, size_t task, const Loss& loss) {
  for (const std::string& key : std::vector(submission.tasks[task].open)) {
    Outcome outcome{key};
    outcome.loss = loss;
    end(key, std::move(outcome));
  }
}

Outcome QueueExecutor::never_submitted(const std::string& key) {
  Outcome outcome{key};
  outcome.loss = Loss{"", "it was not submitted"};
  return outcome;
}

void QueueExecutor::look_at_attempts() {
  const auto now = Clock::now();
  if (now - looked_ < spool_interval()) return;
  looked_ = now;
  std::erase_if(strangers_, [&](const Attempt& attempt) {
    if (FileLock::is_held(fs::path(attempt.folder) / "lock")) return false;
    outcomes_.push_back(never_submitted(attempt.job.key));
    return true;
  });
  for (Submission& submission : submissions_) {
    if (submission.is_unclear) look_for_start(submission);
    if (!submission.is_submitted()) continue;
    for (size_t task = 0; task < submission.tasks.size(); ++task) {
      if (!submission.tasks[task].row.is_pending) look_at(submission, task);
    }
  }
  submissions_.remove_if([](const Submission& submission) { return submission.is_over(); });
}

// Where the queue cannot be asked for a name, a job that begins tells its id.
void QueueExecutor::look_for_start(Submission& submission) {
  if (system_->tells_names()) return;
  list_folder(submission.batch.folder);
  const std::string id = first_line(submission.batch.folder / "started.0");
  if (!id.empty()) return accept(submission, id);
  if (Clock::now() - submission.unclear_since < Seconds(settings_.grace_seconds)) return;
  for (size_t task = 0; task < submission.tasks.size(); ++task) {
    end_all(submission, task,
            {"lost", fmt::format("nobody knows whether it was submitted: {}", submission.words)});
  }
}

void QueueExecutor::look_at(Submission& submission, size_t task) {
  Task& looked_at = submission.tasks[task];
  if (looked_at.open.empty()) return;
  for (const std::string& key : std::vector(looked_at.open)) {
    const std::string folder = attempts_.at(key).folder;
    const std::string status = first_line(fs::path(folder) / "exit");
    if (status.empty()) continue;
    looked_at.has_begun = true;
    end(key, outcome_of_exit(key, folder, std::atoi(status.c_str())));
  }
  if (looked_at.open.empty() || looked_at.absences < kAnswers) return;
  const bool has_waited = Clock::now() - looked_at.absent_since >= Seconds(settings_.grace_seconds);
  if (has_waited || looked_at.wanted) give_up(submission, task);
}

void QueueExecutor::give_up(Submission& submission, size_t task) {
  Task& gone = submission.tasks[task];
  const QueuePlace place{submission.batch.id, static_cast<int>(task), false};
  if (gone.explanation.empty() && !gone.wanted && !gone.is_explained &&
      !system_->explain(place).empty()) {
    if (!std::exchange(gone.is_explanation_asked, true)) {
      calls_.add(system_->explain(place),
                 [this, name = submission.batch.name, task](const CallResult& answer) {
                   Submission* submission = find(name);
                   if (submission == nullptr) return;
                   submission->tasks[task].explanation = system_->explanation(answer);
                   submission->tasks[task].is_explained = true;
                   looked_ = {};
                 });
    }
    return;  // the answer will come, or time out
  }
  std::vector<std::string> begun, others;
  for (const std::string& key : gone.open) {
    const fs::path folder = attempts_.at(key).folder;
    list_folder(folder);
    if (is_there(folder / "exit")) return look_at(submission, task);  // late
    (is_there(folder / "events.jsonl") ? begun : others).push_back(key);
  }
  const std::string number = system_->task_variable().empty() ? "" : fmt::format("_{}", task);
  const std::string job = fmt::format("job {}{} of {}", place.id, number, system_->name());
  const Loss loss{
      class_of(gone.explanation),
      job + " is gone from the queue" + (gone.explanation.empty() ? "" : ": " + gone.explanation)};
  const bool has_begun = gone.has_begun || !begun.empty();
  // In case the queue is wrong.
  if (!gone.wanted) calls_.add(system_->cancel({place}, false), [](const CallResult&) {});
  for (const std::string& key : begun) {
    Outcome outcome{key};
    outcome.loss = loss;
    end(key, std::move(outcome));
  }
  for (const std::string& key : others) {
    Outcome outcome{key};
    outcome.loss = has_begun ? Loss{"", job + " ended before its turn came"} : loss;
    end(key, std::move(outcome));
  }
}

// ---- Cancelling

void QueueExecutor::cancel(const std::string& key, StopLevel level) {
  const auto collected =
      std::find_if(collected_.begin(), collected_.end(),
                   [&](const Collected& each) { return each.attempt.job.key == key; });
  if (collected != collected_.end()) {
    collected_.erase(collected);
    outcomes_.push_back(never_submitted(key));
    return;
  }
  const auto found = attempts_.find(key);
  if (found == attempts_.end()) return;
  Submission& submission = *found->second.submission;
  Task& task = submission.tasks[found->second.task];
  if (!task.wanted || *task.wanted < level) task.wanted = level;
  const bool is_never =
      !submission.is_submitted() && !submission.is_asked && !submission.is_unclear;
  if (is_never || (level == StopLevel::kKill && !submission.is_submitted()))
    end(key, never_submitted(key));
}

bool QueueExecutor::is_stopping() const {
  return std::any_of(submissions_.begin(), submissions_.end(), [](const Submission& submission) {
    return std::any_of(submission.tasks.begin(), submission.tasks.end(),
                       [](const Task& task) { return task.wanted && !task.open.empty(); });
  });
}

void QueueExecutor::send_cancels() {
  if (Clock::now() < next_cancel_) return;
  std::vector<QueuePlace> gentle, hard;
  bool is_kill = false;
  for (Submission& submission : submissions_) {
    if (!submission.is_submitted()) continue;
    std::vector<QueuePlace> now;
    for (size_t i = 0; i < submission.tasks.size(); ++i) {
      Task& task = submission.tasks[i];
      if (task.open.empty() || !task.wanted || (task.sent && *task.sent >= *task.wanted)) continue;
      const bool is_gentle = *task.wanted == StopLevel::kCheckpoint;
      if (is_gentle && task.row.state.empty()) {  // whether it runs is not known yet
        next_status_ = std::min(next_status_, Clock::now());
        continue;
      }
      task.sent = task.wanted;
      is_kill |= *task.wanted == StopLevel::kKill;
      const QueuePlace place{submission.batch.id, static_cast<int>(i), false};
      (is_gentle && !task.row.is_pending ? gentle : now).push_back(place);
    }
    if (!now.empty() && now.size() == submission.tasks.size()) now = {{now[0].id, 0, true}};
    hard.insert(hard.end(), now.begin(), now.end());
  }
  for (auto* places : {&gentle, &hard}) {
    for (size_t begin = 0; begin < places->size(); begin += kMostCancelled) {
      const size_t end = std::min(begin + kMostCancelled, places->size());
      const std::vector<QueuePlace> part(places->begin() + begin, places->begin() + end);
      calls_.add(system_->cancel(part, places == &gentle),
                 [this, is_kill](const CallResult& answer) { hear_cancel(answer, is_kill); });
    }
  }
}

void QueueExecutor::hear_cancel(const CallResult& answer, bool is_kill) {
  const auto now = Clock::now();
  const double soon = std::min(kSoon, settings_.poll_seconds);
  next_status_ = std::min(next_status_, now + to_clock(soon));
  next_cancel_ = now + to_clock(soon);
  for (Submission& submission : submissions_) {
    for (size_t i = 0; i < submission.tasks.size(); ++i) {
      Task& task = submission.tasks[i];
      if (!task.sent) continue;
      if (is_kill && *task.sent == StopLevel::kKill) {
        end_all(submission, i, {"", "it was killed"});
      } else if (!answer.is_good()) {
        task.sent.reset();  // once more; those that are gone by then do no harm
      }
    }
  }
}

// ---- Showing

std::string QueueExecutor::state_of(const std::string& key) const {
  const auto found = attempts_.find(key);
  if (found == attempts_.end()) {
    const bool is_collected =
        std::any_of(collected_.begin(), collected_.end(),
                    [&](const Collected& each) { return each.attempt.job.key == key; });
    return is_collected ? "to be submitted" : "";
  }
  const Submission& submission = *found->second.submission;
  const Task& task = submission.tasks[found->second.task];
  if (!submission.is_submitted())
    return full_.empty() ? "to be submitted" : "to be submitted: the queue is full";
  if (task.absences > 0) return "gone from the queue";
  if (!task.row.is_pending) return task.row.state.empty() ? "submitted" : "";
  return task.row.reason.empty() ? "queued" : "queued: " + task.row.reason;
}

void QueueExecutor::tell_states() {
  Json states = Json::object();
  for (const auto& [key, where] : attempts_) {
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
  std::map<Shape, std::vector<Collected>> by_shape;
  for (const Job& job : jobs) {
    Attempt attempt;
    attempt.job = job;
    attempt.folder = (options_.runs_folder / short_key(job.key) / "1").string();
    const Shape shape = shape_of(job, threads_of(job));
    by_shape[shape].push_back(
        {attempt, shape, options_.estimate ? options_.estimate(job) : JobEstimate{}});
  }
  std::string text;
  for (auto& [shape, attempts] : by_shape) {
    const size_t count = attempts.size();
    const auto tasks = packed(std::move(attempts));
    QueueBatch batch;
    batch.name = "qbitopt-NAME";
    batch.folder = options_.runs_folder / "batches" / batch.name;
    batch.tasks.resize(tasks.size());
    const BatchNeeds needs = needs_of(shape, tasks);
    std::string command = system_->submit(batch, needs);
    if (command.starts_with(kExec)) command.erase(0, kExec.size());
    text += fmt::format(
        "# Runs: {}, in as many as {} jobs, submitted once what they need has finished: {}\n",
        count, tasks.size(), command);
    text += batch_script(*system_, batch, needs, shape.threads, settings_,
                         worker_command(settings_, options_.worker)) +
            "\n";
  }
  return text;
}

// ---- Turning

std::vector<Outcome> QueueExecutor::poll(milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  while (true) {
    if (!fatal_.empty() && outcomes_.empty()) throw InputError(fatal_);
    calls_.advance();
    ask_for_limits();
    flush_collected();
    submit_next();
    send_cancels();
    ask_for_status();
    look_at_attempts();
    const auto left = deadline - Clock::now();
    if (!outcomes_.empty() || left <= Clock::duration::zero()) return std::exchange(outcomes_, {});
    std::this_thread::sleep_for(std::min<Clock::duration>(left, milliseconds(10)));
  }
}

}  // namespace qbitopt
