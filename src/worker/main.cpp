// qbitopt-worker: trains. Without arguments it reads attempts from standard input, one line of JSON
// each, and answers each with a line: {"key", "outcome": "finished" | "interrupted" | "failed",
// "last"}. With a file (job.json) it executes only that attempt. It writes a checkpoint and exits
// at the end of its input and on SIGTERM, SIGUSR1 and SIGINT; it also exits after a failed attempt,
// after many attempts, and when it uses much memory.
#include <malloc.h>
#include <sys/prctl.h>

#include <csignal>
#include <cstdio>
#include <iostream>
#include <map>

#include "qbitopt/core/encoding.h"
#include "qbitopt/core/error.h"
#include "qbitopt/quant/torch.h"
#include "qbitopt/training/process.h"
#include "worker/examine.h"
#include "worker/export_network.h"
#include "worker/input.h"
#include "worker/inventory.h"
#include "worker/predict.h"
#include "worker/session.h"

namespace qbitopt::worker {
namespace {

constexpr int kMostAttempts = 300;
constexpr int64_t kMostMemory = int64_t{8} << 30;  // bytes

std::atomic<bool> stop{false};

void listen_to_signals() {
  struct sigaction action = {};
  action.sa_handler = [](int) { stop = true; };
  for (const int signal : {SIGTERM, SIGUSR1, SIGINT}) ::sigaction(signal, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

// Every step allocates the same large buffers again. By default the C library returns them to the
// kernel each time, and page faults then take a sixth of a small network's step.
void keep_freed_memory() {
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);  // its largest
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
  ::mallopt(M_TOP_PAD, 64 << 20);
}

const char* name_of(Result result) {
  switch (result) {
    case Result::kFinished:
      return "finished";
    case Result::kInterrupted:
      return "interrupted";
    case Result::kFailed:
      break;
  }
  return "failed";
}

int serve() {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  static Input& input = *new Input(stop);  // it lives until the process ends, as its thread does
  for (int done = 1;; ++done) {
    const std::optional<std::string> line = input.next_line();
    if (!line) return 0;
    const Attempt attempt = Json::parse(*line).get<Attempt>();
    const Result result = work_on(attempt, stop);
    const bool is_last =
        result != Result::kFinished || done >= kMostAttempts || peak_memory_bytes() > kMostMemory;
    std::cout
        << Json{{"key", attempt.job.key}, {"outcome", name_of(result)}, {"last", is_last}}.dump()
        << std::endl;
    if (is_last) return result == Result::kFailed ? 1 : 0;
  }
}

int work_alone(const char* file) {
  const Result result = work_on(read_json(file).get<Attempt>(), stop);
  return result == Result::kFailed ? 1 : 0;
}

// The verbs that the driver passes on.
const std::map<std::string, int (*)(const std::vector<std::string>&)> kVerbs = {
    {"examine", examine},
    {"export-network", export_network},
    {"inventory", inventory},
    {"predict", predict}};

int main(int argc, char** argv) {
  const std::string argument = argc > 1 ? argv[1] : "";
  const auto verb = kVerbs.find(argument);
  const bool is_verb = verb != kVerbs.end();
  if ((argc > 2 && !is_verb) || argument.rfind("-", 0) == 0) {
    std::fputs(
        "usage: qbitopt-worker [job.json | predict ... | inventory ... | examine ... | "
        "export-network ...]\n"
        "Executes the attempts that the driver sends, or one attempt from a file, or the verbs of\n"
        "`qbitopt` that need tensors.\n",
        stderr);
    return argument == "--help" ? 0 : 2;
  }
  if (!is_verb) listen_to_signals();  // verbs have no checkpoint to write
  keep_freed_memory();
  try {
    if (is_verb) return verb->second({argv + 2, argv + argc});
    return argument.empty() ? serve() : work_alone(argv[1]);
  } catch (const InputError& error) {
    std::fprintf(stderr, "error: %s\n", printable(error.what(), "\n\t").c_str());
    return 2;
  } catch (const c10::Error& error) {
    if (!is_verb) throw;
    std::fprintf(stderr, "error: %s\n", printable(error.what_without_backtrace(), "\n\t").c_str());
    return 1;
  } catch (const std::exception& error) {
    if (!is_verb) throw;
    std::fprintf(stderr, "error: %s\n", printable(error.what(), "\n\t").c_str());
    return 1;
  }
}

}  // namespace
}  // namespace qbitopt::worker

int main(int argc, char** argv) { return qbitopt::worker::main(argc, argv); }
