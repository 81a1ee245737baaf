#include "qbitopt/allocation/relax_greedy.h"

#include <algorithm>
#include <cmath>

#include "qbitopt/allocation/knapsack/greedy.h"

namespace qbitopt {
namespace {

// Per class, steps up to one candidate below the largest candidate <= its relaxed bits.
std::vector<int32_t> start_below(const Problem& problem, const Knapsack& knapsack,
                                 const std::vector<double>& relaxed) {
  std::vector<int32_t> start(knapsack.classes());
  for (int c = 0; c < knapsack.classes(); ++c) {
    const AllocationQuantizer& quantizer = problem.quantizers[knapsack.layer[c].weight];
    int32_t at = knapsack.first[c];
    while (at + 1 < knapsack.first[c + 1] &&
           quantizer.bits[knapsack.candidate[at + 1]] <= relaxed[c]) {
      ++at;
    }
    start[c] = std::max(0, at - knapsack.first[c] - 1);
  }
  return start;
}

}  // namespace

Solver::Answer RelaxGreedy::choose(const Problem& problem, const SolveOptions& options) {
  knapsack_.require(problem, name());
  hull_.build(knapsack_);
  if (relaxation_.solve(problem, knapsack_)) {
    // A step of a whole bit saves a few times more or less a unit than an infinitesimal one.
    std::vector<double> least = relaxation_.price;
    for (double& price : least) price /= 16;
    dual_.solve(knapsack_, hull_, start_below(problem, knapsack_, relaxation_.bits), least);
  } else {
    dual_.solve(knapsack_, hull_);
  }
  const double bound = dual_.bound + split_bound_.gain(knapsack_, hull_, dual_);
  greedy_fill(knapsack_, hull_, dual_.position, dual_.slack);

  return {knapsack_.candidates(problem, choices_at(knapsack_, hull_, dual_.position)),
          std::ldexp(bound, knapsack_.cost_exponent), false,
          hull_.is_convex
              ? ""
              : "costs are not convex in the bits: replaced by their lower convex hull"};
}

}  // namespace qbitopt
