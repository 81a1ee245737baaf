// Tables whose optima another solver has proven, in integers (held/make.py).
#include <gtest/gtest.h>

#include <iterator>
#include <sstream>

#include "qbitopt/allocation/budget_arguments.h"
#include "qbitopt/allocation/csv.h"
#include "qbitopt/allocation/exact.h"
#include "qbitopt/allocation/highs.h"
#include "qbitopt/allocation/solver.h"
#include "qbitopt/core/text_file.h"

namespace qbitopt {
namespace {

const std::string kFolder = QBITOPT_HELD_SET;

struct Held {
  std::string name;
  Problem problem;
  double optimum;
};

std::vector<Held> held_set() {
  std::vector<Held> held;
  const std::string text = read_bytes(kFolder + "/optima.csv");
  CsvReader reader(text, "optima.csv");
  std::vector<CsvReader::Cell> cells;
  for (reader.next(cells); reader.next(cells);) {
    BudgetArguments budgets;
    std::istringstream words(cells[1].text);
    for (std::string word; words >> word;) budgets.averages.push_back(word);
    const std::string table = read_bytes(kFolder + "/" + cells[0].text);
    held.push_back({cells[0].text + " " + cells[1].text,
                    make_problem(AllocationTable::parse(table, cells[0].text), budgets),
                    std::stod(cells[2].text)});
  }
  return held;
}

std::unique_ptr<Solver> make_solver(const std::string& name) {
  SolverRegistry solvers("solver");
  register_solvers(solvers);
  return solvers.make(name, Parameters());
}

// Costs are integers, so their sums are exact.
TEST(HeldSetTest, ExactAndMilpFindTheOptimaThatAnotherSolverHasProven) {
  const std::vector<Held> held = held_set();
  ASSERT_GE(held.size(), 36u);
  const auto exact = make_solver("exact");
  const auto milp = make_solver("milp");
  const bool has_milp = Highs::why_missing().empty();
  for (const auto& [name, problem, optimum] : held) {
    if (Exact::takes(problem)) {
      const Solution solution = exact->solve(problem);
      EXPECT_EQ(solution.status, SolutionStatus::kOptimal) << name;
      EXPECT_EQ(solution.objective, optimum) << name;
    }
    if (!has_milp) continue;
    const Solution solution = milp->solve(problem);
    EXPECT_EQ(solution.status, SolutionStatus::kOptimal) << name;
    EXPECT_EQ(solution.objective, optimum) << name;
  }
}

TEST(HeldSetTest, NoBoundIsAboveAndNoAnswerBelowTheOptimum) {
  for (const std::string name : {"relax_greedy", "uniform", "random"}) {
    const auto solver = make_solver(name);
    for (const auto& [held, problem, optimum] : held_set()) {
      const Solution solution = solver->solve(problem);
      EXPECT_LE(solution.bound, optimum) << name << " " << held;
      EXPECT_GE(solution.objective, optimum) << name << " " << held;
    }
  }
}

}  // namespace
}  // namespace qbitopt
