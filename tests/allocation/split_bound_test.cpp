#include "qbitopt/allocation/knapsack/split_bound.h"

#include <gtest/gtest.h>

#include <cmath>

#include "allocation/instances.h"
#include "qbitopt/allocation/exact.h"

namespace qbitopt {
namespace {

using test::Costs;

struct Bounds {
  double dual = 0, split = 0;
};

// In the problem's own costs.
Bounds bounds_of(const Problem& problem) {
  Knapsack knapsack;
  EXPECT_EQ(knapsack.build(problem), "");
  Hull hull;
  hull.build(knapsack);
  Dual dual;
  dual.solve(knapsack, hull);
  const double gain = SplitBound().gain(knapsack, hull, dual);
  EXPECT_GE(gain, 0);
  return {std::ldexp(dual.bound, knapsack.cost_exponent),
          std::ldexp(dual.bound + gain, knapsack.cost_exponent)};
}

// One tensor at 2, 3 or 4 bits, half a bit above 2 allowed: the relaxation pays half the way to 3.
TEST(SplitBoundTest, AClassBetweenTwoChoicesFallsBackToTheSmaller) {
  Problem problem;
  problem.quantizers = {{"a", 10, {2, 3, 4}, {8, 4, 3}}};
  problem.budgets = {{"W", {0}, Decimal{25, 1}}};
  const Bounds bounds = bounds_of(problem);
  EXPECT_NEAR(bounds.dual, 6, 1e-12);
  EXPECT_NEAR(bounds.split, 8, 1e-12);
}

// 16 loads above the smallest bits. A load saves 3 in a (10 loads), 2 in b (10) and 1 in c (4). The
// relaxation takes a and 6 / 10 of b: 20 - 12 + 10 = 18. Without b it takes a and c, and two loads
// stay: 26. With b it has 6 / 10 of a, 22, which falls into 36 without a and nothing with it.
TEST(SplitBoundTest, ItIsTheLowerOfTheHalvesTakenApart) {
  Problem problem;
  problem.quantizers = {
      {"a", 10, {2, 3}, {30, 0}}, {"b", 10, {2, 3}, {20, 0}}, {"c", 4, {2, 3}, {10, 6}}};
  // 2 * 24 + 16 = 64 loads.
  problem.budgets = {{"W", {0, 1, 2}, Decimal{2666666667, 9}}};
  const Bounds bounds = bounds_of(problem);
  EXPECT_NEAR(bounds.dual, 18, 1e-6);
  EXPECT_NEAR(bounds.split, 26, 1e-6);
  EXPECT_EQ(test::brute_force(problem), 26);
}

// 3 bits lie above the line from 2 to 4, so they are no corner of the hull; yet they are best here.
TEST(SplitBoundTest, AChoiceBesideTheHullIsNotLost) {
  Problem problem;
  problem.quantizers = {{"a", 1, {2, 3, 4}, {10, 6, 0}}};
  problem.budgets = {{"W", {0}, Decimal{39, 1}}};
  const Bounds bounds = bounds_of(problem);
  EXPECT_EQ(test::brute_force(problem), 6);
  EXPECT_LE(bounds.split, 6);
}

TEST(SplitBoundTest, BudgetsInsideOthersKeepTheDualsBound) {
  Problem problem;
  problem.quantizers = {{"a", 10, {2, 3}, {30, 0}}, {"b", 10, {2, 3}, {20, 0}}};
  problem.budgets = {{"W", {0}, Decimal{25, 1}}, {"all", {0, 1}, Decimal{26, 1}}};
  const Bounds bounds = bounds_of(problem);
  EXPECT_EQ(bounds.split, bounds.dual);
}

// Between the dual's bound and the optimum, and most of the way to it.
TEST(SplitBoundTest, ItLiesBetweenTheDualAndTheOptimum) {
  double reached = 0, all = 0;
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    Random random(seed, "split");
    const int quantizers = 2 + static_cast<int>(random.below(4));
    Problem problem =
        test::random_problem(random, quantizers,
                             {seed % 2 ? test::Weights::kEqual : test::Weights::kSixDecades,
                              static_cast<Costs>(seed % 3),
                              {2, 3, 4, 6, 8}});
    problem.budgets.push_back({"W", test::all_members(problem), test::random_average(random)});
    const Bounds bounds = bounds_of(problem);
    const double best = test::brute_force(problem);
    ASSERT_LE(bounds.split, best * (1 + 1e-12)) << "seed " << seed << "\n"
                                                << test::describe(problem);
    if (best - bounds.dual <= 1e-9 * best) continue;
    reached += (bounds.split - bounds.dual) / (best - bounds.dual);
    ++all;
  }
  ASSERT_GT(all, 500);
  EXPECT_GT(reached / all, 0.6);
}

// A pivot that fills a budget but for a load, a class of a million loads, and thousands of steps of
// one load, each of which would round the sum of the large ones.
TEST(SplitBoundTest, ManySmallStepsDoNotRoundItUp) {
  Problem problem;
  problem.quantizers = {{"a", 1'000'000, {2, 3}, {1'000'000, 0}}};
  for (int q = 0; q < 2000; ++q)
    problem.quantizers.push_back({"q" + std::to_string(q), 1, {2, 3}, {1 + q * 1e-7, 0}});
  for (const int64_t left : {int64_t{1}, int64_t{700}, int64_t{999'999}}) {
    problem.budgets = {{"W", test::all_members(problem), {}}};
    problem.budgets[0].bytes = (2 * 1'002'000 + left + 7) / 8;
    const Bounds bounds = bounds_of(problem);
    const double best = Exact(10).solve(problem).objective;
    EXPECT_LE(bounds.split, best) << left;
  }
}

// The steps of so many classes are not all looked at.
TEST(SplitBoundTest, ItHoldsWhereStepsAreLeftOut) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Random random(seed, "window");
    Problem problem = test::random_problem(random, 300, {});
    problem.quantizers[0].weight = 1'000'000'000;  // dwarfs all others together
    problem.budgets.push_back({"W", test::all_members(problem), test::random_average(random)});
    const Bounds bounds = bounds_of(problem);
    const double best = Exact(10).solve(problem).objective;
    ASSERT_GE(bounds.split, bounds.dual);
    ASSERT_LE(bounds.split, best * (1 + 1e-12)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace qbitopt
