#include "worker/input.h"

#include <poll.h>
#include <unistd.h>

namespace qbitopt::worker {

// The thread is never joined: it may be blocked in a read that never returns, and the process is
// about to exit.
Input::Input(std::atomic<bool>& stop) : stop_(stop) {
  std::thread([this] { read(); }).detach();
}

void Input::read() {
  std::string pending;
  char buffer[65536];
  while (!stop_) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (::poll(&input, 1, /*milliseconds=*/100) <= 0) continue;
    const ssize_t n = ::read(STDIN_FILENO, buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    pending.append(buffer, static_cast<size_t>(n));
    for (size_t end = 0; (end = pending.find('\n')) != std::string::npos;) {
      const std::lock_guard lock(mutex_);
      lines_.push_back(pending.substr(0, end));
      pending.erase(0, end + 1);
      changed_.notify_one();
    }
  }
  end();
}

void Input::end() {
  const std::lock_guard lock(mutex_);
  stop_ = true;
  is_at_end_ = true;
  changed_.notify_one();
}

std::optional<std::string> Input::next_line() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !lines_.empty() || is_at_end_; });
  if (lines_.empty()) return std::nullopt;
  std::string line = std::move(lines_.front());
  lines_.pop_front();
  return line;
}

}  // namespace qbitopt::worker
