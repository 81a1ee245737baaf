#pragma once

#include <atomic>
#include <string>

#include "qbitopt/job/job.h"
#include "qbitopt/training/trainer.h"

namespace qbitopt::worker {

enum class Result { kFinished, kInterrupted, kFailed };

// Executes one attempt in its folder: holds `lock`, writes events.jsonl, and redirects stderr to
// log.txt. Never throws: an error becomes the event Failed or, if that cannot be written (a full
// disk), a line on stderr. Exits with status 99 if another worker is executing the attempt.
Result work_on(const Attempt& attempt, const std::atomic<bool>& stop);

}  // namespace qbitopt::worker
