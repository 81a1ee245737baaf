#include "qbitopt/allocation/exact.h"

#include <algorithm>
#include <cmath>

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
  constexpr double kForever = 1e9;  // seconds; more would overflow the clock
  const std::chrono::duration<double> limit(
      std::min(options.time_limit_seconds.value_or(time_limit_seconds_), kForever));
  const auto deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(limit);

  knapsack_.require(problem, name());
  for (const int32_t parent : knapsack_.parent) {
    if (parent < 0) continue;
    throw InputError(
        "solver 'exact' takes one budget per quantizer, but two of these budgets bind the same "
        "ones; use milp or relax_greedy");
  }
  std::vector<int32_t> picked;
  double bound = 0;
  for (int c = 0; c < knapsack_.classes(); ++c) {
    const bool is_free = knapsack_.leaf[c] < 0;
    picked.push_back(is_free ? knapsack_.first[c + 1] - 1 : knapsack_.first[c]);
    if (is_free) bound += knapsack_.cost[picked.back()];
  }
  bool is_complete = true;
  for (int g = 0; g < knapsack_.budgets(); ++g) {
    const Branch::Proof proof =
        branch_.solve(knapsack_, g, {.most_states = most_states_, .deadline = deadline}, picked);
    bound += proof.bound;
    is_complete &= proof.is_complete;
  }
  if (!is_complete) {
    hull_.build(knapsack_);
    dual_.solve(knapsack_, hull_);
    bound = std::max(bound, dual_.bound + split_bound_.gain(knapsack_, hull_, dual_));
  }
  return {knapsack_.candidates(problem, picked), std::ldexp(bound, knapsack_.cost_exponent),
          is_complete};
}

}  // namespace qbitopt
