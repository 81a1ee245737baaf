#include "qbitopt/schedule/executors/worker_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

extern char** environ;

namespace qbitopt {
namespace {

[[noreturn]] void fail(int error, const std::string& what) {
  throw std::system_error(error, std::generic_category(), what);
}

struct Pipe {
  int read_end = -1;
  int write_end = -1;
};

Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail(errno, "pipe");
  return {ends[0], ends[1]};
}

void close_once(int& descriptor) {
  if (descriptor >= 0) ::close(descriptor);
  descriptor = -1;
}

// The environment of this process with `changes` applied.
std::vector<std::string> environment_with(const std::map<std::string, std::string>& changes) {
  std::vector<std::string> entries;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!changes.count(text.substr(0, text.find('=')))) entries.push_back(text);
  }
  for (const auto& [name, value] : changes) entries.push_back(name + "=" + value);
  return entries;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

WorkerProcess::WorkerProcess(const Options& options) {
  const Pipe input = make_pipe();
  const Pipe output = make_pipe();
  input_ = input.write_end;
  output_ = output.read_end;
  errors_ = ::memfd_create("worker-stderr", MFD_CLOEXEC);
  ::fcntl(output_, F_SETFL, O_NONBLOCK);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input.read_end, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output.write_end, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, errors_, STDERR_FILENO);
  if (options.inherited >= 0) {  // onto itself: loses its close-on-exec mark
    posix_spawn_file_actions_adddup2(&actions, options.inherited, options.inherited);
  }

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  sigfillset(&signals);
  posix_spawnattr_setsigdefault(&attributes, &signals);

  std::vector<std::string> arguments = options.command;
  std::vector<std::string> environment = environment_with(options.environment);
  const int error = ::posix_spawn(&pid_, arguments.front().c_str(), &actions, &attributes,
                                  pointers_to(arguments).data(), pointers_to(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  ::close(input.read_end);
  ::close(output.write_end);
  if (error != 0) {
    pid_ = -1;
    close_once(input_);
    close_once(output_);
    close_once(errors_);
    fail(error, arguments.front());
  }
}

WorkerProcess::~WorkerProcess() {
  if (!try_reap()) {
    signal(SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  close_once(input_);
  close_once(output_);
  close_once(errors_);
}

bool WorkerProcess::send_line(std::string_view line) {
  std::string text(line);
  text += '\n';
  size_t sent = 0;
  while (sent < text.size()) {
    const ssize_t n = ::write(input_, text.data() + sent, text.size() - sent);
    if (n < 0 && errno != EINTR) return false;
    if (n > 0) sent += static_cast<size_t>(n);
  }
  return true;
}

void WorkerProcess::close_input() { close_once(input_); }

void WorkerProcess::signal(int number) {
  if (!status_) ::kill(pid_, number);
}

std::string WorkerProcess::read_text() {
  char buffer[4096];
  for (ssize_t n = 0; (n = ::read(output_, buffer, sizeof(buffer))) > 0;) {
    pending_.append(buffer, static_cast<size_t>(n));
  }
  return std::exchange(pending_, "");
}

std::vector<std::string> WorkerProcess::read_lines() {
  pending_ += read_text();
  std::vector<std::string> lines;
  for (size_t end = 0; (end = pending_.find('\n')) != std::string::npos;) {
    lines.push_back(pending_.substr(0, end));
    pending_.erase(0, end + 1);
  }
  return lines;
}

std::optional<int> WorkerProcess::try_reap() {
  int status = 0;
  if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
  return status_;
}

std::string WorkerProcess::errors() const {
  char buffer[65536];
  const off_t size = ::lseek(errors_, 0, SEEK_END);
  const off_t start = std::max<off_t>(0, size - static_cast<off_t>(sizeof(buffer)));
  const ssize_t n = ::pread(errors_, buffer, sizeof(buffer), start);
  return std::string(buffer, n > 0 ? static_cast<size_t>(n) : 0);
}

std::string WorkerProcess::last_words() const {
  std::string text = errors();
  const size_t last = text.find_last_not_of(" \t\r\n");
  if (last == std::string::npos) return "";
  text.erase(last + 1);
  return text.substr(text.rfind('\n') + 1);
}

}  // namespace qbitopt
