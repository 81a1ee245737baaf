#pragma once

#include "qbitopt/allocation/knapsack/dual.h"
#include "qbitopt/allocation/knapsack/fit_relaxation.h"
#include "qbitopt/allocation/knapsack/hull.h"
#include "qbitopt/allocation/knapsack/knapsack.h"
#include "qbitopt/allocation/knapsack/split_bound.h"
#include "qbitopt/allocation/solver.h"

namespace qbitopt {

// The paper's solver: relax, then round greedily.
//   1. Solve the continuous relaxation: in closed form where every cost is S / (2^b - 1)^2, over
//      the lower convex hull of the tables otherwise.
//   2. Start every quantizer one candidate below the largest candidate <= its relaxed bits. (At the
//      largest itself the result can be 5% off even with equal weights.)
//   3. Take, again and again, the step that saves most per load and still fits.
//
// Optimal for equal weights, contiguous candidates and convex costs. The bound is the exact
// Lagrangian dual over the integer candidates, sharpened by a few splits. Tables that are not
// convex are replaced by their hull, and the note says so.
class RelaxGreedy : public Solver {
 public:
  std::string name() const override { return "relax_greedy"; }
  BudgetSupport budget_support() const override { return BudgetSupport::kNested; }

 protected:
  Answer choose(const Problem& problem, const SolveOptions& options) override;

 private:
  Knapsack knapsack_;
  Hull hull_;
  FitRelaxation relaxation_;
  Dual dual_;
  SplitBound split_bound_;
};

}  // namespace qbitopt
