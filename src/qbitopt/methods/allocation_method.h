#pragma once

#include <memory>
#include <optional>
#include <string>

#include "qbitopt/allocation/solver.h"
#include "qbitopt/methods/method.h"
#include "qbitopt/sensitivity/sensitivity.h"

namespace qbitopt {

// When bits are chosen again: at every multiple of `tau` optimiser steps, as long as `tau` steps
// remain and no more than the fraction `until` of all steps is done.
struct ReallocationSchedule {
  int64_t tau = 250;
  double until = 1;
  // The old bits stay unless the objective falls by at least this fraction.
  double min_gain = 0;

  // Reads reallocation.{tau, until, min_gain}.
  static ReallocationSchedule from(const Parameters& parameters);
  bool is_due(int64_t steps_done, int64_t total_steps) const;
};

// Bits by sensitivity under the budgets (Peters et al., 2023): the solver minimises the sum of the
// sensitivity's costs.
//
// The start, the same whether or not bits are chosen again: ranges of least error at the budget's
// uniform bits, sensitivities from the calibration batches, solve, and ranges once more at the bits
// chosen. With a schedule, bits are then chosen anew from the sensitivities gathered in training;
// ranges stay (or are refitted: reallocation.range_at_change).
class AllocationMethod : public Method {
 public:
  // `schedule`: none: the first choice stays.
  AllocationMethod(std::unique_ptr<Sensitivity> sensitivity, std::unique_ptr<Solver> solver,
                   std::optional<ReallocationSchedule> schedule);

  int backward_passes_per_step() const override;
  void prepare(MethodContext& context) override;
  void start(MethodContext& context) override;
  void after_backward(MethodContext& context, const StepState& state) override;
  void after_step(MethodContext& context, const StepState& state) override;
  void save(torch::serialize::OutputArchive& archive) const override;
  void load(torch::serialize::InputArchive& archive) override;

 private:
  // Costs of every quantiser's candidates, now.
  CostTable measure(MethodContext& context, int64_t step);
  // Solves, sets the bits and reports.
  void choose(MethodContext& context, int64_t step);

  std::unique_ptr<Sensitivity> sensitivity_;
  std::unique_ptr<Solver> solver_;
  std::optional<ReallocationSchedule> schedule_;
};

}  // namespace qbitopt
