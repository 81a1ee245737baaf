#include "qbitopt/core/registry.h"
#include "qbitopt/schedule/executors/executor.h"
#include "qbitopt/schedule/executors/gpus.h"
#include "qbitopt/schedule/executors/local.h"

namespace qbitopt {
namespace {

std::unique_ptr<Executor> make_local(const ExecutorOptions& options) {
  LocalExecutorOptions local{.worker = options.worker,
                             .lock_file = options.runs_folder / "workers.lock",
                             .jobs = options.jobs};
  if (options.wants_gpus) local.gpus = available_gpus();
  if (local.jobs == 0) local.jobs = static_cast<int>(local.gpus.size());  // one job per GPU
  return std::make_unique<LocalExecutor>(std::move(local));
}

}  // namespace

std::unique_ptr<Executor> make_executor(const std::string& name, const ExecutorOptions& options) {
  Registry<Executor, const ExecutorOptions&> executors("executor");
  executors.add("local", make_local);
  return executors.make(name, options);
}

}  // namespace qbitopt
