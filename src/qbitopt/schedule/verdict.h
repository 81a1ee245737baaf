#pragma once

#include <optional>
#include <string>

#include "qbitopt/job/event.h"
#include "qbitopt/schedule/executors/executor.h"
#include "qbitopt/schedule/run_store.h"

namespace qbitopt {

// What the driver knows about an attempt, apart from its worker's last report.
struct Evidence {
  std::string folder;
  bool has_begun = false;        // its first event has come
  bool is_finished = false;      // the event Finished has come
  std::optional<Failed> failed;  // the event Failed
  int64_t first_step = 0;        // that it went on from
  int64_t last_step = 0;         // that it has reported
  std::string spool_error;       // its spool could not be read
  bool is_adopted = false;       // begun by an earlier driver
  std::optional<StopLevel> asked_to_stop;
  bool is_cancelled = false;   // by the user, who wants no other attempt
  std::string hopeless;        // why it is not worth going on; empty: it is
  double stall_seconds = 0;    // for which it sent no event, and was killed; 0: it was not
  double timeout_seconds = 0;  // the limit that it exceeded; 0: none

  // Takes first_step and last_step from an event of the attempt.
  void note_step(const Event& event);
};

// The class of failure of a job that the user cancelled, and the end of its attempt.
inline constexpr const char* kCancelled = "cancelled";
AttemptEnd cancelled();

// True if this is the kernel's message for a full disk (or an exceeded quota or file size).
bool is_disk_full(const std::string& text);

// How an attempt ended, according to its events, or else to the way in which its worker ended. A
// full disk is not a failure of the job: the attempt is interrupted, with class "disk_full". An
// attempt that stopped without being asked is interrupted with class "preempted".
AttemptEnd judge(const Evidence& evidence, const Outcome& outcome);

// True if the attempt has written a checkpoint beyond the step that it began at.
bool has_progressed(const Evidence& evidence);

// True if the next attempt continues from the last checkpoint, because the job itself is not at
// fault.
bool may_resume(const JobRecord& record);

}  // namespace qbitopt
