#include "qbitopt/schedule/run_store.h"

#include <stdexcept>

namespace qbitopt {

const char* name(JobState state) {
  switch (state) {
    case JobState::kNew:
      return "new";
    case JobState::kRunning:
      return "running";
    case JobState::kInterrupted:
      return "interrupted";
    case JobState::kFinished:
      return "finished";
    case JobState::kFailed:
      return "failed";
    case JobState::kStopped:
      return "stopped";
  }
  throw std::logic_error("no such job state");
}

const std::vector<std::string>& job_state_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const JobState state : {JobState::kNew, JobState::kRunning, JobState::kInterrupted,
                                 JobState::kFinished, JobState::kFailed, JobState::kStopped})
      all.emplace_back(name(state));
    return all;
  }();
  return names;
}

}  // namespace qbitopt
