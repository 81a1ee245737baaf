#pragma once

#include "qbitopt/allocation/dual.h"
#include "qbitopt/allocation/hull.h"
#include "qbitopt/allocation/knapsack.h"
#include "qbitopt/allocation/solver.h"
#include "qbitopt/allocation/split_bound.h"

namespace qbitopt {

// Any table of costs: the Lagrangian dual over the lower convex hulls, a greedy fill along them,
// then exchanges of one or two quantisers' bits over all candidates, on the hull or not. Between
// relax_greedy and exact in time and quality; takes budgets inside each other.
class Lagrangian : public Solver {
 public:
  std::string name() const override { return "lagrangian"; }

 protected:
  Answer choose(const Problem& problem, const SolveOptions& options) override;

 private:
  Knapsack knapsack_;
  Hull hull_;
  Dual dual_;
  SplitBound split_bound_;
};

}  // namespace qbitopt
