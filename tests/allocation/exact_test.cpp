#include "qbitopt/allocation/exact.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "allocation/instances.h"
#include "qbitopt/allocation/relax_greedy.h"
#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

using test::Costs;
using test::Weights;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(ExactTest, EqualsBruteForceOnTwoThousandSmallInstances) {
  Exact solver;
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    Random random(seed, "exact brute force");
    const int quantizers = 2 + static_cast<int>(random.below(5));
    Problem problem = test::random_problem(random, quantizers,
                                           {seed % 4 ? Weights::kSixDecades : Weights::kEqual,
                                            static_cast<Costs>(seed % 3),
                                            {2, 3, 4, 6, 8}});
    const std::vector<int> even = test::every_second(problem, 0);
    const std::vector<int> odd = test::every_second(problem, 1);
    if (seed % 2) {
      problem.budgets = {{"weight", even, test::random_average(random)},
                         {"activation", odd, test::random_average(random)}};
    } else {
      problem.budgets = {{"joint", test::all_members(problem), test::random_average(random)}};
    }
    const Solution solution = solver.solve(problem);
    const double best = test::brute_force(problem);
    ASSERT_EQ(solution.status, SolutionStatus::kOptimal);
    ASSERT_TRUE(is_within_budgets(problem, solution.bits));
    ASSERT_NEAR(solution.objective, best, 1e-12 * best) << "seed " << seed << "\n"
                                                        << test::describe(problem);
  }
}

// Small integers make sums tie, slack run out exactly and states coincide.
TEST(ExactTest, EqualsBruteForceWhereManySumsCoincide) {
  Exact solver;
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    Random random(seed, "exact ties");
    Problem problem;
    for (int q = 0; q < 6; ++q) {
      AllocationQuantizer quantizer{
          "q" + std::to_string(q), static_cast<int64_t>(random.below(6)), {2, 3, 5, 8}, {}};
      for (int i = 0; i < 4; ++i) quantizer.costs.push_back(static_cast<double>(random.below(12)));
      problem.quantizers.push_back(quantizer);
    }
    problem.budgets = {{"weight", test::all_members(problem), test::random_average(random)}};
    const Solution solution = solver.solve(problem);
    ASSERT_EQ(solution.status, SolutionStatus::kOptimal);
    ASSERT_EQ(solution.objective, test::brute_force(problem)) << "seed " << seed << "\n"
                                                              << test::describe(problem);
  }
}

// Sum over a table: best cost for every load up to the capacity. Another algorithm, for sizes
// beyond brute force.
double by_table(const Problem& problem) {
  const int64_t most = capacity(problem.budgets.front(), problem);
  std::vector<double> best(static_cast<size_t>(most) + 1, 0.0);
  for (const AllocationQuantizer& quantizer : problem.quantizers) {
    std::vector<double> next(best.size(), std::numeric_limits<double>::infinity());
    for (size_t i = 0; i < quantizer.bits.size(); ++i) {
      const int64_t load = quantizer.weight * quantizer.bits[i];
      for (int64_t used = load; used <= most; ++used) {
        next[used] = std::min(next[used], best[used - load] + quantizer.costs[i]);
      }
    }
    best = std::move(next);
  }
  return best.back();
}

TEST(ExactTest, EqualsADynamicProgramOverLoadsAtFiftyQuantizers) {
  Exact solver;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    Random random(seed, "exact table");
    Problem problem =
        test::random_problem(random, 50, {Weights::kEqual, static_cast<Costs>(seed % 3)});
    for (auto& quantizer : problem.quantizers)
      quantizer.weight = 1 + static_cast<int64_t>(random.below(60));
    problem.budgets = {{"weight", test::all_members(problem), test::random_average(random)}};
    const Solution solution = solver.solve(problem);
    const double best = by_table(problem);
    ASSERT_EQ(solution.status, SolutionStatus::kOptimal);
    ASSERT_NEAR(solution.objective, best, 1e-12 * best) << "seed " << seed;
  }
}

TEST(ExactTest, FindsTheSameOptimumHoweverSoonItBranches) {
  Exact at_once(10, 3);
  Exact never(10, size_t{1} << 30);
  for (uint64_t seed = 0; seed < 600; ++seed) {
    Random random(seed, "exact branches");
    const bool is_small = seed % 2 == 0;
    const int quantizers = static_cast<int>(is_small ? 2 + random.below(4) : 10 + random.below(60));
    Problem problem = test::random_problem(
        random, quantizers, {Weights::kSixDecades, static_cast<Costs>(seed % 3), {2, 3, 5, 8}});
    problem.budgets = {
        {"weight", test::every_second(problem, 0), test::random_average(random)},
        {"activation", test::every_second(problem, 1), test::random_average(random)}};
    const Solution solution = at_once.solve(problem);
    const double best = is_small ? test::brute_force(problem) : never.solve(problem).objective;
    ASSERT_EQ(solution.status, SolutionStatus::kOptimal) << "seed " << seed;
    ASSERT_NEAR(solution.objective, best, 1e-12 * best) << "seed " << seed << "\n"
                                                        << test::describe(problem);
  }
}

TEST(ExactTest, IsNeverWorseThanRelaxGreedyAndNeverBelowItsBound) {
  Exact exact;
  RelaxGreedy greedy;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    Random random(seed, "exact and greedy");
    Problem problem = test::random_problem(random, 2 + static_cast<int>(random.below(300)),
                                           {Weights::kSixDecades, static_cast<Costs>(seed % 3)});
    problem.budgets = {{"weight", test::all_members(problem), test::random_average(random)}};
    const Solution best = exact.solve(problem);
    const Solution rounded = greedy.solve(problem);
    ASSERT_LE(best.objective, rounded.objective);
    ASSERT_GE(best.objective, rounded.bound);
  }
}

TEST(ExactTest, AfterItsTimeLimitReturnsTheBestWithACertifiedGap) {
  Random random(3, "limit");
  Problem problem = test::random_problem(random, 3000, {});
  problem.budgets = {{"weight", test::all_members(problem), {4, 0}}};
  SolveOptions options;
  options.time_limit_seconds = 0;
  const Solution stopped = Exact().solve(problem, options);
  const Solution solved = Exact().solve(problem);
  EXPECT_EQ(stopped.status, SolutionStatus::kFeasible);
  EXPECT_EQ(solved.status, SolutionStatus::kOptimal);
  EXPECT_TRUE(is_within_budgets(problem, stopped.bits));
  EXPECT_GT(stopped.gap, 0);
  EXPECT_LE(stopped.bound, solved.objective);
  EXPECT_GE(stopped.objective, solved.objective);
}

TEST(ExactTest, NoTimeLimitIsTooLong) {
  Random random(1, "long");
  Problem problem = test::random_problem(random, 200, {});
  problem.budgets.push_back({"W", test::all_members(problem), Decimal{4, 0}});
  for (const double seconds : {1e10, 1e300, kInfinity})
    EXPECT_EQ(Exact(seconds).solve(problem).status, SolutionStatus::kOptimal) << seconds;
}

TEST(ExactTest, ChoosesWeightAndActivationBitsTogetherUnderBitOperations) {
  Exact solver;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed, "bops");
    Problem problem =
        test::random_problem(random, 6, {Weights::kEqual, static_cast<Costs>(seed % 3), {2, 4, 8}});
    BopsBudget budget;
    for (int layer = 0; layer < 3; ++layer) {
      budget.pairs.push_back(
          {2 * layer, 2 * layer + 1, 1 + static_cast<int64_t>(random.below(1000))});
      budget.limit += budget.pairs.back().macs * (4 + static_cast<int64_t>(random.below(61)));
    }
    problem.bops = {budget};
    const Solution solution = solver.solve(problem);
    const double best = test::brute_force(problem);
    ASSERT_EQ(solution.status, SolutionStatus::kOptimal);
    ASSERT_TRUE(is_within_budgets(problem, solution.bits));
    ASSERT_NEAR(solution.objective, best, 1e-12 * best) << "seed " << seed << "\n"
                                                        << test::describe(problem);
  }
}

TEST(ExactTest, TakesNegativeCosts) {
  Problem problem;
  problem.quantizers.push_back({"a", 5, {2, 3, 4}, {0.5, -0.25, -0.125}});
  problem.quantizers.push_back({"b", 7, {2, 3, 4}, {0.0, -1.0, -3.0}});
  problem.budgets = {{"weight", {0, 1}, Decimal::parse("3.2")}};
  EXPECT_THAT(Exact().solve(problem).bits, ElementsAre(2, 4));
  EXPECT_EQ(Exact().solve(problem).objective, test::brute_force(problem));
}

TEST(ExactTest, RefusesTwoBindingBudgetsOnTheSameQuantizers) {
  Problem problem;
  problem.quantizers.push_back({"a", 1, {2, 8}, {1.0, 0.0}});
  problem.quantizers.push_back({"b", 1, {2, 8}, {1.0, 0.0}});
  problem.budgets = {{"weight", {0}, {6, 0}}, {"joint", {0, 1}, {6, 0}}};
  try {
    Exact().solve(problem);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("one budget per quantizer"));
    EXPECT_THAT(error.what(), HasSubstr("use milp"));
  }
}

TEST(ExactTest, ABudgetThatCannotBindDoesNotCount) {
  Problem problem;
  problem.quantizers.push_back({"a", 1, {2, 8}, {1.0, 0.0}});
  problem.quantizers.push_back({"b", 1, {2, 8}, {2.0, 0.0}});
  problem.budgets = {{"weight", {0}, {8, 0}}, {"joint", {0, 1}, {6, 0}}};
  EXPECT_THAT(Exact().solve(problem).bits, ElementsAre(2, 8));
}

}  // namespace
}  // namespace qbitopt
