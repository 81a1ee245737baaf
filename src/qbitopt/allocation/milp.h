#pragma once

#include "qbitopt/allocation/knapsack/dual.h"
#include "qbitopt/allocation/knapsack/hull.h"
#include "qbitopt/allocation/knapsack/knapsack.h"
#include "qbitopt/allocation/solver.h"

namespace qbitopt {

// Any problem, bit operations and overlapping budgets included, as a mixed-integer linear program
// for HiGHS: a binary variable per candidate, and for each layer under a bops budget one per pair
// of candidates. Starts from a greedy allocation; candidates that the dual's bound rules out are
// left out. "optimal" means proven in floating point, within 1e-9 of the largest cost difference
// left.
class Milp : public Solver {
 public:
  static constexpr double kTimeLimitSeconds = 60;
  explicit Milp(double time_limit_seconds = kTimeLimitSeconds)
      : time_limit_seconds_(time_limit_seconds) {}

  std::string name() const override { return "milp"; }
  BudgetSupport budget_support() const override { return BudgetSupport::kAny; }

 protected:
  Answer choose(const Problem& problem, const SolveOptions& options) override;

 private:
  double time_limit_seconds_;
  Knapsack knapsack_;
  Hull hull_;
  Dual dual_;
};

}  // namespace qbitopt
