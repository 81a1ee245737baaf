#pragma once

#include "qbitopt/allocation/core_search.h"
#include "qbitopt/allocation/dual.h"
#include "qbitopt/allocation/hull.h"
#include "qbitopt/allocation/knapsack.h"
#include "qbitopt/allocation/solver.h"

namespace qbitopt {

// The proven optimum for any table of costs, one budget per group (or one bops budget): the dual's
// prices leave a small core of quantisers whose bits are in doubt, and a search over that core
// decides them. After the time limit: the best found, with a certified gap.
class Exact : public Solver {
 public:
  static constexpr double kTimeLimitSeconds = 10;
  explicit Exact(double time_limit_seconds = kTimeLimitSeconds)
      : time_limit_seconds_(time_limit_seconds) {}

  // No two budgets that can bind hold the same quantizer. Throws as validate does.
  static bool takes(const Problem& problem);

  std::string name() const override { return "exact"; }

 protected:
  Answer choose(const Problem& problem, const SolveOptions& options) override;

 private:
  double time_limit_seconds_;
  Knapsack knapsack_;
  Hull hull_;
  Dual dual_;
  CoreSearch search_;
};

}  // namespace qbitopt
