#pragma once

#include <atomic>
#include <cstdint>

#include "qbitopt/data/batch_source.h"
#include "qbitopt/job/event.h"
#include "qbitopt/job/job.h"
#include "qbitopt/methods/method.h"
#include "qbitopt/models/network.h"

namespace qbitopt {

// Hears what a run has to tell; knows neither JSON nor files.
class TrainingObserver {
 public:
  virtual ~TrainingObserver() = default;
  // Before anything else. `resumed_from_step`: 0 for a fresh run.
  virtual void on_start(int64_t resumed_from_step) {}
  // In the order in which they happen, from the thread that trains.
  virtual void on_event(EventBody event) = 0;
};

// What the parameters of a job can name, by kind.
struct Registries {
  NetworkRegistry networks{"model"};
  DataSetRegistry data_sets{"data set"};
  MethodRegistry methods{"method"};
};
// Everything built in.
void register_everything(Registries& registries);

enum class RunOutcome { kFinished, kInterrupted };

// Trains one job to its end, or writes a checkpoint and returns kInterrupted soon after `stop`
// becomes true. Reports Inventory, Metrics, Reallocation, Progress, Artifact, Note and Finished
// (not Started, not Failed). If the checkpoint to resume from is missing or damaged, a warning says
// so, and the run starts from its beginning. A checkpoint is also written now and then, so that
// little is lost with a killed process. Throws InputError or JobError.
RunOutcome run_attempt(const Attempt& attempt, const Registries& registries,
                       TrainingObserver& observer, const std::atomic<bool>& stop);

}  // namespace qbitopt
