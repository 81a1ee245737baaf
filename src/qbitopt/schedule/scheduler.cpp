#include "qbitopt/schedule/scheduler.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <system_error>
#include <utility>

#include "qbitopt/core/error.h"
#include "qbitopt/core/processes.h"
#include "qbitopt/schedule/attempt_folder.h"

namespace qbitopt {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTick{100};
constexpr int kCannotStart = 127;  // exit status when the loader or the shell gives up
constexpr std::chrono::seconds kTroublePatience{30};  // for checkpoints, when the store fails
constexpr int kMostStopRequests = 3;
constexpr int kMostVainAttempts = 3;  // that meet the time limit of a queue without progress
constexpr double kLeavePatience = 6;  // times leave_seconds, for submissions without an answer
constexpr double kComputes = 0.05;    // of one core; a waiting worker uses less

// Sets the function that the store calls while it waits, for the duration of a run.
class Waiting {
 public:
  Waiting(RunStore& store, RunStore::Meanwhile meanwhile)
      : store_(store), before_(store.set_meanwhile(std::move(meanwhile))) {}
  ~Waiting() { store_.set_meanwhile(std::move(before_)); }
  Waiting(const Waiting&) = delete;

 private:
  RunStore& store_;
  RunStore::Meanwhile before_;
};

double unix_seconds_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Jobs of one kind take equally long for a step.
std::string kind_of(const Job& job) {
  Json kind = Json::array();
  for (const char* name : {"method", "model", "data.name", "data.image_size", "training.batch_size",
                           "pretraining.batch_size", "training.accumulate"})
    kind.push_back(job.parameters.value(name, Json()));
  return kind.dump();
}

// The failure that keeps an attempt from starting; nullopt if the step succeeds.
std::optional<AttemptEnd> trouble_of(const std::function<void()>& step) {
  try {
    step();
    return std::nullopt;
  } catch (const InputError& error) {
    return AttemptEnd{JobState::kFailed, 0, 0, "missing_input", error.what()};
  } catch (const JobError& error) {
    return AttemptEnd{JobState::kFailed, 0, 0, error.error_class(), error.what()};
  } catch (const std::system_error& error) {
    if (!is_disk_full(error.what()))
      return AttemptEnd{JobState::kFailed, 0, 0, "folder", error.what()};
    return AttemptEnd{JobState::kInterrupted, 0, 0, "disk_full", error.what()};
  }
}

}  // namespace

Scheduler::Scheduler(Plan& plan, Executor& executor, RunStore& store, RunObserver& observer,
                     SchedulerOptions options)
    : plan_(plan),
      executor_(executor),
      store_(store),
      observer_(observer),
      options_(std::move(options)),
      records_(options_.records ? *std::exchange(options_.records, std::nullopt)
                                : store.records(plan_)),
      queue_(plan_, records_) {
  summary_.cached = queue_.count(JobQueue::Status::kFinished);
  for (const JobRecord& record : records_) summary_.stopped += record.state == JobState::kStopped;
  summary_.failed_before = queue_.count(JobQueue::Status::kFailed) - summary_.stopped;
  if (plan_.stop) early_stopping_.emplace(*plan_.stop, plan_, store_);
  if (options_.worker_count) plan_worker_count();
}

void Scheduler::plan_worker_count() {
  size_t jobs = 0;
  std::set<int> threads;
  for (size_t job = 0; job < plan_.jobs.size(); ++job) {
    const JobQueue::Status status = queue_.status(job);
    if (status != JobQueue::Status::kWaiting && status != JobQueue::Status::kReady) continue;
    ++jobs;
    threads.insert(queue_.threads(job));
  }
  if (threads.size() != 1) return;
  const double share = executor_.share(*threads.begin());
  const int most = share > 0 ? static_cast<int>(1 / share + 1e-9) : 0;
  if (most > 1 && jobs >= WorkerCount::least_jobs(most))
    worker_count_.emplace(most, *options_.worker_count);
}

void Scheduler::note_running() {
  if (!worker_count_) return;
  worker_count_->set_running(static_cast<int>(running_.size()), unix_seconds_now());
}

RunSummary Scheduler::run() {
  const Waiting waiting(store_, [this](const std::string& wait) { return wait_for_store(wait); });
  try {
    adopt_running();
    obey_stop_requests();
    obey_cancel_requests();
    while (!is_over()) {
      start_what_fits();
      store_.commit_if_due();  // the ends of attempts, unless the beginnings of others have done so
      tend();
      note_queue_ids();
      for (const Outcome& outcome : std::exchange(outcomes_, {})) conclude(outcome);
      read_spools();
      obey_cancel_requests();
    }
    store_.commit();
  } catch (...) {
    drain_after_trouble();
    throw;
  }
  if (executor_.outlives_driver()) summary_.left = running_.size();
  summary_.blocked = queue_.count(JobQueue::Status::kBlocked);
  summary_.unfinished = plan_.jobs.size() - queue_.count(JobQueue::Status::kFinished) -
                        queue_.count(JobQueue::Status::kFailed) - summary_.blocked;
  return summary_;
}

void Scheduler::tend() {
  obey_stop_requests();
  for (Outcome& outcome : executor_.poll(kTick)) outcomes_.push_back(std::move(outcome));
  stop_slow_ones();
  notice_silent_ones();
  observer_.on_tick();
}

bool Scheduler::wait_for_store(const std::string& wait) {
  if (!wait.empty()) observer_.on_wait(wait);
  tend();
  return options_.stop_requests() < kMostStopRequests;
}

bool Scheduler::is_over() const {
  const bool can_start = queue_.has_ready() && executor_.has_room(1);
  if (options_.detach && !is_stopping_ && !can_start && executor_.may_be_left()) return true;
  if (!is_stopping_ && has_left()) return true;
  if (!is_stopping_) return running_.empty() && (leaving_since_ || !queue_.has_ready());
  return std::all_of(running_.begin(), running_.end(),
                     [](const auto& entry) { return entry.second.evidence.is_adopted; });
}

bool Scheduler::has_left() const {
  if (!leaving_since_) return false;
  const std::chrono::duration<double> since = Clock::now() - *leaving_since_;
  return since.count() >= kLeavePatience * options_.leave_seconds ||
         (since.count() >= options_.leave_seconds && executor_.may_be_left());
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
    running.evidence.is_adopted = !executor_.outlives_driver();
    running_.emplace(attempt.job.key, std::move(running));
    if (executor_.outlives_driver()) observer_.on_attached(plan_.jobs[job], attempt);
  }
}

void Scheduler::start_what_fits() {
  const auto fits = [&](size_t job) {
    const bool is_allowed =
        !worker_count_ || running_.size() < static_cast<size_t>(worker_count_->limit());
    return is_allowed && executor_.has_room(queue_.threads(job)) && has_memory_for(job);
  };
  while (!is_stopping_ && !leaving_since_) {  // a job that cannot be started may stop the run
    const size_t room = executor_.room_for_batch();
    std::vector<Begun> begun;
    while (begun.size() < room) {
      const std::optional<size_t> job = queue_.take(fits);
      if (!job) break;
      begun.push_back(begin(*job));
    }
    if (begun.empty()) return;
    store_.commit();
    for (Begun& each : begun) start(std::move(each));
  }
}

// What jobs that have just begun will take yet is kept for them. A job that runs alone always fits.
bool Scheduler::has_memory_for(size_t job) {
  if (!options_.memory_bytes || running_.empty()) return true;
  const int64_t needed = options_.memory_bytes(plan_.jobs[job].job()).value_or(0);
  if (needed == 0) return true;
  int64_t free = options_.free_memory_bytes();
  for (const auto& [key, running] : running_) {
    const auto worker = process_status(executor_.process_of(key));
    free -= std::max<int64_t>(0, running.memory_bytes - (worker ? worker->memory_bytes : 0));
  }
  if (needed <= free) return true;
  if (!std::exchange(has_told_of_memory_, true)) {
    constexpr double kGigabyte = 1e9;
    observer_.on_wait(fmt::format(
        "jobs wait for memory: the next one took up to {:.1f} GB when it ran before, and {:.1f} GB "
        "are free",
        static_cast<double>(needed) / kGigabyte,
        static_cast<double>(std::max<int64_t>(0, free)) / kGigabyte));
  }
  return false;
}

Scheduler::Begun Scheduler::begin(size_t job) {
  const PlannedJob& planned = plan_.jobs[job];
  JobRecord& record = records_[job];
  Attempt attempt = plan_attempt(options_.runs_folder, planned.job(), record.attempts + 1);
  record.attempts = attempt.number;
  record.folder = attempt.folder;
  if (may_resume(record)) {
    attempt.resume_from = newest_checkpoint(attempt).string();
  }
  record.state = JobState::kRunning;
  std::optional<AttemptEnd> trouble = trouble_of([&] { attempt.inputs = inputs_of(planned); });
  store_.begin(attempt);
  return {job, std::move(attempt), std::move(trouble)};
}

void Scheduler::start(Begun&& begun) {
  const size_t job = begun.job;
  Attempt& attempt = begun.attempt;
  std::optional<AttemptEnd>& trouble = begun.trouble;
  const PlannedJob& planned = plan_.jobs[job];
  observer_.on_started(planned, attempt);
  // One that was begun with it has filled the disk, or the user has stopped the run meanwhile.
  if (!trouble && is_stopping_) trouble = AttemptEnd{JobState::kInterrupted};
  if (!trouble) trouble = trouble_of([&] { make_folder(attempt); });
  if (trouble) return settle(job, attempt, *trouble);
  SpoolReader spool(std::filesystem::path(attempt.folder) / "events.jsonl");
  Running running{job, std::move(attempt), std::move(spool), Clock::now()};
  running.evidence.folder = running.attempt.folder;
  if (options_.memory_bytes)
    running.memory_bytes = options_.memory_bytes(running.attempt.job).value_or(0);
  if (worker_count_) running.kind = kind_of(running.attempt.job);
  executor_.submit(running.attempt, queue_.threads(job));
  hear_of(running_.emplace(planned.key, std::move(running)).first->second);
  note_running();
}

std::map<std::string, std::string> Scheduler::inputs_of(const PlannedJob& job) {
  std::map<std::string, std::string> inputs;
  for (const auto& [need, key] : *job.needs) {
    inputs[need] = store_.artifact(key, job.artifacts().at(need));
  }
  return inputs;
}

void Scheduler::note_queue_ids() {
  for (const QueueId& job : executor_.take_queue_ids()) {
    const auto running = running_.find(job.key);
    if (running != running_.end()) store_.note_queue_id(running->second.attempt, job.id);
  }
}

void Scheduler::read_spools() {
  if (Clock::now() - spools_read_ < executor_.spool_interval()) return;
  spools_read_ = Clock::now();
  for (auto& [key, running] : running_) {
    if (!executor_.is_waiting(key)) read_spool(running);
  }
  store_.commit_if_due();
}

void Scheduler::read_spool(Running& running) {
  if (!running.evidence.spool_error.empty()) return;
  try {
    for (std::vector<Event> events; !(events = running.spool.read_new()).empty();) {
      store_.ingest(running.attempt, events);
      // It may have waited in a queue until now.
      if (!std::exchange(running.evidence.has_begun, true) && executor_.outlives_driver())
        running.started = Clock::now();
      for (const Event& event : events) {
        running.evidence.note_step(event);
        running.rhythm.hear(event.unix_seconds);
        if (std::holds_alternative<Finished>(event.body)) running.evidence.is_finished = true;
        if (const auto* failed = std::get_if<Failed>(&event.body))
          running.evidence.failed = *failed;
        if (early_stopping_) stop_if_hopeless(running, event);
        if (worker_count_) worker_count_->hear(running.attempt.job.key, running.kind, event);
      }
      if (const auto decision = worker_count_ ? worker_count_->take_decision() : std::nullopt) {
        store_.note(running.attempt, *decision);
        observer_.on_decision(*decision);
      }
      if (running.evidence.is_finished || running.evidence.failed)
        executor_.hear_end(running.attempt.job.key);
      hear_of(running);
      observer_.on_events(running.attempt, events);
    }
  } catch (const InputError& error) {
    running.evidence.spool_error = error.what();
    ask_to_stop(running, StopLevel::kKill);
  }
}

void Scheduler::stop_if_hopeless(Running& running, const Event& event) {
  const std::string reason = early_stopping_->hear(running.job, event);
  Evidence& evidence = running.evidence;
  if (reason.empty() || evidence.is_adopted || evidence.asked_to_stop) return;
  evidence.hopeless = reason;
  ask_to_stop(running, StopLevel::kCheckpoint);
}

void Scheduler::stop_slow_ones() {
  if (options_.stall_seconds <= 0 && options_.timeout_seconds <= 0) return;
  const auto has_passed = [](Clock::time_point then, double seconds) {
    return seconds > 0 && std::chrono::duration<double>(Clock::now() - then).count() >= seconds;
  };
  for (auto& [key, running] : running_) {
    const bool waits = executor_.outlives_driver() && !running.evidence.has_begun;  // in a queue
    if (waits) continue;
    if (has_passed(running.heard, options_.stall_seconds)) {
      running.evidence.stall_seconds = options_.stall_seconds;
      ask_to_stop(running, StopLevel::kKill);
    }
    if (!has_passed(running.started, options_.timeout_seconds)) continue;
    running.evidence.timeout_seconds = options_.timeout_seconds;
    ask_to_stop(running, running.evidence.is_adopted ? StopLevel::kKill : StopLevel::kTerminate);
  }
}

void Scheduler::notice_silent_ones() {
  const std::chrono::duration<double> interval(std::min(1.0, options_.silence_seconds / 4));
  if (Clock::now() - silence_looked_for_ < interval) return;
  silence_looked_for_ = Clock::now();
  for (auto& [key, running] : running_) {
    if (running.evidence.is_adopted || running.is_silent) continue;
    if (const std::optional<Silence> silence = silence_of(running)) {
      running.is_silent = true;
      observer_.on_silence(plan_.jobs[running.job], silence);
    }
  }
}

// nullopt if it is not silent for long.
std::optional<Silence> Scheduler::silence_of(Running& running) {
  const auto since = [now = Clock::now()](Clock::time_point then) {
    return std::chrono::duration<double>(now - then).count();
  };
  const double seconds = since(running.heard), idle_seconds = since(running.computed);
  if (running.evidence.has_begun && seconds > running.rhythm.patience()) {
    return Silence{seconds, executor_.process_of(running.attempt.job.key), false,
                   running.rhythm.longest()};
  }
  if (idle_seconds < options_.silence_seconds) return std::nullopt;
  const int pid = executor_.process_of(running.attempt.job.key);
  if (pid == 0) return std::nullopt;  // on another machine
  const ProcessStatus status = process_status(pid).value_or(ProcessStatus{});
  if (status.cpu_seconds - running.cpu_seconds > kComputes * options_.silence_seconds) {
    running.computed = Clock::now();
    running.cpu_seconds = status.cpu_seconds;
    return std::nullopt;
  }
  return Silence{idle_seconds, pid, status.is_stopped};
}

void Scheduler::hear_of(Running& running) {
  const int pid = executor_.process_of(running.attempt.job.key);
  running.heard = running.computed = Clock::now();
  running.cpu_seconds = process_status(pid).value_or(ProcessStatus{}).cpu_seconds;
  if (std::exchange(running.is_silent, false))
    observer_.on_silence(plan_.jobs[running.job], std::nullopt);
}

void Scheduler::obey_stop_requests() {
  if (!leaving_since_ && options_.leave_requested()) leaving_since_ = Clock::now();
  const int requests = options_.stop_requests();
  if (requests == 0) return;
  is_stopping_ = true;
  const StopLevel level = requests == 1   ? StopLevel::kCheckpoint
                          : requests == 2 ? StopLevel::kTerminate
                                          : StopLevel::kKill;
  for (auto& [key, running] : running_) ask_to_stop(running, level);
}

void Scheduler::obey_cancel_requests() {
  for (const std::string& key : options_.cancel_requests()) {
    const auto running = running_.find(key);
    if (running == running_.end()) {
      if (queue_.contains(key)) cancel(queue_.index(key));
      continue;
    }
    Evidence& evidence = running->second.evidence;
    StopLevel level = evidence.is_adopted ? StopLevel::kKill : StopLevel::kCheckpoint;
    if (evidence.is_cancelled && level == StopLevel::kCheckpoint) {
      level = evidence.asked_to_stop == StopLevel::kCheckpoint ? StopLevel::kTerminate
                                                               : StopLevel::kKill;
    }
    evidence.is_cancelled = true;
    ask_to_stop(running->second, level);
  }
}

// A job that is not running. Its end is recorded as that of an attempt.
void Scheduler::cancel(size_t job) {
  const JobQueue::Status status = queue_.status(job);
  if (status != JobQueue::Status::kWaiting && status != JobQueue::Status::kReady) return;
  const Attempt attempt =
      plan_attempt(options_.runs_folder, plan_.jobs[job].job(), records_[job].attempts + 1);
  store_.begin(attempt);
  store_.end(attempt, cancelled());
  records_[job].attempts = attempt.number;
  observer_.on_cancelled(plan_.jobs[job]);
  ++summary_.cancelled;
  block_those_that_need(job);
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
  if (worker_count_) worker_count_->hear_end(outcome.key);
  note_running();
  if (!running.evidence.spool_error.empty()) drop_checkpoint(running.attempt);
  AttemptEnd end = judge(running.evidence, outcome);
  bound_time_limits(running, outcome, end);
  if (end.state != JobState::kFinished &&
      (running.evidence.is_adopted || executor_.outlives_driver()))
    close_folder(running.attempt);
  if (!running.evidence.has_begun && outcome.exit_code == kCannotStart) {
    store_.end(running.attempt, {JobState::kInterrupted, kCannotStart, 0, "", end.text});
    throw InputError("no worker can be started: " + outcome.last_words);
  }
  settle(running.job, running.attempt, end);
}

// A queue's time limit that is too short for a single checkpoint would let a job be tried for ever.
void Scheduler::bound_time_limits(const Running& running, const Outcome& outcome, AttemptEnd& end) {
  if (!outcome.ran_out_of_time || end.error_class != "preempted") return;
  if (has_progressed(running.evidence)) {
    vain_.erase(running.job);
    return;
  }
  if (++vain_[running.job] < kMostVainAttempts) return;
  vain_.erase(running.job);
  end.state = JobState::kFailed;
  end.error_class = "timeout";
  end.text = fmt::format(
      "{} attempts in a row met the time limit of their job before a new checkpoint, the last at "
      "step {} ({}); give a job more time, by --time or another partition",
      kMostVainAttempts, running.evidence.last_step, end.text);
}

void Scheduler::settle(size_t job, const Attempt& attempt, AttemptEnd end) {
  const bool has_no_room = end.error_class == "disk_full";
  const bool is_cancelled = end.error_class == kCancelled;
  end.will_retry = !is_stopping_ && end.state != JobState::kFinished &&
                   end.state != JobState::kStopped && !has_no_room && !is_cancelled &&
                   may_retry(job, end.error_class);
  if (!end.will_retry && !is_stopping_ && !has_no_room && end.state == JobState::kInterrupted) {
    end.state = JobState::kFailed;  // preempted too often
  }
  store_.end(attempt, end);
  records_[job].state = end.state;
  records_[job].error_class = end.error_class;
  observer_.on_ended(plan_.jobs[job], attempt, end, end.will_retry);
  if (has_no_room) stop(end.text);
  if (end.state == JobState::kFinished) {
    ++summary_.finished;
    queue_.finish(job);
    grow();
  } else if (end.will_retry || end.state == JobState::kInterrupted) {
    queue_.put_back(job);
  } else {
    block_those_that_need(job);
    if (is_cancelled) {
      ++summary_.cancelled;
    } else if (end.state == JobState::kStopped) {
      ++summary_.stopped;
    } else {
      count_failure();
    }
  }
}

void Scheduler::block_those_that_need(size_t job) {
  for (const size_t blocked : queue_.fail(job)) observer_.on_blocked(plan_.jobs[blocked]);
}

void Scheduler::count_failure() {
  ++summary_.failed;
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
  if (executor_.outlives_driver()) return;
  for (auto& [key, running] : running_) ask_to_stop(running, StopLevel::kCheckpoint);
  const auto deadline = Clock::now() + kTroublePatience;
  while (executor_.is_busy() && Clock::now() < deadline) executor_.poll(kTick);
}

}  // namespace qbitopt
