#include "qbitopt/allocation/solver.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <stdexcept>

#include "qbitopt/allocation/budget_check.h"

namespace qbitopt {
namespace {

// The smallest candidate that is not forbidden, of every quantizer: it uses the least of every
// budget at once.
std::vector<int> smallest_bits(const Problem& problem) {
  std::vector<int> bits;
  bits.reserve(problem.quantizers.size());
  for (const AllocationQuantizer& quantizer : problem.quantizers) {
    size_t i = 0;
    while (std::isinf(quantizer.costs[i])) ++i;
    bits.push_back(quantizer.bits[i]);
  }
  return bits;
}

// Candidate indices of the options' start, if it is one: right size, allowed candidates, within
// every budget.
std::optional<std::vector<int>> start_choice(const Problem& problem, const std::vector<int>& bits) {
  if (bits.size() != problem.quantizers.size()) return std::nullopt;
  std::vector<int> choice;
  for (size_t q = 0; q < bits.size(); ++q) {
    const AllocationQuantizer& quantizer = problem.quantizers[q];
    const auto found = std::find(quantizer.bits.begin(), quantizer.bits.end(), bits[q]);
    choice.push_back(static_cast<int>(found - quantizer.bits.begin()));
    if (found == quantizer.bits.end() || std::isinf(quantizer.costs[choice.back()]))
      return std::nullopt;
  }
  if (!is_within_budgets(problem, bits)) return std::nullopt;
  return choice;
}

// Fills in `budgets`; returns whether all are met.
bool account(const Problem& problem, const std::vector<int>& bits, Solution& solution) {
  bool met = true;
  solution.budgets.clear();
  for (BudgetCheck& check : check_budgets(problem, bits)) {
    met &= check.is_met;
    solution.budgets.push_back({std::move(check.name), check.limit, check.achieved});
  }
  return met;
}

}  // namespace

Solution Solver::solve(const Problem& problem, const SolveOptions& options) {
  constexpr double kProven = 1e-12;
  const auto start = std::chrono::steady_clock::now();
  validate(problem);
  Solution solution;
  solution.solver = name();
  if (account(problem, smallest_bits(problem), solution)) {
    Answer answer = choose(problem, options);
    solution.objective = total_cost(problem, answer.choice);
    if (const auto start = start_choice(problem, options.start_bits); start && looks_at_costs()) {
      const double objective = total_cost(problem, *start);
      if (objective < solution.objective && !answer.optimal) {
        solution.objective = objective;
        answer.choice = *start;
      }
    }
    solution.bits.resize(problem.quantizers.size());
    for (size_t q = 0; q < solution.bits.size(); ++q) {
      solution.bits[q] = problem.quantizers[q].bits[answer.choice[q]];
    }
    if (!account(problem, solution.bits, solution)) {
      throw std::logic_error(name() + " exceeded a budget");
    }
    solution.bound =
        answer.optimal ? solution.objective : std::min(answer.bound, solution.objective);
    const double difference = solution.objective - solution.bound;
    solution.gap = difference > 0 ? difference / std::abs(solution.objective) : 0;
    solution.status = answer.optimal || solution.gap <= kProven ? SolutionStatus::kOptimal
                                                                : SolutionStatus::kFeasible;
    solution.note = std::move(answer.note);
  }
  const auto elapsed = std::chrono::steady_clock::now() - start;
  solution.microseconds = std::chrono::duration<double, std::micro>(elapsed).count();
  return solution;
}

}  // namespace qbitopt
