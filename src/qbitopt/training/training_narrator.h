#pragma once

// Internal to training.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "qbitopt/quant/torch.h"
#include "qbitopt/training/checkpoint.h"
#include "qbitopt/training/run_context.h"
#include "qbitopt/training/trainer.h"

namespace qbitopt {

// Reports a run to its observer while it trains: points of the training curves, progress, and images
// that cannot be decoded.
class TrainingNarrator {
 public:
  // All three must outlive this. The sums of the curves are in `state`, for checkpoints.
  TrainingNarrator(RunContext& context, TrainingObserver& observer, RunState& state)
      : context_(context), observer_(observer), state_(state) {}

  // A pass of the step after state.step. `loss`: mean over its images, divided by the number of
  // `passes` of the step, without gradient. The numbers stay on the device until add_passes(), so
  // that no step waits for them.
  void add_pass(const torch::Tensor& loss, int passes, const torch::Tensor& logits,
                const torch::Tensor& labels);
  // Adds the passes so far to the state. Throws JobError "non_finite" for a loss that is not finite.
  void add_passes();
  // A point of the training curves over the passes since the last one: mean loss in nats, top-1 in
  // percent, and the learning rate.
  void tell_training(double learning_rate);

  // Reports where the run is: state.step, and `phase` as in Progress ("train", "evaluate").
  void progress(const std::string& phase);
  double seconds_since_progress() const;  // since the last such report
  // A warning about images that could not be decoded, if there are more than it last told of.
  void tell_damaged();

 private:
  using Clock = std::chrono::steady_clock;
  struct Pass {
    int64_t step;
    torch::Tensor sums;  // of loss and right answers
  };

  RunContext& context_;
  TrainingObserver& observer_;
  RunState& state_;
  std::vector<Pass> passes_;  // not added to the state yet
  double last_loss_ = 0;
  double last_top1_ = 0;
  size_t damaged_told_ = 0;
  Clock::time_point told_;
};

// The event NonFinite of `name`, and the JobError "non_finite" to throw.
JobError diverged(TrainingObserver& observer, int64_t step, const std::string& name, double value,
                  const std::string& text);

}  // namespace qbitopt
