#pragma once

#include <csignal>
#include <map>

namespace qbitopt::app {

// Counts Ctrl-C, SIGTERM and SIGHUP until it is destroyed, so that they do not end the process. If
// one has come, all are ignored from then on: the process ends in good order, and a second Ctrl-C
// that comes late must not cut that short.
// Signals that were ignored (under nohup, in a shell's background) stay ignored. Only one object
// may exist at a time. SIGUSR1, which Slurm sends some time before it ends a job
// (--signal=USR1@300), counts as the first of them and no more: it asks for checkpoints, however
// often it comes.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  int count() const;
  // The first signal; 0: none.
  int first() const;
  // Waits for some time, or until a signal.
  void wait(double seconds) const;

 private:
  std::map<int, struct sigaction> before_;
};

}  // namespace qbitopt::app
