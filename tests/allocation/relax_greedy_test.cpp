#include "qbitopt/allocation/relax_greedy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "allocation/instances.h"
#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

using test::Costs;
using test::InstanceKind;
using test::Weights;
using testing::ElementsAre;
using testing::HasSubstr;

// S such that S / (2^b - 1)^2 has its relaxed optimum at `bits` when a bit costs 1.
double sensitivity_for(double bits) {
  const double u = std::exp2(bits) - 1;
  return u * u * u / (2 * M_LN2 * (u + 1));
}

AllocationQuantizer fit_quantizer(double sensitivity, int64_t weight) {
  AllocationQuantizer quantizer{"q", weight, {2, 3, 4, 5, 6, 7, 8}, {}};
  for (const int bits : quantizer.bits) {
    quantizer.costs.push_back(sensitivity / std::pow(std::exp2(bits) - 1, 2));
  }
  return quantizer;
}

void expect_sound(const Problem& problem, const Solution& solution) {
  ASSERT_NE(solution.status, SolutionStatus::kInfeasible) << test::describe(problem);
  EXPECT_TRUE(is_within_budgets(problem, solution.bits)) << test::describe(problem);
  EXPECT_LE(solution.bound, solution.objective) << test::describe(problem);
  EXPECT_GE(solution.gap, 0);
}

// Rounding the relaxed bits down and filling up would give (7, 3, 2).
TEST(RelaxGreedyTest, StartsBelowTheFloorOfTheRelaxedBits) {
  Problem problem;
  for (const double bits : {7.05, 2.95, 2.95}) {
    problem.quantizers.push_back(fit_quantizer(sensitivity_for(bits), 100'000'000));
  }
  // 12.95 bits in all: a third of it, to nine decimals, times the three weights is 12.95e8 to the
  // last digit.
  problem.budgets.push_back({"weight", {0, 1, 2}, Decimal{4'316'666'667, 9}});
  const Solution solution = RelaxGreedy().solve(problem);
  EXPECT_THAT(solution.bits, ElementsAre(6, 3, 3));
  EXPECT_NEAR(solution.objective, test::brute_force(problem), 1e-12 * solution.objective);
}

TEST(RelaxGreedyTest, IsExactForEqualWeightsContiguousCandidatesAndConvexCosts) {
  RelaxGreedy solver;
  for (uint64_t seed = 0; seed < 600; ++seed) {
    Random random(seed, "exact");
    const int quantizers = 2 + static_cast<int>(random.below(4));
    const Costs costs = seed % 2 ? Costs::kFit : Costs::kConvex;
    Problem problem =
        test::random_problem(random, quantizers, {Weights::kEqual, costs, {2, 3, 4, 5, 6}});
    problem.budgets.push_back({"weight", test::all_members(problem), test::random_average(random)});
    const Solution solution = solver.solve(problem);
    expect_sound(problem, solution);
    const double best = test::brute_force(problem);
    ASSERT_NEAR(solution.objective, best, 1e-9 * best) << "seed " << seed << "\n"
                                                       << test::describe(problem);
  }
}

TEST(RelaxGreedyTest, ItsBoundIsNeverAboveTheOptimum) {
  RelaxGreedy solver;
  for (uint64_t seed = 0; seed < 600; ++seed) {
    Random random(seed, "bound");
    const int quantizers = 2 + static_cast<int>(random.below(4));
    Problem problem = test::random_problem(random, quantizers,
                                           {seed % 2 ? Weights::kEqual : Weights::kSixDecades,
                                            static_cast<Costs>(seed % 3),
                                            {2, 3, 4, 6, 8}});
    problem.budgets.push_back(
        {"weight", test::every_second(problem, 0), test::random_average(random)});
    if (seed % 5 != 0) {
      problem.budgets.push_back(
          {"joint", test::all_members(problem), test::random_average(random)});
    }
    const Solution solution = solver.solve(problem);
    expect_sound(problem, solution);
    const double best = test::brute_force(problem);
    ASSERT_LE(solution.bound, best * (1 + 1e-12)) << "seed " << seed << "\n"
                                                  << test::describe(problem);
    ASSERT_GE(solution.objective, best * (1 - 1e-12)) << "seed " << seed << "\n"
                                                      << test::describe(problem);
  }
}

// 2 to 5,000 quantizers, most instances small so that many fit into a second.
TEST(RelaxGreedyTest, KeepsEveryBudgetOnAHundredThousandRandomInstances) {
  RelaxGreedy solver;
  for (uint64_t seed = 0; seed < 100'000; ++seed) {
    Random random(seed, "property");
    const double skewed = std::pow(random.uniform(), 48);
    const int quantizers = 2 + static_cast<int>(4998 * skewed);
    Problem problem = test::random_problem(random, quantizers,
                                           {seed % 4 ? Weights::kSixDecades : Weights::kEqual,
                                            static_cast<Costs>(seed % 3),
                                            {2, 3, 4, 5, 6, 7, 8}});
    const std::vector<int> all = test::all_members(problem);
    const std::vector<int> even = test::every_second(problem, 0);
    const std::vector<int> odd = test::every_second(problem, 1);
    switch (random.below(4)) {
      case 0:
        problem.budgets = {{"joint", all, test::random_average(random)}};
        break;
      case 1:
        problem.budgets = {{"weight", even, test::random_average(random)}};
        break;
      case 2:
        problem.budgets = {{"weight", even, test::random_average(random)},
                           {"activation", odd, test::random_average(random)}};
        break;
      case 3:
        problem.budgets = {{"joint", all, test::random_average(random)},
                           {"weight", even, test::random_average(random)},
                           {"activation", odd, test::random_average(random)}};
        break;
    }
    expect_sound(problem, solver.solve(problem));
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
}

TEST(RelaxGreedyTest, ReachesTheBoundToTwoMillionthsAtFiveThousandQuantizers) {
  RelaxGreedy solver;
  for (uint64_t seed = 0; seed < 5; ++seed) {
    Random random(seed, "large");
    Problem problem = test::random_problem(random, 5000, {});
    problem.budgets.push_back({"weight", test::all_members(problem), {4, 0}});
    EXPECT_LE(solver.solve(problem).gap, 2e-6);
  }
}

TEST(RelaxGreedyTest, SaysSoWhenCostsAreNotConvex) {
  Problem problem;
  problem.quantizers.push_back({"q", 1, {2, 3, 4}, {1.0, 0.9, 0.1}});
  problem.budgets.push_back({"weight", {0}, {3, 0}});
  const Solution solution = RelaxGreedy().solve(problem);
  EXPECT_THAT(solution.note, HasSubstr("not convex"));
  EXPECT_THAT(solution.bits, ElementsAre(2));
}

TEST(RelaxGreedyTest, AnswersAnInfeasibleBudgetWithTheSmallestReachableValue) {
  Problem problem;
  problem.quantizers.push_back({"q", 7, {3, 4}, {1.0, 0.5}});
  problem.budgets.push_back({"weight", {0}, Decimal::parse("2.5")});
  const Solution solution = RelaxGreedy().solve(problem);
  EXPECT_EQ(solution.status, SolutionStatus::kInfeasible);
  ASSERT_EQ(solution.budgets.size(), 1u);
  EXPECT_EQ(solution.budgets[0].limit, 2.5);
  EXPECT_EQ(solution.budgets[0].achieved, 3);
}

TEST(RelaxGreedyTest, ForbiddenChoicesAreNotTaken) {
  const double infinity = std::numeric_limits<double>::infinity();
  Problem problem;
  problem.quantizers.push_back({"a", 1, {2, 4, 8}, {infinity, 1.0, 0.5}});
  problem.quantizers.push_back({"b", 1, {2, 4, 8}, {3.0, 2.0, infinity}});
  problem.budgets.push_back({"weight", {0, 1}, {4, 0}});
  EXPECT_THAT(RelaxGreedy().solve(problem).bits, ElementsAre(4, 4));
}

TEST(RelaxGreedyTest, HugeAndTinyCostsGiveTheSameBits) {
  Random random(1, "scale");
  Problem problem = test::random_problem(random, 40, {});
  problem.budgets.push_back({"weight", test::all_members(problem), {4, 0}});
  const std::vector<int> bits = RelaxGreedy().solve(problem).bits;
  for (const int exponent : {980, -960}) {
    Problem scaled = problem;
    for (auto& quantizer : scaled.quantizers) {
      for (double& cost : quantizer.costs) cost = std::ldexp(cost, exponent);
    }
    EXPECT_EQ(RelaxGreedy().solve(scaled).bits, bits);
  }
}

TEST(RelaxGreedyTest, AWarmStartThatIsBetterIsKept) {
  Problem problem;
  problem.quantizers.push_back({"a", 3, {2, 3}, {1.0, 0.0}});
  problem.quantizers.push_back({"b", 4, {2, 3}, {1.2, 0.0}});
  problem.quantizers.push_back({"c", 2, {2, 3}, {0.7, 0.0}});
  problem.budgets.push_back(
      {"weight", {0, 1, 2}, {6, 0}, 3});  // 3 bytes = 24 bits: 6 above the smallest
  const Solution cold = RelaxGreedy().solve(problem);
  SolveOptions options;
  options.start_bits = {2, 3, 3};
  const Solution warm = RelaxGreedy().solve(problem, options);
  EXPECT_EQ(warm.objective, 1.0);
  EXPECT_LE(warm.objective, cold.objective);
}

TEST(RelaxGreedyTest, BudgetsThatOverlapWithoutHoldingEachOtherAreRefused) {
  Problem problem;
  for (int q = 0; q < 3; ++q) problem.quantizers.push_back(fit_quantizer(1, 1));
  problem.budgets = {{"left", {0, 1}, {3, 0}}, {"right", {1, 2}, {3, 0}}};
  try {
    RelaxGreedy().solve(problem);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_STREQ(
        error.what(),
        "budgets 'left' and 'right' share some quantizers, and neither holds all of the other's: "
        "solver 'relax_greedy' cannot take that; use milp");
  }
}

}  // namespace
}  // namespace qbitopt
