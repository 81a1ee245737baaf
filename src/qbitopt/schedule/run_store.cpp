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

}  // namespace qbitopt
