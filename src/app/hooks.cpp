#include "app/hooks.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <system_error>
#include <thread>

namespace qbitopt::app {
namespace {

constexpr std::chrono::seconds kLongest{30};
constexpr size_t kMostAtOnce = 16;

}  // namespace

Hooks::Hooks(const Plan& plan, const std::filesystem::path& database, Console& console)
    : plan_(plan), database_(std::filesystem::absolute(database).string()), console_(console) {}

Hooks::~Hooks() { wait(); }

void Hooks::wait() {
  while (!running_.empty()) {
    look();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

void Hooks::on_failure(const PlannedJob& job, const Attempt& attempt, const AttemptEnd& end) {
  call("on_failure", {{"event", "job_failed"},
                      {"sweep", plan_.sweep_name},
                      {"database", database_},
                      {"job", job.key},
                      {"parameters", job.job().parameters},
                      {"attempt", attempt.number},
                      {"error_class", end.error_class},
                      {"error_text", end.text},
                      {"log", attempt.folder + "/log.txt"}});
}

void Hooks::on_finish(const RunSummary& summary, int exit_status, double seconds) {
  wait();  // so that this call is the last
  call("on_finish", {{"event", "sweep_ended"},
                     {"sweep", plan_.sweep_name},
                     {"database", database_},
                     {"jobs", plan_.jobs.size()},
                     {"finished", summary.finished},
                     {"cached", summary.cached},
                     {"failed", summary.failed + summary.failed_before},
                     {"stopped", summary.stopped},
                     {"blocked", summary.blocked},
                     {"cancelled", summary.cancelled},
                     {"unfinished", summary.unfinished},
                     {"seconds", seconds},
                     {"exit_status", exit_status}});
}

void Hooks::call(const char* hook, const Json& what) {
  const std::string command = plan_.run.value(hook, std::string());
  if (command.empty()) return;
  if (running_.size() >= kMostAtOnce) return warn(command, "16 earlier calls have not ended yet");
  try {
    auto process =
        std::make_unique<WorkerProcess>(WorkerProcess::Options{{"/bin/sh", "-c", command}, {}, -1});
    process->send_line(what.dump(-1, ' ', false, Json::error_handler_t::replace));
    process->close_input();
    running_.push_back({command, std::move(process), std::chrono::steady_clock::now()});
  } catch (const std::system_error& error) {
    warn(command, error.what());
  }
}

void Hooks::look() {
  const auto now = std::chrono::steady_clock::now();
  std::erase_if(running_, [&](const Running& hook) {
    hook.process->read_text();  // so that it can go on writing
    const std::optional<int> status = hook.process->try_reap();
    if (!status && now - hook.since > kLongest) {
      warn(hook.command, "has not ended after 30 s and was killed");
      hook.process->signal(SIGKILL);
      return true;
    }
    if (status && *status != 0) {
      const int code = WIFEXITED(*status) ? WEXITSTATUS(*status) : 128 + WTERMSIG(*status);
      const std::string words = hook.process->last_words();
      warn(hook.command, fmt::format("exit status {}{}", code, words.empty() ? "" : ": " + words));
    }
    return status.has_value();
  });
}

void Hooks::warn(const std::string& command, const std::string& what) {
  console_.warn(fmt::format("`{}`: {}", command, what));
}

}  // namespace qbitopt::app
