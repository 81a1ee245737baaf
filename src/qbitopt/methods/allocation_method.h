#pragma once

#include <memory>
#include <optional>
#include <string>

#include "qbitopt/allocation/solver.h"
#include "qbitopt/methods/method.h"
#include "qbitopt/sensitivity/sensitivity.h"

namespace qbitopt {

// How far a training run has come, in optimizer steps.
struct TrainingProgress {
  int64_t steps_done = 0;
  int64_t total_steps = 0;
  int64_t batch_norm_freeze_step = 0;  // total_steps: batch norm is never frozen
  double learning_rate_factor = 1;     // of the last step, relative to the top of the schedule
};

// When bits are chosen again: at every multiple of `tau` optimizer steps, as long as `tau` steps
// remain. By default the network settles on its bits at the end: none are chosen once batch norm is
// frozen, because the freeze changes what the sensitivities measure, nor at a learning rate below
// kLeastLearningRate of its top, because weights and ranges can no longer follow. `until` replaces
// both conditions.
struct ReallocationSchedule {
  static constexpr double kLeastLearningRate = 0.05;

  int64_t tau = 250;
  std::optional<double> until;  // the last reallocation, as a fraction of all steps
  // The old bits stay unless the objective falls by at least this fraction.
  double min_gain = 0;

  // Reads reallocation.{tau, until, min_gain}.
  static ReallocationSchedule from(const Parameters& parameters);
  bool is_due(const TrainingProgress& progress) const;
};

// Bits by sensitivity under the budgets (Peters et al., 2023): the solver minimizes the sum of the
// sensitivity's costs.
//
// The start, the same whether or not bits are chosen again: ranges of least error at
// calibration.sensitivity_bits, where the network still works, sensitivities from the calibration
// batches, solve, and ranges once more at the bits chosen. A network that was trained with quantizers before (need start_from) keeps its ranges, and
// its bits as long as the budgets allow them. With a schedule, bits are then chosen anew from the
// sensitivities gathered in training; ranges stay (or are refitted: reallocation.range_at_change).
class AllocationMethod : public Method {
 public:
  // `schedule`: none: the first choice stays. `sensitivity_bits`: of all free tensors while the first
  // sensitivities are measured; 0: the budget's uniform bits.
  AllocationMethod(std::unique_ptr<Sensitivity> sensitivity, std::unique_ptr<Solver> solver,
                   std::optional<ReallocationSchedule> schedule, int sensitivity_bits = 8);

  int backward_passes_per_step() const override;
  void prepare(MethodContext& context) override;
  void start(MethodContext& context) override;
  void begin_phase(MethodContext& context, const Phase& phase) override;
  void before_step(MethodContext& context, const StepState& state) override;
  void after_backward(MethodContext& context, const StepState& state) override;
  void after_step(MethodContext& context, const StepState& state) override;
  void save(torch::serialize::OutputArchive& archive) const override;
  void load(torch::serialize::InputArchive& archive) override;

 private:
  // Costs of every quantizer's candidates, now.
  CostTable measure(MethodContext& context, int64_t step);
  // Reports a warning if the schedule leaves no step at which bits are chosen again.
  void warn_if_never_due(MethodContext& context);
  // Solves, sets the bits and reports.
  void choose(MethodContext& context, int64_t step);

  std::unique_ptr<Sensitivity> sensitivity_;
  std::unique_ptr<Solver> solver_;
  std::optional<ReallocationSchedule> schedule_;
  int sensitivity_bits_;
};

}  // namespace qbitopt
