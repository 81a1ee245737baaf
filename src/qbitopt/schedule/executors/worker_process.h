#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qbitopt {

// One child process that is spoken to in lines: pipes to its standard input and from its standard
// output; what it writes to stderr is kept. It has a process group of its own, so that Ctrl-C at
// the terminal reaches the driver alone. Killed and reaped by the destructor if it still runs.
class WorkerProcess {
 public:
  struct Options {
    std::vector<std::string> command;                // program and arguments
    std::map<std::string, std::string> environment;  // on top of this process's own
    int inherited = -1;  // descriptor that the child keeps open; -1: none
  };

  // Throws std::system_error if the program cannot be started.
  explicit WorkerProcess(const Options& options);
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  int pid() const { return pid_; }
  // To wait for: readable when a line or the end of file has come.
  int output() const { return output_; }

  // False if the child reads no more.
  bool send_line(std::string_view line);
  void close_input();
  void signal(int number);

  // Complete lines that have come since the last call; never waits.
  std::vector<std::string> read_lines();

  // The status as of waitpid(), once the child is gone. Never waits.
  std::optional<int> try_reap();

  // Last line with text that it wrote to stderr.
  std::string last_words() const;

 private:
  int pid_ = -1;
  int input_ = -1;
  int output_ = -1;
  int errors_ = -1;
  std::string pending_;
  std::optional<int> status_;
};

}  // namespace qbitopt
