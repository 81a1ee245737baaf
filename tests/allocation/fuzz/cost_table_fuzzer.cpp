// Reads a text as a table of costs and solves it. Ends the program if a mistake in the text is not an
// InputError with its place, or if an answer breaks a budget or its bound.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "qbitopt/allocation/budget_arguments.h"
#include "qbitopt/allocation/budget_check.h"
#include "qbitopt/allocation/solver.h"
#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

void require(bool is_true, const char* what) {
  if (is_true) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

void try_solver(const std::string& name, const Problem& problem) {
  static const SolverRegistry solvers = [] {
    SolverRegistry registry("solver");
    register_solvers(registry);
    return registry;
  }();
  SolveOptions options;
  options.time_limit_seconds = 0.02;
  try {
    const Solution solution = solvers.make(name, Parameters())->solve(problem, options);
    if (solution.status == SolutionStatus::kInfeasible) return;
    require(is_within_budgets(problem, solution.bits), "a budget is exceeded");
    require(solution.bound <= solution.objective, "the bound is above the cost");
    to_json(solution, problem).dump(2, ' ', false, Json::error_handler_t::replace);
  } catch (const InputError&) {  // budgets in each other, weights beyond 2^62
  }
}

void try_cost_table(std::string_view text) {
  AllocationTable table;
  try {
    table = AllocationTable::parse(text, "f.csv");
  } catch (const InputError& error) {
    require(std::string(error.what()).starts_with("f.csv"), "a message without the file");
    return;
  }
  require(!table.quantizers.empty() && !table.groups.empty(), "an empty table");
  const BudgetArguments budgets[] = {{{"all=4"}, {}, {}},
                                     {{table.groups.front().name + "=3.25"}, {}, {}},
                                     {{}, {"all=1000"}, {}},
                                     {{}, {}, {"100000"}}};
  for (const BudgetArguments& arguments : budgets) {
    if (!arguments.bops.empty() && !table.has_layers) continue;
    const Problem problem = make_problem(table, arguments);
    for (const char* solver : {"relax_greedy", "exact", "uniform"}) {
      try_solver(solver, problem);
    }
  }
}

}  // namespace
}  // namespace qbitopt

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  qbitopt::try_cost_table({reinterpret_cast<const char*>(data), size});
  return 0;
}
