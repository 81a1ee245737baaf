#include "qbitopt/allocation/budget_check.h"

#include <algorithm>
#include <stdexcept>

namespace qbitopt {
namespace {

using Integer = __int128;

Integer power_of_ten(int digits) { return digits == 0 ? 1 : 10 * power_of_ten(digits - 1); }

BudgetCheck check(const Budget& budget, const Problem& problem, const std::vector<int>& bits) {
  Integer used = 0;
  Integer weights = 0;
  for (const int member : budget.members) {
    const Integer weight = problem.quantizers.at(member).weight;
    used += weight * bits.at(member);
    weights += weight;
  }
  if (budget.bytes) {
    return {budget.name, static_cast<double>(*budget.bytes), static_cast<double>(used) / 8,
            used <= Integer{8} * *budget.bytes};
  }
  // used / weights <= value / 10^digits, multiplied out.
  const bool is_met =
      used * power_of_ten(budget.average_bits.digits) <= budget.average_bits.value * weights;
  const double average =
      weights == 0 ? 0 : static_cast<double>(used) / static_cast<double>(weights);
  return {budget.name, budget.average_bits.to_double(), average, is_met};
}

BudgetCheck check(const BopsBudget& budget, const std::vector<int>& bits) {
  Integer used = 0;
  for (const BopsBudget::Pair& pair : budget.pairs) {
    used += Integer{pair.macs} * bits.at(pair.weight) * bits.at(pair.activation);
  }
  return {budget.name, static_cast<double>(budget.limit), static_cast<double>(used),
          used <= budget.limit};
}

}  // namespace

std::vector<BudgetCheck> check_budgets(const Problem& problem, const std::vector<int>& bits) {
  if (bits.size() != problem.quantizers.size()) {
    throw std::invalid_argument("check_budgets: " + std::to_string(bits.size()) + " bits for " +
                                std::to_string(problem.quantizers.size()) + " quantizers");
  }
  std::vector<BudgetCheck> checks;
  for (const Budget& budget : problem.budgets) checks.push_back(check(budget, problem, bits));
  for (const BopsBudget& budget : problem.bops) checks.push_back(check(budget, bits));
  return checks;
}

bool is_within_budgets(const Problem& problem, const std::vector<int>& bits) {
  const std::vector<BudgetCheck> checks = check_budgets(problem, bits);
  return std::all_of(checks.begin(), checks.end(), [](const BudgetCheck& c) { return c.is_met; });
}

}  // namespace qbitopt
