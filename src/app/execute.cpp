#include "app/execute.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include "app/executor_choice.h"
#include "app/exit_codes.h"
#include "app/hooks.h"
#include "app/places.h"
#include "app/run_view.h"
#include "app/stop_signals.h"
#include "app/text.h"
#include "qbitopt/core/error.h"
#include "qbitopt/core/hash.h"
#include "qbitopt/runlog/expected_seconds.h"
#include "qbitopt/runlog/queries.h"
#include "qbitopt/schedule/cancel_requests.h"
#include "qbitopt/schedule/executors/executor.h"

namespace po = boost::program_options;

namespace qbitopt::app {
namespace {

// 0: auto. The command line overrides the sweep file.
int jobs_of(const Plan& plan, const CommandLine& line) {
  if (line.has("jobs")) return line.get<SideBySide>("jobs").jobs;
  const Json jobs = plan.run.value("jobs", Json("auto"));
  return jobs.is_number() ? jobs.get<int>() : 0;
}

// Whether unfinished jobs need a GPU. `records`: of the plan's jobs.
bool wants_gpus(const Plan& plan, const std::vector<JobRecord>& records,
                const ExecutorChoice& choice) {
  bool wants_gpu = false;
  for (size_t i = 0; i < plan.jobs.size(); ++i) {
    wants_gpu |=
        records[i].state != JobState::kFinished && plan.jobs[i].parameter("device") == "cuda";
  }
  // A worker of another build may see GPUs that this one does not.
  const bool has_another =
      std::getenv("QBITOPT_WORKER") != nullptr || choice.settings.contains("launch");
  if (wants_gpu && !kSeesGpus && !has_another) {
    throw InputError(
        "device=cuda, but this qbitopt was built with a LibTorch for the CPU; build it again with "
        "one for CUDA: `make CMAKE_PREFIX_PATH=/path/to/libtorch` (needs nvcc), or run with "
        "device=cpu");
  }
  return wants_gpu;
}

SchedulerOptions scheduler_options(const Plan& plan, const CommandLine& line,
                                   const std::filesystem::path& database) {
  SchedulerOptions options;
  options.runs_folder = runs_folder(database);
  options.timeout_seconds =
      line.get_or("timeout", Seconds{plan.run.value("timeout_seconds", 0.0)}).value;
  options.stall_seconds =
      line.get_or("stall-timeout", Seconds{plan.run.value("stall_seconds", 0.0)}).value;
  const Json retries = plan.run.value("retries", Json::object());
  for (const auto& [error_class, count] : retries.items()) {
    options.retries[error_class == "oom" ? "out_of_memory" : error_class] = count.get<int>();
  }
  options.max_failures = line.get_or("fail-fast", Count{0}).value;
  return options;
}

void make_runs_folder(const std::filesystem::path& database) {
  const std::filesystem::path folder = runs_folder(database);
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (std::filesystem::is_directory(folder)) return;
  throw InputError(fmt::format(
      "{}: {}; the jobs' files need a folder of this name; move the file, or use another --db",
      folder.string(), error ? error.message() : std::string("not a folder")));
}

// Reports why no job can start, and again when the reason changes.
class ObstacleWatch {
 public:
  explicit ObstacleWatch(const Executor& executor) : executor_(executor) {}

  // Empty if there is nothing new to report.
  std::string news() {
    const auto now = std::chrono::steady_clock::now();
    if (now - looked_ < std::chrono::seconds(1)) return "";
    looked_ = now;
    std::string text = executor_.obstacle();
    return std::exchange(said_, text) == text ? "" : text;
  }

 private:
  const Executor& executor_;
  std::string said_;
  std::chrono::steady_clock::time_point looked_{};
};

// Learns from the jobs that finish.
class Estimates {
 public:
  explicit Estimates(Database& database) : database_(database) {}

  JobEstimate of(const Job& job) {
    const auto now = std::chrono::steady_clock::now();
    if (!expected_ || now - asked_ > std::chrono::seconds(10)) {
      expected_.emplace(database_.reader());
      asked_ = now;
    }
    return {expected_->of(job), expected_->memory_bytes_of(job)};
  }

 private:
  Database& database_;
  std::optional<ExpectedSeconds> expected_;
  std::chrono::steady_clock::time_point asked_{};
};

ProgressBoard make_board(const Plan& plan, const std::vector<JobRecord>& records,
                         Database& database, const Executor& executor) {
  ProgressBoard::Options options;
  options.share = [&executor](int threads) { return executor.share(threads); };
  options.state_of = [&executor](const std::string& key) { return executor.state_of(key); };
  options.expected_seconds = [&database,
                              expected = std::optional<ExpectedSeconds>()](const Job& job) mutable {
    if (!expected) expected.emplace(database.reader());
    return expected->of(job);
  };
  return ProgressBoard(plan, records, std::move(options));
}

std::string describe(const RunSummary& summary, double seconds) {
  std::string text = fmt::format("{} finished, {} cached", summary.finished, summary.cached);
  const auto add = [&](size_t count, const char* what) {
    if (count > 0) text += fmt::format(", {} {}", count, what);
  };
  add(summary.failed, "failed");
  add(summary.failed_before, "failed before");
  add(summary.cancelled, "cancelled");
  add(summary.stopped, "stopped early");
  add(summary.blocked, "blocked by a failed job");
  add(summary.unfinished - summary.left, "not finished");
  add(summary.left, "left in the queue");
  return text + fmt::format(", in {}", duration(seconds));
}

int exit_code(const RunSummary& summary, int signal) {
  if (signal != 0) return signal == SIGINT ? kInterrupted : kTerminated;
  const bool is_whole = summary.unfinished == 0 || summary.left > 0;
  const bool has_failed =
      summary.failed + summary.failed_before + summary.blocked + summary.cancelled > 0;
  return is_whole && !has_failed ? kGood : kJobsFailed;
}

// After so many signals. The first one leaves the jobs of a queue where they are.
std::string stopping_text(const Executor& executor, int signals) {
  if (!executor.outlives_driver()) {
    return "stopping: running jobs write a checkpoint; a second signal terminates them, a third "
           "one kills them";
  }
  if (signals == 1) {
    return "leaving the jobs in the queue, where the next run finds them; a second signal within 5 "
           "s cancels them";
  }
  return "stopping: queued jobs are cancelled, running jobs write a checkpoint; a third signal "
         "terminates them, a fourth one kills them";
}

}  // namespace

void add_execution_options(CommandLine& line) {
  line.add_verbose();
  line.options()(
      "jobs,j", po::value<SideBySide>()->value_name("N|auto"),
      "number of parallel jobs; auto: one per slot of a GPU, or cores / threads per job, or fewer "
      "if the first jobs show that this is faster; on a cluster: of jobs in the queue (default: "
      "the sweep file's, else auto)")(
      "gpus", po::value<std::string>()->value_name("LIST"),
      "GPUs of this machine to use: 0-3, or 0,2 (default: all that CUDA_VISIBLE_DEVICES shows)")(
      "slots-per-gpu", po::value<Count>()->value_name("N"),
      "number of parallel jobs on each GPU (default: 1)")(
      "timeout", po::value<Seconds>()->value_name("TIME"),
      "time limit of an attempt: 90s, 30m, 12h; 0: none (default: the sweep file's, else none)")(
      "stall-timeout", po::value<Seconds>()->value_name("TIME"),
      "kill a worker that reports nothing for this long, and try its job again; 0: never (default: "
      "the sweep file's, else never)")("pin", po::bool_switch(),
                                       "give each worker of this machine cores of its own")(
      "fail-fast", po::value<Count>()->implicit_value({1}, "1")->value_name("N"),
      "stop after N failed jobs (default: 1)");
  add_executor_options(line);
  line.options()("detach", po::bool_switch(),
                 "submit what can start to the cluster and leave; `run` again goes on");
}

DatabaseOptions patient_database(Console& console) {
  DatabaseOptions options;
  options.meanwhile = [&console](const std::string& wait) {
    if (!wait.empty()) console.warn(wait);
    return true;
  };
  return options;
}

int execute(Plan& plan, const std::filesystem::path& database_file, const DriverLock& lock,
            Database& database, const CommandLine& line, Console& console,
            std::function<Plan()> replan, std::vector<std::string> cancelled) {
  const auto begun = ProgressBoard::Clock::now();
  make_runs_folder(database_file);
  ExecutorOptions options;
  options.worker = worker_program();
  options.runs_folder = runs_folder(database_file);
  options.jobs = jobs_of(plan, line);
  const ExecutorChoice choice = executor_of(plan, line);
  std::vector<JobRecord> records = database.records(plan);
  options.wants_gpus = cancelled.empty() && wants_gpus(plan, records, choice);
  options.gpus = line.get_or("gpus", options.gpus);
  if (!options.wants_gpus && (line.has("gpus") || line.has("slots-per-gpu")))
    console.warn("--gpus and --slots-per-gpu change nothing: no unfinished job has device=cuda");
  options.pins_workers = line.is_on("pin");
  options.slots_per_gpu = line.get_or("slots-per-gpu", Count{1}).value;
  options.settings = choice.settings;
  Estimates estimates(database);
  options.estimate = [&](const Job& job) { return estimates.of(job); };
  const auto executor = make_executor(choice.name, options);
  console.detail(fmt::format("{}; the jobs' files are in {}", executor->description(),
                             shown(options.runs_folder)));

  StopSignals signals;
  ObstacleWatch obstacles(*executor);
  int signals_told = 0;
  std::function<void(const std::string&)> say;
  Hooks hooks(plan, database_file, console);
  const auto on_tick = [&] {
    lock.check();
    if (const std::string news = obstacles.news(); !news.empty()) say(news);
    for (const std::string& note : executor->take_notes()) say(note);
    const int heard = std::min(signals.count(), executor->outlives_driver() ? 2 : 1);
    if (heard > std::exchange(signals_told, heard)) say(stopping_text(*executor, heard));
    hooks.look();
  };
  RunView view(console, make_board(plan, records, database, *executor), on_tick,
               [&](const auto&... failure) { hooks.on_failure(failure...); });
  say = [&](const std::string& text) { view.say(text); };
  if (executor->outlives_driver()) view.set_queued();

  SchedulerOptions how = scheduler_options(plan, line, database_file);
  if (!executor->outlives_driver())
    how.memory_bytes = [&](const Job& job) { return estimates.of(job).bytes; };
  if (options.jobs == 0 && !options.wants_gpus && !executor->outlives_driver())
    how.worker_count.emplace();
  how.records = std::move(records);
  const bool may_leave = executor->outlives_driver();
  how.leave_requested = [&, may_leave] { return may_leave && signals.count() > 0; };
  how.stop_requests = [&, may_leave] { return std::max(0, signals.count() - (may_leave ? 1 : 0)); };
  how.replan = std::move(replan);
  how.detach = line.is_on("detach");
  const CancelRequests requests(options.runs_folder);
  how.cancel_requests = [&requests, cancelled = std::move(cancelled)]() mutable {
    std::vector<std::string> keys = requests.take();
    keys.insert(keys.end(), cancelled.begin(), cancelled.end());
    cancelled.clear();
    return keys;
  };
  const RunSummary summary = Scheduler(plan, *executor, database, view, how).run();

  const std::chrono::duration<double> elapsed = ProgressBoard::Clock::now() - begun;
  for (const SearchState& search : plan.searches) view.say(search_text(search));
  view.say(fmt::format("{} jobs: {}", plan.jobs.size(), describe(summary, elapsed.count())));
  if (summary.left > 0)
    view.say("the same command attaches to them, and starts what waits for them");
  if (summary.cancelled > 0)
    view.say("`qbitopt retry KEY` runs a cancelled job again, from its checkpoint");
  if (summary.stopped > 0)
    view.say("`qbitopt retry KEY` runs a job that was stopped early to its end");
  if (!summary.stopped_by.empty()) console.error("stopped: " + summary.stopped_by);
  if (summary.failed + summary.failed_before > 0) {
    const bool have_results = keys_where(database.reader(), "state = 'failed'").empty();
    console.say(std::string("`qbitopt sql \"SELECT * FROM failures\"` shows details; ") +
                (have_results
                     ? "their earlier results are kept, and `qbitopt retry KEY` runs one again"
                     : "`qbitopt retry --failed` runs them again"));
  }
  const int status = exit_code(summary, signals.first());
  hooks.on_finish(summary, status, elapsed.count());
  return status;
}

}  // namespace qbitopt::app
