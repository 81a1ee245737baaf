#include "qbitopt/allocation/milp.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "qbitopt/allocation/budget_check.h"
#include "qbitopt/allocation/highs.h"
#include "qbitopt/allocation/knapsack/budget_ledger.h"
#include "qbitopt/allocation/knapsack/exchange.h"
#include "qbitopt/allocation/knapsack/greedy.h"
#include "qbitopt/allocation/milp_model.h"

namespace qbitopt {
namespace {

bool fits(const Problem& problem, const std::vector<int>& choices) {
  std::vector<int> bits;
  for (size_t q = 0; q < choices.size(); ++q)
    bits.push_back(problem.quantizers[q].bits[choices[q]]);
  return is_within_budgets(problem, bits);
}

// All but the forbidden candidates and those that cost no less than a smaller one.
std::vector<std::vector<int>> undominated(const Problem& problem) {
  std::vector<std::vector<int>> open;
  for (const AllocationQuantizer& quantizer : problem.quantizers) {
    double lowest = std::numeric_limits<double>::infinity();
    open.emplace_back();
    for (size_t i = 0; i < quantizer.costs.size(); ++i) {
      if (quantizer.costs[i] >= lowest) continue;
      lowest = quantizer.costs[i];
      open.back().push_back(static_cast<int>(i));
    }
  }
  return open;
}

// The candidates that an allocation below the dual's bound plus `excess` may use, and the picked
// ones.
std::vector<std::vector<int>> within(const Problem& problem, const Knapsack& knapsack,
                                     const Dual& dual, const std::vector<int32_t>& picked,
                                     double excess) {
  std::vector<std::vector<int>> open(problem.quantizers.size());
  for (int c = 0; c < knapsack.classes(); ++c) {
    const double price = knapsack.leaf[c] < 0 ? 0 : dual.price[knapsack.leaf[c]];
    const auto paid = [&](int32_t j) {
      return knapsack.cost[j] + price * static_cast<double>(knapsack.load[j]);
    };
    double lowest = std::numeric_limits<double>::infinity();
    for (int32_t j = knapsack.first[c]; j < knapsack.first[c + 1]; ++j)
      lowest = std::min(lowest, paid(j));
    for (int32_t j = knapsack.first[c]; j < knapsack.first[c + 1]; ++j) {
      if (j != picked[c] && paid(j) - lowest >= excess) continue;
      const auto [weight, activation] = knapsack.choice(c, j);
      open[knapsack.layer[c].weight].push_back(weight);
      if (activation >= 0) open[knapsack.layer[c].activation].push_back(activation);
    }
  }
  for (auto& candidates : open) {
    std::sort(candidates.begin(), candidates.end());
    candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
  }
  return open;
}

}  // namespace

Solver::Answer Milp::choose(const Problem& problem, const SolveOptions& options) {
  Answer answer{{}, -std::numeric_limits<double>::infinity()};
  std::vector<std::vector<int>> open;
  if (knapsack_.build(problem).empty()) {
    hull_.build(knapsack_);
    dual_.solve(knapsack_, hull_);
    greedy_fill(knapsack_, hull_, dual_.position, dual_.slack);
    std::vector<int32_t> picked = choices_at(knapsack_, hull_, dual_.position);
    exchange(knapsack_, dual_, picked);
    double objective = 0;
    for (const int32_t choice : picked) objective += knapsack_.cost[choice];
    open = within(problem, knapsack_, dual_, picked, objective - dual_.bound);
    answer.choice = knapsack_.candidates(problem, picked);
    answer.bound = std::ldexp(dual_.bound, knapsack_.cost_exponent);
  } else {
    open = undominated(problem);
    answer.choice = greedy_by_share(problem);
  }

  const std::vector<int> from = answer.choice;
  const double from_cost = total_cost(problem, from);
  MilpModel model(problem, from, open);
  const double columns = static_cast<double>(model.program().cost.size());
  if (columns == 0) {
    answer.optimal = true;
    return answer;
  }
  Highs::Options highs;
  highs.time_limit_seconds = options.time_limit_seconds.value_or(time_limit_seconds_);
  // HiGHS keeps rows up to a tolerance: a point that is over by a few units in exact integers is
  // cut off, and what the tightened program proves is not taken for the original's bound.
  for (int attempt = 0; attempt < 3; ++attempt) {
    const Highs::Answer found = Highs::solve(model.program(), highs);
    const double margin = highs.tolerance * columns * model.cost_unit();
    if (attempt == 0) {
      answer.bound = std::max(answer.bound, from_cost + found.bound * model.cost_unit() - margin);
    }
    if (found.x.empty()) break;
    const std::vector<int> choices = model.allocation(found.x);
    if (fits(problem, choices)) {
      if (total_cost(problem, choices) <= from_cost) answer.choice = choices;
      answer.optimal = found.is_proven && attempt == 0;
      break;
    }
    model.tighten(int64_t{1} << (10 * attempt));
  }
  return answer;
}

}  // namespace qbitopt
