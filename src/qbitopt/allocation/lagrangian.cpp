#include "qbitopt/allocation/lagrangian.h"

#include <cmath>

#include "qbitopt/allocation/exchange.h"
#include "qbitopt/allocation/greedy.h"

namespace qbitopt {

Solver::Answer Lagrangian::choose(const Problem& problem, const SolveOptions& options) {
  knapsack_.require(problem, name());
  hull_.build(knapsack_);
  dual_.solve(knapsack_, hull_);
  const double bound = dual_.bound + split_bound_.gain(knapsack_, hull_, dual_);
  greedy_fill(knapsack_, hull_, dual_.position, dual_.slack);
  std::vector<int32_t> picked = choices_at(knapsack_, hull_, dual_.position);
  exchange(knapsack_, dual_, picked);
  return {knapsack_.candidates(problem, picked), std::ldexp(bound, knapsack_.cost_exponent)};
}

}  // namespace qbitopt
