#include "qbitopt/schedule/executors/queue/batch_script.h"

#include <fmt/format.h>

#include <filesystem>

#include "qbitopt/schedule/executors/thread_environment.h"

namespace qbitopt {
namespace {

// `wait` returns early when a signal comes; it has to be asked again then, and has nothing left to
// say (127) if the worker's end had been told already.
constexpr const char* kWork = R"(signaled= stopped= worker=
stop() {
  signaled=1 stopped=$1
  [ -z "$worker" ] || kill -"$1" "$worker" 2>/dev/null
}
trap 'stop USR1' USR1
trap 'stop TERM' TERM
echo "${SLURM_ARRAY_JOB_ID:-${SLURM_JOB_ID:-${PBS_JOBID:-${LSB_JOBID:-$JOB_ID}}}}" >"$batch/started.$task"
while IFS= read -r folder <&3; do
  [ -z "$stopped" ] && [ -n "$folder" ] || break
  [ ! -e "$folder/over" ] && [ ! -e "$folder/events.jsonl" ] || continue
  work "$folder/job.json" >"$folder/worker.txt" 2>&1 3<&- &
  worker=$!
  wait "$worker"
  status=$?
  while [ -n "$signaled" ]; do
    signaled=
    wait "$worker"
    again=$?
    [ "$again" -eq 127 ] || status=$again
  done
  worker=
  echo "$status${stopped:+ $stopped}" >"$folder/exit.new" && mv "$folder/exit.new" "$folder/exit"
done 3<<LIST
$(sed -n "s/^$task //p" "$batch/tasks")
LIST
)";

}  // namespace

std::string batch_script(const BatchSystem& system, const QueueBatch& batch,
                         const BatchNeeds& needs, int threads, const QueueSettings& settings,
                         const std::string& command) {
  std::string text = "#!/bin/sh\n" + system.header(batch, needs);
  text += "# Written by `qbitopt run`, which goes on from whatever becomes of this job.\n";
  text += "cd " + shell_quoted(std::filesystem::current_path().string()) + " || exit 1\n";
  text += "batch=" + shell_quoted(batch.folder.string()) + "\n";
  text += system.task_variable().empty() ? std::string("task=0\n")
                                         : fmt::format("task=${{{}:-0}}\n", system.task_variable());
  for (const auto& [name, value] : thread_environment(threads))
    text += fmt::format("export {}={}\n", name, value);
  if (!settings.before.empty()) text += settings.before + "\n";
  // The shell that becomes the worker, so that its signals reach it.
  text += "work() {\n  exec " + command + " \"$1\"\n}\n";
  return text + kWork;
}

}  // namespace qbitopt
