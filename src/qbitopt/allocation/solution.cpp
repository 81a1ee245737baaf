#include "qbitopt/allocation/solution.h"

#include <cmath>

#include "qbitopt/allocation/problem.h"

namespace qbitopt {

std::string to_string(SolutionStatus status) {
  switch (status) {
    case SolutionStatus::kOptimal:
      return "optimal";
    case SolutionStatus::kFeasible:
      return "feasible";
    case SolutionStatus::kInfeasible:
      break;
  }
  return "infeasible";
}

Json to_json(const Solution& solution, const Problem& problem) {
  const auto number = [](double value) { return std::isfinite(value) ? Json(value) : Json(); };
  Json budgets = Json::object();
  for (const BudgetUse& budget : solution.budgets) {
    budgets[budget.name] = {{"limit", budget.limit}, {"achieved", budget.achieved}};
  }
  Json bits = Json::object();
  for (size_t q = 0; q < solution.bits.size(); ++q) {
    bits[problem.quantizers[q].name] = solution.bits[q];
  }
  const bool found = solution.status != SolutionStatus::kInfeasible;
  Json json = {{"solver", solution.solver},
               {"status", to_string(solution.status)},
               {"objective", found ? number(solution.objective) : Json()},
               {"bound", found ? number(solution.bound) : Json()},
               {"gap", found ? number(solution.gap) : Json()},
               {"microseconds", solution.microseconds},
               {"budgets", budgets},
               {"bits", bits}};
  if (!solution.note.empty()) json["note"] = solution.note;
  return json;
}

}  // namespace qbitopt
