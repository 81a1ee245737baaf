#pragma once

#include <optional>
#include <string>

#include "qbitopt/job/event.h"
#include "qbitopt/schedule/executors/executor.h"
#include "qbitopt/schedule/run_store.h"

namespace qbitopt {

// What the driver knows of an attempt apart from its worker's last report.
struct Evidence {
  std::string folder;
  bool has_begun = false;        // its first event has come
  bool is_finished = false;      // the event Finished has come
  std::optional<Failed> failed;  // the event Failed
  std::string spool_error;       // its spool could not be read
  bool is_adopted = false;       // begun by an earlier driver
  std::optional<StopLevel> asked_to_stop;
  double timeout_seconds = 0;  // that it ran into; 0: it did not
};

// True if these words are the kernel's of a full disk (or quota, or largest file).
bool is_disk_full(const std::string& text);

// How an attempt ended. Its events count most; where they are silent, the way its worker went. A
// full disk is nobody's failure: the attempt is interrupted, of class "disk_full". So is one that
// nobody asked to stop, of class "preempted".
AttemptEnd judge(const Evidence& evidence, const Outcome& outcome);

// True if the next attempt goes on from the last checkpoint: the job itself did nothing wrong.
bool may_resume(const JobRecord& record);

}  // namespace qbitopt
