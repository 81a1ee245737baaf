#pragma once

#include <string>
#include <vector>

#include "qbitopt/allocation/problem.h"

namespace qbitopt {

// What an allocation uses of one budget. Computed from bits and weights alone, by code that shares
// nothing with the solvers: this is what decides whether a run keeps its budget.
struct BudgetCheck {
  std::string name;
  double limit = 0;     // average bits, bytes or bit operations
  double achieved = 0;  // in the same unit; rounded, for people
  bool is_met = false;  // decided in exact integers
};

// `bits`: one per quantizer of `problem` (costs and candidates are not looked at). In the problem's
// order: budgets, then bops. Throws std::invalid_argument if the number of bits differs.
std::vector<BudgetCheck> check_budgets(const Problem& problem, const std::vector<int>& bits);

// True if every budget is met.
bool is_within_budgets(const Problem& problem, const std::vector<int>& bits);

}  // namespace qbitopt
