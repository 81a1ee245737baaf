#include "qbitopt/sweep/scheduler.h"

#include <fmt/format.h>

#include <algorithm>

#include "qbitopt/core/error.h"
#include "qbitopt/sweep/attempt_folder.h"

namespace qbitopt {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTick{100};
constexpr milliseconds kSpoolInterval{200};
constexpr int kCannotStart = 127;  // exit status when the loader or the shell gives up
constexpr std::chrono::seconds kTroublePatience{30};  // for checkpoints, when the store fails

}  // namespace

Scheduler::Scheduler(Plan& plan, Executor& executor, RunStore& store, RunObserver& observer,
                     SchedulerOptions options)
    : plan_(plan),
      executor_(executor),
      store_(store),
      observer_(observer),
      options_(std::move(options)),
      records_(store.records(plan_)),
      queue_(plan_, records_) {
  summary_.cached = queue_.count(JobQueue::Status::kFinished);
  summary_.failed_before = queue_.count(JobQueue::Status::kFailed);
}

RunSummary Scheduler::run() {
  try {
    adopt_running();
    while (!is_over()) {
      obey_stop_requests();
      start_what_fits();
      for (const Outcome& outcome : executor_.poll(kTick)) conclude(outcome);
      read_spools();
      stop_slow_ones();
      observer_.on_tick();
    }
  } catch (...) {
    drain_after_trouble();
    throw;
  }
  summary_.blocked = queue_.count(JobQueue::Status::kBlocked);
  summary_.unfinished = plan_.jobs.size() - queue_.count(JobQueue::Status::kFinished) -
                        queue_.count(JobQueue::Status::kFailed) - summary_.blocked;
  return summary_;
}

bool Scheduler::is_over() const {
  if (!is_stopping_) return running_.empty() && !queue_.has_ready();
  return std::all_of(running_.begin(), running_.end(),
                     [](const auto& entry) { return entry.second.evidence.is_adopted; });
}

void Scheduler::adopt_running() {
  for (size_t job = 0; job < plan_.jobs.size(); ++job) {
    if (records_[job].state != JobState::kRunning) continue;
    Attempt attempt;
    attempt.job = plan_.jobs[job].job();
    attempt.number = records_[job].attempts;
    attempt.folder = records_[job].folder;
    executor_.reattach(attempt);
    Running running{job, attempt,
                    SpoolReader(std::filesystem::path(attempt.folder) / "events.jsonl"),
                    Clock::now()};
    running.evidence.folder = attempt.folder;
    running.evidence.is_adopted = true;
    running_.emplace(attempt.job.key, std::move(running));
  }
}

void Scheduler::start_what_fits() {
  if (is_stopping_) return;
  const auto fits = [&](int threads) { return executor_.has_room(threads); };
  while (const std::optional<size_t> job = queue_.take(fits)) start(*job);
}

void Scheduler::start(size_t job) {
  const PlannedJob& planned = plan_.jobs[job];
  JobRecord& record = records_[job];
  Attempt attempt = make_attempt(options_.runs_folder, planned.job(), record.attempts + 1);
  record.attempts = attempt.number;
  record.folder = attempt.folder;
  if (may_resume(record)) {
    attempt.resume_from = newest_checkpoint(attempt).string();
  }
  record.state = JobState::kRunning;
  std::string missing;
  try {
    attempt.inputs = inputs_of(planned);
  } catch (const InputError& error) {
    missing = error.what();
  }
  write_job_file(attempt);
  store_.begin(attempt);
  if (!missing.empty()) {
    settle(job, attempt, {JobState::kFailed, 0, 0, "missing_input", missing});
    return;
  }
  observer_.on_started(planned, attempt);
  Running running{job, attempt, SpoolReader(std::filesystem::path(attempt.folder) / "events.jsonl"),
                  Clock::now()};
  running.evidence.folder = attempt.folder;
  running_.emplace(planned.key, std::move(running));
  executor_.submit(attempt, queue_.threads(job));
}

std::map<std::string, std::string> Scheduler::inputs_of(const PlannedJob& job) {
  std::map<std::string, std::string> inputs;
  for (const auto& [need, key] : job.needs) {
    inputs[need] = store_.artifact(key, job.artifacts().at(need));
  }
  return inputs;
}

void Scheduler::read_spools() {
  if (Clock::now() - spools_read_ < kSpoolInterval) return;
  spools_read_ = Clock::now();
  for (auto& [key, running] : running_) read_spool(running);
}

void Scheduler::read_spool(Running& running) {
  if (!running.evidence.spool_error.empty()) return;
  std::vector<Event> events;
  try {
    events = running.spool.read_new();
  } catch (const InputError& error) {
    running.evidence.spool_error = error.what();
    ask_to_stop(running, StopLevel::kKill);
    return;
  }
  if (events.empty()) return;
  store_.ingest(running.attempt, events);
  running.evidence.has_begun = true;
  for (const Event& event : events) {
    if (std::holds_alternative<Finished>(event.body)) running.evidence.is_finished = true;
    if (const Failed* failed = std::get_if<Failed>(&event.body)) running.evidence.failed = *failed;
  }
  observer_.on_events(running.attempt, events);
}

void Scheduler::stop_slow_ones() {
  if (options_.timeout_seconds <= 0) return;
  for (auto& [key, running] : running_) {
    const std::chrono::duration<double> elapsed = Clock::now() - running.started;
    if (running.evidence.is_adopted || elapsed.count() < options_.timeout_seconds) continue;
    running.evidence.timeout_seconds = options_.timeout_seconds;
    ask_to_stop(running, StopLevel::kTerminate);
  }
}

void Scheduler::obey_stop_requests() {
  const int requests = options_.stop_requests();
  if (requests == 0) return;
  is_stopping_ = true;
  const StopLevel level = requests == 1   ? StopLevel::kCheckpoint
                          : requests == 2 ? StopLevel::kTerminate
                                          : StopLevel::kKill;
  for (auto& [key, running] : running_) ask_to_stop(running, level);
}

void Scheduler::ask_to_stop(Running& running, StopLevel level) {
  std::optional<StopLevel>& asked = running.evidence.asked_to_stop;
  if (asked && *asked >= level) return;
  asked = level;
  executor_.cancel(running.attempt.job.key, level);
}

void Scheduler::conclude(const Outcome& outcome) {
  auto entry = running_.extract(outcome.key);
  if (entry.empty()) return;
  Running& running = entry.mapped();
  read_spool(running);
  const AttemptEnd end = judge(running.evidence, outcome);
  if (!running.evidence.has_begun && outcome.exit_code == kCannotStart) {
    store_.end(running.attempt, {JobState::kInterrupted, kCannotStart, 0, "", end.text});
    throw InputError("no worker can be started: " + outcome.last_words);
  }
  settle(running.job, running.attempt, end);
}

void Scheduler::settle(size_t job, const Attempt& attempt, AttemptEnd end) {
  const bool is_disk_full = end.error_class == "disk_full";
  const bool will_retry = !is_stopping_ && end.state != JobState::kFinished && !is_disk_full &&
                          may_retry(job, end.error_class);
  if (!will_retry && !is_stopping_ && !is_disk_full && end.state == JobState::kInterrupted) {
    end.state = JobState::kFailed;  // preempted too often
  }
  store_.end(attempt, end);
  records_[job].state = end.state;
  records_[job].error_class = end.error_class;
  observer_.on_ended(plan_.jobs[job], attempt, end, will_retry);
  if (is_disk_full) stop(end.text);
  if (end.state == JobState::kFinished) {
    ++summary_.finished;
    queue_.finish(job);
    grow();
  } else if (will_retry || end.state == JobState::kInterrupted) {
    queue_.put_back(job);
  } else {
    fail_job(job);
  }
}

void Scheduler::fail_job(size_t job) {
  ++summary_.failed;
  for (const size_t blocked : queue_.fail(job)) observer_.on_blocked(plan_.jobs[blocked]);
  if (options_.max_failures > 0 && summary_.failed >= static_cast<size_t>(options_.max_failures)) {
    stop(fmt::format("{} failed (--fail-fast)", summary_.failed));
  }
}

void Scheduler::grow() {
  const bool goes_on = std::any_of(
      plan_.searches.begin(), plan_.searches.end(),
      [](const SearchState& search) { return search.status == SearchState::Status::kRunning; });
  if (!goes_on || !options_.replan) return;
  Plan more = options_.replan();
  std::erase_if(more.jobs, [&](const PlannedJob& job) { return queue_.contains(job.key); });
  plan_.searches = more.searches;
  const std::vector<JobRecord> records = store_.records(more);
  for (const JobRecord& record : records) summary_.cached += record.state == JobState::kFinished;
  queue_.add(more.jobs, records);
  observer_.on_planned(more.jobs, records);
  records_.insert(records_.end(), records.begin(), records.end());
  plan_.jobs.insert(plan_.jobs.end(), more.jobs.begin(), more.jobs.end());
}

void Scheduler::stop(const std::string& reason) {
  is_stopping_ = true;
  summary_.stopped_by = reason;
  for (auto& [key, running] : running_) ask_to_stop(running, StopLevel::kCheckpoint);
}

bool Scheduler::may_retry(size_t job, const std::string& error_class) {
  if (error_class.empty()) return true;  // the driver died, not the attempt
  auto allowed = options_.retries.find(error_class);
  if (allowed == options_.retries.end()) allowed = options_.retries.find("other");
  if (allowed == options_.retries.end()) return false;
  return allowed->second < 0 || retried_[{job, error_class}]++ < allowed->second;
}

void Scheduler::drain_after_trouble() {
  for (auto& [key, running] : running_) ask_to_stop(running, StopLevel::kCheckpoint);
  const auto deadline = Clock::now() + kTroublePatience;
  while (executor_.is_busy() && Clock::now() < deadline) executor_.poll(kTick);
}

}  // namespace qbitopt
