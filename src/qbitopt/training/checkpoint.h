#pragma once

#include <cstdint>
#include <filesystem>

#include "qbitopt/training/loss_scale.h"
#include "qbitopt/training/optimizers.h"
#include "qbitopt/training/run_context.h"
#include "qbitopt/training/weight_average.h"

namespace qbitopt {

// How far a run is.
struct RunState {
  int64_t step = 0;    // optimizer steps done
  double seconds = 0;  // of all attempts together
  double train_seconds = 0;
  // Since the last point of the training curves.
  double loss_sum = 0;
  double right_sum = 0;
  int64_t images = 0;
  LossScale loss_scale;  // of training in float16
};

// Writes everything that a later attempt needs to go on to the same result: network with
// quantizers, optimizers, averaged weights, the method's state, what is known of oscillations, the
// loss scale, and how far the run is. There is always the old file or the new one. It ends in the
// sha256 of its content.
void write_checkpoint(const std::filesystem::path& file, RunContext& context,
                      const Optimizers& optimizers, const WeightAverage& average,
                      const RunState& state);

// Puts everything back. Throws InputError that names a file that does not fit this job.
RunState read_checkpoint(const std::filesystem::path& file, RunContext& context,
                         Optimizers& optimizers, WeightAverage& average);

// The step that a checkpoint goes on from. Throws InputError if the file is gone or damaged.
int64_t checkpoint_step(const std::filesystem::path& file);

}  // namespace qbitopt
