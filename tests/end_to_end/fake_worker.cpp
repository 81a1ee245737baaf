// A worker without tensors: speaks the protocol of qbitopt-worker, with the attempts on standard
// input or one in a file, and does as it is told.
//
// FAKE_WORKER holds a JSON list of rules; the first that matches an attempt says what happens to
// it:
//   {"where": {"method": "fixed_precision", "seed": 1}, "attempt": 1, "do": "crash", "signal": 11}
// `where` and `attempt` may be left out. What it can do:
//
//   finish  (default) "steps" steps (10) of "step_seconds" (0) each, then results that depend on
//           the job alone; meanwhile it uses "megabytes" (0) of memory, and reports
//           "validation_loss" + 1 / step after each step
//   fail    with "class" and "text"
//   crash   by "signal" after half of the steps
//   exit    with status "status", before the first event
//   hang    deaf to everything but SIGKILL
//   deaf    says that it finished, without the event
//   full    fails because it cannot write its spool
//
// It stops at end of file on standard input and at SIGTERM, with a checkpoint that a later attempt
// goes on from.
#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <thread>
#include <vector>

#include "qbitopt/core/file_lock.h"
#include "qbitopt/core/hash.h"
#include "qbitopt/core/random.h"
#include "qbitopt/job/job.h"
#include "qbitopt/job/spool.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;

std::atomic<bool> is_terminated{false};

Json rule_for(const Attempt& attempt) {
  const char* text = std::getenv("FAKE_WORKER");
  if (text == nullptr) return Json::object();
  for (const Json& rule : Json::parse(text)) {
    bool matches = !rule.contains("attempt") || rule["attempt"] == attempt.number;
    const Json where = rule.value("where", Json::object());
    for (const auto& [name, value] : where.items()) {
      matches &= attempt.job.parameters.value(name, Json()) == value;
    }
    if (matches) return rule;
  }
  return Json::object();
}

// By default: a sanitizer's handler would make an ordinary exit of it.
void die_of(int signal) {
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

// Reads lines; can look ahead for the end of file.
class Input {
 public:
  // Not `is_open`: no attempts come, and that is no reason to stop.
  explicit Input(bool is_open) : is_open_(is_open) {}

  std::optional<std::string> read_line() {
    while (true) {
      const size_t end = pending_.find('\n');
      if (end != std::string::npos) {
        std::string line = pending_.substr(0, end);
        pending_.erase(0, end + 1);
        return line;
      }
      if (is_terminated || !read_more()) return std::nullopt;
    }
  }

  // True once no more attempts can come; waits up to `seconds` for that.
  bool is_at_end(double seconds) {
    pollfd input{is_open_ ? STDIN_FILENO : -1, POLLIN, 0};
    if (::poll(&input, 1, static_cast<int>(seconds * 1000)) > 0 && !read_more()) at_end_ = true;
    return at_end_;
  }

 private:
  bool read_more() {
    char buffer[65536];
    const ssize_t n = ::read(STDIN_FILENO, buffer, sizeof(buffer));
    if (n > 0) pending_.append(buffer, static_cast<size_t>(n));
    return n > 0;
  }

  const bool is_open_;
  std::string pending_;
  bool at_end_ = false;
};

// A step and its hash; 0 if they do not fit.
int read_checkpoint(const std::string& file) {
  if (file.empty()) return 0;
  std::ifstream stream(file);
  std::string step, hash;
  stream >> step >> hash;
  return hash == sha256(step) ? std::stoi(step) : 0;
}

// Work on one attempt.
class Session {
 public:
  Session(const Attempt& attempt, Input& input)
      : attempt_(attempt), input_(input), rule_(rule_for(attempt)), folder_(attempt.folder) {}

  std::string run() {
    const std::string action = rule_.value("do", "finish");
    if (action == "exit") std::_Exit(rule_.value("status", 1));
    const auto lock = FileLock::try_lock(folder_ / "lock");
    if (!lock) std::_Exit(99);  // someone works on it already
    if (action == "hang") std::signal(SIGTERM, SIG_IGN);
    SpoolWriter spool(folder_ / "events.jsonl");
    std::ofstream(folder_ / "log.txt") << "fake worker, attempt " << attempt_.number << "\n";
    while (action == "hang") ::pause();
    if (action == "deaf") return "finished";
    if (action == "full") {
      std::ofstream(folder_ / "log.txt")
          << folder_.string() << ": " << std::strerror(ENOSPC) << "\n";
      return "failed";
    }
    const std::vector<char> memory(rule_.value("megabytes", size_t{0}) << 20, 'x');
    const int first = read_checkpoint(attempt_.resume_from);
    spool.append(Started{"localhost", ::getpid(), "cpu", threads(), {{"compiler", "none"}}, first});
    inventory(spool);
    const int steps = rule_.value("steps", 10);
    for (int step = first + 1; step <= steps; ++step) {
      if (must_stop()) return interrupt(step - 1);
      if (action == "crash" && step == (steps + 1) / 2) die_of(rule_.value("signal", SIGSEGV));
      const double loss = 2.0 / step + draw("loss", step);
      spool.append(Metrics{step, "train", {{"loss", loss}}});
      if (rule_.contains("validation_loss")) {
        spool.append(Metrics{
            step, "validation", {{"loss", rule_["validation_loss"].get<double>() + 1.0 / step}}});
      }
      spool.append(Progress{step, steps, "train", loss, top1(), average_bits()});
    }
    if (action == "fail") {
      spool.append(Failed{rule_.value("class", "internal"), rule_.value("text", "told to fail")});
      return "failed";
    }
    finish(spool, steps);
    if (!memory.empty() && memory.back() != 'x') std::abort();  // it is in use
    return "finished";
  }

 private:
  bool must_stop() {
    const double seconds = rule_.value("step_seconds", 0.0);
    return is_terminated || (seconds > 0 && input_.is_at_end(seconds)) || is_terminated;
  }

  std::string interrupt(int step) {
    std::ofstream(folder_ / "checkpoint") << step << " " << sha256(std::to_string(step)) << "\n";
    return "interrupted";
  }

  int threads() const {
    const char* count = std::getenv("OMP_NUM_THREADS");
    return count == nullptr ? 0 : std::atoi(count);
  }

  // In [0, 1), from the job and the purpose alone.
  double draw(const char* purpose, int step = 0) const {
    const uint64_t seed = std::stoull(sha256(attempt_.job.key).substr(0, 15), nullptr, 16);
    return Random(seed, purpose, static_cast<uint64_t>(step)).uniform();
  }

  double average_bits() const {
    const Json bits = attempt_.job.parameters.value("budget.average_bits", Json());
    if (bits.is_string()) return std::stod(bits.get<std::string>());
    return bits.is_number() ? bits.get<double>() : 0.0;
  }

  // What a method ends with that only punishes bits: one less for ten times the strength.
  double achieved_bits() const {
    const Json strength = attempt_.job.parameters.value("penalty.strength", Json());
    if (strength.is_number()) return 5 - std::log10(strength.get<double>());
    return std::floor(average_bits());
  }

  double top1() const {
    const double bits = average_bits();
    return 88 - (bits > 0 ? 16 / (bits * bits) : 0) + draw("top1") * 0.5;
  }

  void inventory(SpoolWriter& spool) const {
    if (average_bits() == 0) return;
    spool.append(Inventory{{{"stem.weight", "weight", 144, 28224, false, 8},
                            {"stem.input", "activation", 784, 28224, false, 8},
                            {"conv.weight", "weight", 4608, 903168, true, {}},
                            {"conv.input", "activation", 3136, 903168, true, {}}}});
  }

  void finish(SpoolWriter& spool, int steps) const {
    const int bits = static_cast<int>(std::floor(average_bits()));
    Finished finished;
    finished.steps = steps;
    finished.results = {{"top1", top1()},
                        {"loss", 0.4},
                        {"validation_top1", top1() + 0.1},
                        {"validation_loss", 0.39}};
    finished.seconds = 0.01;
    finished.train_seconds = 0.008;
    finished.peak_memory_bytes = 1 << 20;
    if (bits > 0) {
      const std::vector<BudgetState> budgets = {{"weight", average_bits(), achieved_bits()},
                                                {"activation", average_bits(), achieved_bits()}};
      Reallocation reallocation;
      reallocation.status = "initial";
      reallocation.budgets = budgets;
      reallocation.bits = {8, 8, bits, bits};
      reallocation.ranges = {1, 1, 1, 1};
      spool.append(reallocation);
      finished.results["validation_top1_batch_mode"] = top1();
      finished.bits = reallocation.bits;
      finished.budgets = budgets;
      finished.budget_met = achieved_bits() <= average_bits();
      finished.all_tensor_bits = {{"weight", bits + 0.12}, {"activation", bits + 0.8}};
      finished.weight_bytes = 144 + 4608 * bits / 8;
    }
    leave_artifact(spool, "model", "weights of " + attempt_.job.key);
    if (bits > 0) leave_artifact(spool, "allocation", Json{{"conv.weight", bits}}.dump());
    spool.append(finished);
  }

  void leave_artifact(SpoolWriter& spool, const std::string& name,
                      const std::string& content) const {
    std::ofstream(folder_ / name) << content;
    spool.append(Artifact{name, name, sha256(content), static_cast<int64_t>(content.size())});
  }

  const Attempt& attempt_;
  Input& input_;
  Json rule_;
  fs::path folder_;
};

void listen_to_signals() {
  struct sigaction action = {};
  action.sa_handler = [](int) { is_terminated = true; };
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGUSR1, &action, nullptr);
}

int work_alone(const char* file) {
  listen_to_signals();
  Input input(/*is_open=*/false);
  return Session(read_json(file).get<Attempt>(), input).run() == "failed" ? 1 : 0;
}

int serve() {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  listen_to_signals();
  Input input(/*is_open=*/true);
  while (const std::optional<std::string> line = input.read_line()) {
    const Attempt attempt = Json::parse(*line).get<Attempt>();
    const std::string outcome = Session(attempt, input).run();
    std::cout << Json{{"key", attempt.job.key}, {"outcome", outcome}}.dump() << std::endl;
    if (outcome == "failed") return 1;
    if (outcome == "interrupted") return 0;
  }
  return 0;
}

}  // namespace
}  // namespace qbitopt

int main(int argc, char** argv) {
  return argc > 1 ? qbitopt::work_alone(argv[1]) : qbitopt::serve();
}
