#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qbitopt {

// A child process with which the driver exchanges lines, over pipes to its standard input and from
// its standard output; its stderr is kept. It has its own process group, so that Ctrl-C in the
// terminal reaches only the driver. The destructor kills and reaps it if it is still running.
class WorkerProcess {
 public:
  struct Options {
    std::vector<std::string> command;                // program and arguments
    std::map<std::string, std::string> environment;  // added to that of this process
    int inherited = -1;  // descriptor that the child keeps open; -1: none
  };

  // Throws std::system_error if the program cannot be started.
  explicit WorkerProcess(const Options& options);
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  int pid() const { return pid_; }
  // A descriptor to wait for, readable when a line or the end of file has arrived.
  int output() const { return output_; }

  // Returns false if the child no longer reads.
  bool send_line(std::string_view line);
  void close_input();
  void signal(int number);

  // Complete lines that have arrived since the last call; never waits.
  std::vector<std::string> read_lines();

  // What has arrived since the last call; never waits.
  std::string read_text();

  // The status of waitpid() after the child has exited. Never waits.
  std::optional<int> try_reap();

  // The last nonempty line that it wrote to stderr.
  std::string last_words() const;
  // The end of what it wrote to stderr.
  std::string errors() const;

 private:
  int pid_ = -1;
  int input_ = -1;
  int output_ = -1;
  int errors_ = -1;
  std::string pending_;
  std::optional<int> status_;
};

}  // namespace qbitopt
