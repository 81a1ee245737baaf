#include "qbitopt/schedule/executors/local.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <thread>

#include "qbitopt/core/error.h"
#include "qbitopt/core/hash.h"
#include "qbitopt/core/processes.h"
#include "qbitopt/schedule/executors/cores.h"
#include "qbitopt/schedule/executors/thread_environment.h"

namespace qbitopt {
namespace {

using std::chrono::milliseconds;

bool nobody_works_on(const Attempt& attempt) {
  return !FileLock::is_held(std::filesystem::path(attempt.folder) / "lock");
}

// The process that holds the attempt's lock; 0: none is visible.
int worker_of(const Attempt& attempt) {
  const auto pids = processes_with_open(std::filesystem::path(attempt.folder) / "lock");
  return pids.empty() ? 0 : pids.front();
}

bool never_began(const Attempt& attempt) {
  return !std::filesystem::exists(std::filesystem::path(attempt.folder) / "events.jsonl");
}

}  // namespace

LocalExecutor::LocalExecutor(LocalExecutorOptions options) : options_(std::move(options)) {
  if (!std::filesystem::exists(options_.worker)) {
    throw InputError("no worker program at " + options_.worker.string() +
                     "; build the target qbitopt_worker, or set QBITOPT_WORKER to another program");
  }
  if (options_.cores == 0) options_.cores = available_cores();
  std::signal(SIGPIPE, SIG_IGN);  // a worker that died is noticed by its end of file
  lock_ = FileLock::try_lock(options_.lock_file);
}

LocalExecutor::~LocalExecutor() {
  for (Worker& worker : workers_) worker.process->close_input();
  const auto patience = Clock::now() + std::min<milliseconds>(options_.grace, milliseconds(3000));
  for (Worker& worker : workers_) {
    if (worker.attempt) continue;  // killed below
    while (!worker.process->try_reap() && Clock::now() < patience) {
      std::this_thread::sleep_for(milliseconds(2));
    }
  }
}

int LocalExecutor::cost(int threads) const {
  return options_.jobs > 0 ? 1 : std::clamp(threads, 1, options_.cores);
}

int LocalExecutor::capacity() const { return options_.jobs > 0 ? options_.jobs : options_.cores; }

std::string LocalExecutor::description() const {
  return fmt::format(
      "worker {}; jobs at a time: {}", options_.worker.string(),
      options_.jobs > 0 ? std::to_string(options_.jobs) : "as many as the cores allow");
}

std::string LocalExecutor::obstacle() const {
  if (lock_) return "";
  std::vector<std::string> texts;
  for (const Orphan& orphan : orphans()) {
    std::string& text = texts.emplace_back(fmt::format("process {}", orphan.pid));
    if (!orphan.key.empty()) text += ", which works on job " + short_key(orphan.key);
    text += orphan.is_stopped
                ? fmt::format(
                      ", is stopped: `kill -CONT {0}` lets it write its checkpoint, `kill -9 {0}` "
                      "ends it without",
                      orphan.pid)
                : ", writes its checkpoint and stops";
  }
  return "waiting for the workers of an earlier run: " +
         (texts.empty() ? "they write their checkpoints and stop"
                        : fmt::to_string(fmt::join(texts, "; ")));
}

double LocalExecutor::share(int threads) const {
  return static_cast<double>(cost(threads)) / capacity();
}

bool LocalExecutor::has_room(int threads) const {
  if (!lock_) return false;
  int used = 0;
  for (const Worker& worker : workers_) {
    if (worker.attempt) used += cost(worker.threads);
  }
  return used + cost(threads) <= capacity();
}

bool LocalExecutor::is_busy() const {
  return std::any_of(workers_.begin(), workers_.end(),
                     [](const Worker& worker) { return worker.attempt.has_value(); });
}

std::string LocalExecutor::idlest_gpu() const {
  const auto users = [&](const std::string& gpu) {
    return std::count_if(workers_.begin(), workers_.end(), [&](const Worker& worker) {
      return worker.gpu == gpu && !worker.is_leaving;
    });
  };
  return *std::min_element(options_.gpus.begin(), options_.gpus.end(),
                           [&](const auto& a, const auto& b) { return users(a) < users(b); });
}

// Those that the fewest workers are pinned to.
std::vector<int> LocalExecutor::unused_cores(int threads) const {
  std::vector<int> cores = allowed_cores();
  const auto users = [&](int core) {
    return std::count_if(workers_.begin(), workers_.end(), [&](const Worker& worker) {
      return !worker.is_leaving &&
             std::find(worker.cores.begin(), worker.cores.end(), core) != worker.cores.end();
    });
  };
  std::stable_sort(cores.begin(), cores.end(), [&](int a, int b) { return users(a) < users(b); });
  cores.resize(std::min(cores.size(), static_cast<size_t>(std::max(1, threads))));
  return cores;
}

std::list<LocalExecutor::Worker>::iterator LocalExecutor::spawn(int threads) {
  // Idle workers of other widths would only hold memory.
  for (Worker& worker : workers_) {
    if (!worker.attempt && worker_count() >= capacity()) leave(worker);
  }
  WorkerProcess::Options process;
  process.command = {options_.worker.string()};
  process.environment = thread_environment(threads);
  process.inherited = lock_->descriptor();
  const std::string gpu = options_.gpus.empty() ? "" : idlest_gpu();
  if (!gpu.empty()) process.environment["CUDA_VISIBLE_DEVICES"] = gpu;
  const std::vector<int> cores = options_.pins_workers ? unused_cores(threads) : std::vector<int>{};
  const PinnedTo pinned(cores);  // a child inherits it
  workers_.push_back({std::make_unique<WorkerProcess>(process), threads, gpu, cores});
  return std::prev(workers_.end());
}

void LocalExecutor::submit(const Attempt& attempt, int threads) {
  const std::string line = Json(attempt).dump();
  auto worker = std::find_if(workers_.begin(), workers_.end(), [&](const Worker& candidate) {
    return !candidate.attempt && !candidate.is_leaving && candidate.threads == threads;
  });
  if (worker == workers_.end() || !worker->process->send_line(line)) {
    worker = spawn(threads);
    worker->process->send_line(line);  // if it dies at once, poll() reports it
  }
  worker->attempt = attempt;
  worker->reported.clear();
}

void LocalExecutor::reattach(const Attempt& attempt) { reattached_.push_back(attempt); }

int LocalExecutor::process_of(const std::string& key) const {
  for (const Worker& worker : workers_) {
    if (worker.attempt && worker.attempt->job.key == key) return worker.process->pid();
  }
  return 0;
}

std::vector<LocalExecutor::Orphan> LocalExecutor::orphans() const {
  std::vector<Orphan> orphans;
  for (const int pid : processes_with_open(options_.lock_file)) {
    const auto status = process_status(pid);
    Orphan orphan{pid, "", status && status->is_stopped};
    const auto files = open_files(pid);
    for (const Attempt& attempt : reattached_) {
      const auto lock = std::filesystem::path(attempt.folder) / "lock";
      if (std::find(files.begin(), files.end(), lock) != files.end()) orphan.key = attempt.job.key;
    }
    orphans.push_back(std::move(orphan));
  }
  return orphans;
}

void LocalExecutor::cancel(const std::string& key, StopLevel level) {
  for (Worker& worker : workers_) {
    if (!worker.attempt || worker.attempt->job.key != key) continue;
    worker.process->close_input();
    worker.is_leaving = true;
    if (level == StopLevel::kKill) worker.process->signal(SIGKILL);
    if (level == StopLevel::kTerminate && !worker.kill_at) {
      worker.process->signal(SIGTERM);
      worker.kill_at = Clock::now() + options_.grace;
    }
  }
  for (const Attempt& attempt : reattached_) {
    if (attempt.job.key != key || level != StopLevel::kKill) continue;
    if (const int pid = worker_of(attempt); pid != 0) ::kill(pid, SIGKILL);
  }
}

void LocalExecutor::leave(Worker& worker) {
  if (worker.is_leaving) return;
  worker.process->close_input();
  worker.is_leaving = true;
  worker.kill_at = Clock::now() + options_.grace;
}

std::vector<Outcome> LocalExecutor::poll(milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  while (true) {
    std::vector<Outcome> outcomes;
    check_orphans(outcomes);
    for (auto worker = workers_.begin(); worker != workers_.end();) {
      hear(*worker, outcomes);
      worker = bury(*worker, outcomes) ? workers_.erase(worker) : std::next(worker);
    }
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
    if (!outcomes.empty() || left.count() <= 0) return outcomes;
    wait_for_news(left);
  }
}

void LocalExecutor::hear(Worker& worker, std::vector<Outcome>& outcomes) {
  for (const std::string& line : worker.process->read_lines()) {
    const Json report = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!worker.attempt || !report.is_object() ||
        report.value("key", "") != worker.attempt->job.key) {
      continue;  // not of the protocol
    }
    const std::string outcome = report.value("outcome", "");
    if (report.value("last", false)) leave(worker);
    if (outcome == "finished") {
      outcomes.push_back({worker.attempt->job.key, outcome});
      worker.attempt.reset();
      worker.has_finished_one = true;
    } else {
      worker.reported = outcome;
      leave(worker);
    }
  }
}

bool LocalExecutor::bury(Worker& worker, std::vector<Outcome>& outcomes) {
  if (worker.kill_at && Clock::now() >= *worker.kill_at) worker.process->signal(SIGKILL);
  const std::optional<int> status = worker.process->try_reap();
  if (!status) return false;
  hear(worker, outcomes);  // what it reported just before
  if (!worker.attempt) return true;
  if (worker.has_finished_one && WIFEXITED(*status) && WEXITSTATUS(*status) == 0 &&
      worker.reported.empty() && never_began(*worker.attempt)) {
    // The worker exited on its own, as workers do after many jobs, just when this attempt was sent.
    const Attempt attempt = *worker.attempt;
    worker.attempt.reset();
    submit(attempt, worker.threads);
    return true;
  }
  Outcome outcome{worker.attempt->job.key, worker.reported};
  if (WIFSIGNALED(*status)) outcome.signal = WTERMSIG(*status);
  if (WIFEXITED(*status)) outcome.exit_code = WEXITSTATUS(*status);
  outcome.last_words = worker.process->last_words();
  outcomes.push_back(std::move(outcome));
  return true;
}

void LocalExecutor::check_orphans(std::vector<Outcome>& outcomes) {
  if (!lock_) lock_ = FileLock::try_lock(options_.lock_file);
  if (!lock_ || reattached_.empty()) return;
  const auto gone =
      std::partition(reattached_.begin(), reattached_.end(),
                     [](const Attempt& attempt) { return !nobody_works_on(attempt); });
  for (auto attempt = gone; attempt != reattached_.end(); ++attempt) {
    outcomes.push_back({attempt->job.key});
  }
  reattached_.erase(gone, reattached_.end());
}

void LocalExecutor::wait_for_news(milliseconds patience) {
  std::vector<pollfd> descriptors;
  bool someone_leaves = false;
  for (const Worker& worker : workers_) {
    someone_leaves |= worker.is_leaving;
    if (!worker.is_leaving) descriptors.push_back({worker.process->output(), POLLIN, 0});
  }
  if (someone_leaves) patience = std::min(patience, milliseconds(3));
  if (!lock_ || !reattached_.empty()) patience = std::min(patience, milliseconds(50));
  ::poll(descriptors.data(), descriptors.size(), static_cast<int>(patience.count()));
}

}  // namespace qbitopt
