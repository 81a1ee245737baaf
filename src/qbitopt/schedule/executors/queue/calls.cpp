#include "qbitopt/schedule/executors/queue/calls.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <csignal>
#include <utility>

namespace qbitopt {

std::string CallResult::words(const std::string& program) const {
  if (timed_out) return fmt::format("{} did not answer in {:.0f} s", program, seconds);
  const size_t end = err.find_last_not_of(" \t\r\n");
  if (end != std::string::npos) {
    const size_t begin = err.rfind('\n', end);
    return err.substr(begin == std::string::npos ? 0 : begin + 1,
                      end - (begin == std::string::npos ? 0 : begin + 1) + 1);
  }
  if (exit_code != 0) return fmt::format("{} ended with exit status {}", program, exit_code);
  return fmt::format("{} answered what cannot be read: '{}'", program, out.substr(0, 80));
}

Calls::~Calls() {
  if (process_) ::kill(-process_->pid(), SIGKILL);
}

void Calls::add(std::string command, Then then) {
  waiting_.push_back({std::move(command), std::move(then)});
}

void Calls::advance() {
  if (!process_) {
    if (waiting_.empty()) return;
    out_.clear();
    begun_ = Clock::now();
    process_ = std::make_unique<WorkerProcess>(
        WorkerProcess::Options{{"/bin/sh", "-c", waiting_.front().command}, {}, -1});
    process_->close_input();
  }
  const auto status = process_->try_reap();  // before what it wrote last is read
  out_ += process_->read_text();
  CallResult result;
  result.seconds = std::chrono::duration<double>(Clock::now() - begun_).count();
  if (status) {
    result.exit_code = WIFSIGNALED(*status) ? 128 + WTERMSIG(*status) : WEXITSTATUS(*status);
  } else if (result.seconds > patience_.count()) {
    ::kill(-process_->pid(), SIGKILL);  // the shell and what it started
    result.timed_out = true;
  } else {
    return;
  }
  finish(std::move(result));
}

void Calls::finish(CallResult result) {
  result.out = std::exchange(out_, "");
  result.err = process_->errors();
  process_.reset();
  const Then then = std::move(waiting_.front().then);
  waiting_.pop_front();
  then(result);
}

std::string shell_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

}  // namespace qbitopt
