#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "qbitopt/core/json.h"

namespace qbitopt {

struct Problem;

enum class SolutionStatus {
  kOptimal,     // no allocation is better (proven up to rounding: gap at most 1e-12)
  kFeasible,    // keeps every budget; see `gap`
  kInfeasible,  // no allocation keeps every budget: an answer, not an error
};
std::string to_string(SolutionStatus status);  // "optimal", "feasible", "infeasible"

// How one budget stands, in its own unit: average bits, bytes or bit operations.
struct BudgetUse {
  std::string name;
  double limit = 0;
  double achieved = 0;  // of an infeasible problem: the smallest reachable value
};

// What a solver answers.
struct Solution {
  std::string solver;
  SolutionStatus status = SolutionStatus::kInfeasible;
  std::vector<int> bits;  // per quantizer; empty if infeasible
  double objective = 0;   // sum of the chosen costs
  double bound = 0;       // no allocation costs less; -infinity from a solver that proves nothing
  double gap = 0;         // (objective - bound) / |objective|, 0 where they are equal
  double microseconds = 0;
  std::vector<BudgetUse> budgets;  // in the problem's order: budgets, then bops
  std::string note;  // what the user should know, e.g. that costs were convexified; else empty
};

// {"solver", "status", "objective", "bound", "gap", "microseconds",
//  "budgets": {name: {"limit", "achieved"}}, "bits": {quantizer: bits}},
// and "note" if there is one. Unknown bounds are null.
Json to_json(const Solution& solution, const Problem& problem);

}  // namespace qbitopt
