#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "app/console.h"
#include "qbitopt/schedule/executors/worker_process.h"
#include "qbitopt/schedule/scheduler.h"

namespace qbitopt::app {

// Commands of the user that are told of what happens (run.on_failure, run.on_finish): each is run by
// the shell, with one line of JSON on its standard input. They run beside the sweep, which does not
// wait for them until its end, and not then for longer than half a minute each. One that fails is
// warned of, and changes nothing else.
class Hooks {
 public:
  // The commands are those of the plan, which must outlive the hooks.
  Hooks(const Plan& plan, const std::filesystem::path& database, Console& console);
  ~Hooks();
  Hooks(const Hooks&) = delete;

  void on_failure(const PlannedJob& job, const Attempt& attempt, const AttemptEnd& end);
  void on_finish(const RunSummary& summary, int exit_status, double seconds);
  // Warns of commands that have failed since the last call.
  void look();

 private:
  struct Running {
    std::string command;
    std::unique_ptr<WorkerProcess> process;
    std::chrono::steady_clock::time_point since;
  };
  void wait();  // for those that run
  void call(const char* hook, const Json& what);
  void warn(const std::string& command, const std::string& what);

  const Plan& plan_;
  std::string database_;
  Console& console_;
  std::vector<Running> running_;
};

}  // namespace qbitopt::app
