#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace qbitopt::worker {

// Reads lines from standard input on a separate thread, so that the end of the input is noticed
// while a job trains: the driver wants the worker to stop, or has died, and `stop` is set. Never
// destroyed, because the thread may still use it.
class Input {
 public:
  explicit Input(std::atomic<bool>& stop);

  // Waits for the next line; nullopt at the end of the input, or after `stop` is set.
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
