#pragma once

#include "qbitopt/allocation/knapsack/branch.h"
#include "qbitopt/allocation/knapsack/dual.h"
#include "qbitopt/allocation/knapsack/hull.h"
#include "qbitopt/allocation/knapsack/knapsack.h"
#include "qbitopt/allocation/knapsack/split_bound.h"
#include "qbitopt/allocation/solver.h"

namespace qbitopt {

// The proven optimum for any table of costs, one budget per group (or one bops budget): the dual's
// prices leave a small core of quantizers whose bits are in doubt, and a search over that core
// decides them; where the core is not small, branch and bound over the largest ones. After the time
// limit: the best found, with a certified gap.
class Exact : public Solver {
 public:
  static constexpr double kTimeLimitSeconds = 10;
  // `most_states`: see Branch::Limits.
  explicit Exact(double time_limit_seconds = kTimeLimitSeconds, size_t most_states = 20'000)
      : time_limit_seconds_(time_limit_seconds), most_states_(most_states) {}

  // No two budgets that can bind hold the same quantizer. Throws as validate does.
  static bool takes(const Problem& problem);

  std::string name() const override { return "exact"; }
  BudgetSupport budget_support() const override { return BudgetSupport::kOnePerQuantizer; }

 protected:
  Answer choose(const Problem& problem, const SolveOptions& options) override;

 private:
  double time_limit_seconds_;
  size_t most_states_;
  Knapsack knapsack_;
  Branch branch_;
  // For the bound of a search that was stopped.
  Hull hull_;
  Dual dual_;
  SplitBound split_bound_;
};

}  // namespace qbitopt
