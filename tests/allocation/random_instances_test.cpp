// All solvers but milp on the same random instances: 20,000 of them, and a million under the label
// `slow`.
#include <gtest/gtest.h>

#include <map>

#include "allocation/instances.h"
#include "qbitopt/allocation/exact.h"
#include "qbitopt/allocation/highs.h"
#include "qbitopt/allocation/solver.h"

namespace qbitopt {
namespace {

using test::Costs;
using test::Weights;

// Half of the instances are small enough for brute force; of the others most have few quantizers.
Problem random_instance(Random& random, uint64_t seed, bool is_small) {
  const int quantizers = is_small ? 2 + static_cast<int>(random.below(3))
                                  : 2 + static_cast<int>(198 * std::pow(random.uniform(), 6));
  Problem problem = test::random_problem(
      random, quantizers,
      {seed % 4 ? Weights::kSixDecades : Weights::kEqual, static_cast<Costs>(seed % 3),
       is_small ? std::vector<int>{2, 3, 5, 8} : std::vector<int>{2, 3, 4, 5, 6, 7, 8}});
  for (AllocationQuantizer& quantizer : problem.quantizers) {
    if (random.below(20) == 0) quantizer.weight = 0;
    if (random.below(20) == 0) quantizer.costs.back() = std::numeric_limits<double>::infinity();
  }
  const std::vector<int> even = test::every_second(problem, 0);
  const std::vector<int> odd = test::every_second(problem, 1);
  switch (random.below(3)) {
    case 0:
      problem.budgets = {{"joint", test::all_members(problem), test::random_average(random)}};
      break;
    case 1:
      problem.budgets = {{"weight", even, test::random_average(random)}};
      break;
    default:
      problem.budgets = {{"weight", even, test::random_average(random)},
                         {"activation", odd, test::random_average(random)}};
  }
  return problem;
}

// The budget by its definition: hundredths of a bit, as random_average gives them.
bool keeps(const Budget& budget, const Problem& problem, const std::vector<int>& bits) {
  int64_t used = 0, allowed = 0;
  for (const int q : budget.members) {
    used += 100 * problem.quantizers[q].weight * bits[q];
    allowed += problem.quantizers[q].weight * budget.average_bits.value;
  }
  return used <= allowed;
}

double cost_of(const Problem& problem, const std::vector<int>& bits) {
  double cost = 0;
  for (size_t q = 0; q < bits.size(); ++q) {
    const auto& [name, weight, candidates, costs] = problem.quantizers[q];
    cost += costs[std::find(candidates.begin(), candidates.end(), bits[q]) - candidates.begin()];
  }
  return cost;
}

class RandomInstances : public testing::Test {
 protected:
  RandomInstances() {
    SolverRegistry registry("solver");
    register_solvers(registry);
    for (const std::string& name : registry.names()) {
      if (name != "milp") solvers_[name] = registry.make(name, Parameters());
    }
  }

  void check(uint64_t seed) {
    Random random(seed, "all solvers");
    const bool is_small = seed % 2 == 0;
    const Problem problem = random_instance(random, seed, is_small);
    std::map<std::string, Solution> solutions;
    for (const auto& [name, solver] : solvers_) {
      const Solution solution = solver->solve(problem);
      ASSERT_NE(solution.status, SolutionStatus::kInfeasible) << name;
      ASSERT_EQ(solution.objective, cost_of(problem, solution.bits)) << name;
      ASSERT_LT(solution.objective, std::numeric_limits<double>::infinity()) << name;
      ASSERT_LE(solution.bound, solution.objective) << name;
      for (const Budget& budget : problem.budgets) {
        ASSERT_TRUE(keeps(budget, problem, solution.bits)) << name;
      }
      solutions[name] = solution;
    }
    const Solution& exact = solutions["exact"];
    ASSERT_EQ(exact.status, SolutionStatus::kOptimal);
    const double best = is_small ? test::brute_force(problem) : exact.objective;
    const double rounding = 1e-12 * std::abs(best);
    ASSERT_NEAR(exact.objective, best, rounding);
    for (const auto& [name, solution] : solutions) {
      ASSERT_GE(solution.objective, best - rounding) << name;
      ASSERT_LE(solution.bound, best + rounding) << name;
    }
  }

  void check_seeds(uint64_t first, uint64_t last) {
    for (uint64_t seed = first; seed < last; ++seed) {
      check(seed);
      if (HasFatalFailure()) {
        Random random(seed, "all solvers");
        FAIL() << "seed " << seed << "\n"
               << test::describe(random_instance(random, seed, seed % 2 == 0));
      }
    }
  }

  std::map<std::string, std::unique_ptr<Solver>> solvers_;
};

TEST_F(RandomInstances, TwentyThousandKeepBudgetsAndBounds) { check_seeds(0, 20'000); }

TEST_F(RandomInstances, SlowAMillionKeepBudgetsAndBounds) { check_seeds(20'000, 1'020'000); }

// Two provers that share no code above the budgets.
TEST_F(RandomInstances, MilpAndExactAgree) {
  if (!Highs::why_missing().empty()) GTEST_SKIP() << Highs::why_missing();
  SolverRegistry registry("solver");
  register_solvers(registry);
  const auto milp = registry.make("milp", Parameters());
  for (uint64_t seed = 1; seed < 200; seed += 2) {
    Random random(seed, "all solvers");
    const Problem problem = random_instance(random, seed, /*is_small=*/false);
    const Solution solution = milp->solve(problem);
    const Solution exact = solvers_["exact"]->solve(problem);
    ASSERT_EQ(solution.status, SolutionStatus::kOptimal) << "seed " << seed;
    ASSERT_NEAR(solution.objective, exact.objective, 1e-8 * exact.objective) << "seed " << seed;
    ASSERT_GE(solution.objective, exact.objective * (1 - 1e-12)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace qbitopt
