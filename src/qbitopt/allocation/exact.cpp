#include "qbitopt/allocation/exact.h"

#include <algorithm>
#include <cmath>

#include "qbitopt/allocation/greedy.h"
#include "qbitopt/core/error.h"

namespace qbitopt {

bool Exact::takes(const Problem& problem) {
  validate(problem);
  Knapsack knapsack;
  if (!knapsack.build(problem).empty()) return false;
  return std::all_of(knapsack.parent.begin(), knapsack.parent.end(),
                     [](int32_t parent) { return parent < 0; });
}

Solver::Answer Exact::choose(const Problem& problem, const SolveOptions& options) {
  using Clock = CoreSearch::Clock;
  const std::chrono::duration<double> limit(
      options.time_limit_seconds.value_or(time_limit_seconds_));
  const auto deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(limit);

  knapsack_.require(problem, name());
  for (const int32_t parent : knapsack_.parent) {
    if (parent < 0) continue;
    throw InputError(
        "solver 'exact' takes one budget per quantizer, but two of these budgets bind the same "
        "ones; "
        "use milp, relax_greedy or lagrangian");
  }
  hull_.build(knapsack_);
  dual_.solve(knapsack_, hull_);
  const std::vector<int32_t> base = choices_at(knapsack_, hull_, dual_.position);
  const std::vector<int64_t> slack = dual_.slack;
  greedy_fill(knapsack_, hull_, dual_.position, dual_.slack);
  std::vector<int32_t> picked = choices_at(knapsack_, hull_, dual_.position);

  double objective = 0;
  for (const int32_t choice : picked) objective += knapsack_.cost[choice];
  const double tolerance = 1e-13 * std::abs(objective);
  double bound = dual_.bound;
  bool is_complete = true;
  for (int g = 0; g < knapsack_.budgets(); ++g) {
    const CoreSearch::Proof proof = search_.solve(
        {knapsack_, knapsack_.members(g), dual_.price[g], base, slack[g], tolerance, deadline},
        picked);
    bound += proof.excess;
    is_complete &= proof.is_complete;
  }
  return {knapsack_.candidates(problem, picked), std::ldexp(bound, knapsack_.cost_exponent),
          is_complete};
}

}  // namespace qbitopt
