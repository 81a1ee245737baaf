#include "qbitopt/core/registry.h"
#include "qbitopt/schedule/executors/executor.h"
#include "qbitopt/schedule/executors/gpus.h"
#include "qbitopt/schedule/executors/local.h"
#include "qbitopt/schedule/executors/queue.h"

namespace qbitopt {
namespace {

std::unique_ptr<Executor> make_local(const ExecutorOptions& options) {
  LocalExecutorOptions local{.worker = options.worker,
                             .lock_file = options.runs_folder / "workers.lock",
                             .jobs = options.jobs,
                             .pins_workers = options.pins_workers};
  if (options.wants_gpus) local.gpus = choose_gpus(options.gpus, available_gpus());
  if (local.jobs == 0) local.jobs = static_cast<int>(local.gpus.size()) * options.slots_per_gpu;
  return std::make_unique<LocalExecutor>(std::move(local));
}

std::unique_ptr<Executor> make_slurm_executor(const ExecutorOptions& options) {
  return std::make_unique<QueueExecutor>(make_slurm(queue_settings(options.settings)), options);
}

std::unique_ptr<Executor> make_command_executor(const ExecutorOptions& options) {
  const QueueSettings settings = queue_settings(options.settings);
  if (settings.submit.empty()) {
    throw InputError(
        "the executor `command` needs to be told the commands: run: {executor: command, command: "
        "{submit: \"qsub {script}\", status: \"qstat {id}\", cancel: \"qdel {id}\"}} in the sweep "
        "file");
  }
  return std::make_unique<QueueExecutor>(make_command_template(settings), options);
}

}  // namespace

std::unique_ptr<Executor> make_executor(const std::string& name, const ExecutorOptions& options) {
  Registry<Executor, const ExecutorOptions&> executors("executor");
  executors.add("local", make_local);
  executors.add("slurm", make_slurm_executor);
  executors.add("command", make_command_executor);
  return executors.make(name, options);
}

}  // namespace qbitopt
