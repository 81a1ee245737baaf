#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "qbitopt/schedule/executors/worker_process.h"

namespace qbitopt {

// How a command ended.
struct CallResult {
  int exit_code = 0;  // 128 + signal if it died of one; 127 if there is no such program
  bool timed_out = false;
  std::string out;     // standard output
  std::string err;     // what it wrote to stderr, its end
  double seconds = 0;  // that it took

  bool is_good() const { return exit_code == 0 && !timed_out; }
  // The last line of its stderr, or what else can be said for a person.
  std::string words(const std::string& program) const;
};

// Shell commands, one after another, that never keep the caller waiting. One that takes longer than
// `patience` is killed.
class Calls {
 public:
  using Then = std::function<void(const CallResult&)>;

  explicit Calls(std::chrono::duration<double> patience) : patience_(patience) {}
  ~Calls();
  Calls(const Calls&) = delete;

  // `then` is called by advance().
  void add(std::string command, Then then);
  void advance();
  bool is_idle() const { return waiting_.empty(); }

 private:
  using Clock = std::chrono::steady_clock;
  struct Call {
    std::string command;
    Then then;
  };
  void finish(CallResult result);

  std::chrono::duration<double> patience_;
  std::deque<Call> waiting_;  // the first of them runs, if process_ is set
  std::unique_ptr<WorkerProcess> process_;
  std::string out_;
  Clock::time_point begun_{};
};

// A text as one word of a shell command.
std::string shell_quoted(const std::string& text);

}  // namespace qbitopt
