#pragma once

#include "qbitopt/allocation/solver.h"

namespace qbitopt {

// A control: one bit-width for all, the largest at which every budget is kept. A quantizer without
// that candidate takes its next smaller one, or its smallest. Takes any budgets; looks at no costs,
// so the bound is unknown.
class Uniform : public Solver {
 public:
  std::string name() const override { return "uniform"; }
  BudgetSupport budget_support() const override { return BudgetSupport::kAny; }
  bool looks_at_costs() const override { return false; }

 protected:
  Answer choose(const Problem& problem, const SolveOptions& options) override;
};

}  // namespace qbitopt
