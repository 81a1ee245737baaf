#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace qbitopt::worker {

// Lines from standard input, read on a thread of its own, so that the end of the input is noticed
// while a job trains: it is the driver's wish, or its death, and raises `stop`. Never destroyed, as
// the thread may still use it.
class Input {
 public:
  explicit Input(std::atomic<bool>& stop);

  // Waits for the next line; nothing at the end of the input, or once `stop` is raised.
  std::optional<std::string> next_line();

 private:
  void read();
  void end();

  std::atomic<bool>& stop_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> lines_;
  bool is_at_end_ = false;
};

}  // namespace qbitopt::worker
