#include "qbitopt/report/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace qbitopt {
namespace {

// Expected values: SciPy 1.17.1. Mean and deviation: numpy.mean, numpy.std(ddof=1); interval:
// scipy.stats.t.interval(level, n - 1, mean, scipy.stats.sem(values)).
struct Known {
  std::vector<double> values;
  double mean, deviation, low95, high95, low99, high99;
};
const Known kKnown[] = {
    {{0.42, -0.13, 0.57},
     0.2866666666666666,
     0.36855573979159967,
     -0.6288765454316878,
     1.202209878765021,
     -1.8251985928543695,
     2.3985319261877027},
    {{86.4, 85.9, 86.1, 86.8, 86.2},
     86.28,
     0.3420526275297398,
     85.85528556690532,
     86.70471443309468,
     85.57570891225662,
     86.98429108774339},
    {{1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16},
     1000000010.0,
     5.477225575051661,
     1000000001.2845118,
     1000000018.7154882,
     999999994.004011,
     1000000025.995989},
    {{2.0, 3.0},
     2.5,
     0.7071067811865476,
     -3.853102368087347,
     8.853102368087347,
     -29.328370581435763,
     34.32837058143576},
};

TEST(StatisticsTest, MeanDeviationAndIntervalAreScipys) {
  for (const Known& known : kKnown) {
    const double tolerance = 1e-12 * std::abs(known.mean) + 1e-9;
    EXPECT_NEAR(mean(known.values), known.mean, tolerance);
    EXPECT_NEAR(*standard_deviation(known.values), known.deviation, tolerance);
    const auto at95 = t_interval(known.values);
    EXPECT_NEAR(at95->low, known.low95, tolerance);
    EXPECT_NEAR(at95->high, known.high95, tolerance);
    const auto at99 = t_interval(known.values, 0.99);
    EXPECT_NEAR(at99->low, known.low99, tolerance);
    EXPECT_NEAR(at99->high, known.high99, tolerance);
  }
}

TEST(StatisticsTest, OneValueHasNeitherDeviationNorInterval) {
  EXPECT_EQ(mean({3}), 3);
  EXPECT_FALSE(standard_deviation({3}));
  EXPECT_FALSE(t_interval({3}));
}

// scipy.stats.permutation_test((d,), mean, permutation_type='samples', n_resamples=inf).
TEST(SignFlipTestTest, OneBlockIsScipysPermutationTest) {
  const SignFlipTest three = sign_flip_test({{0.42, -0.13, 0.57}});
  EXPECT_EQ(three.pairs, 3);
  EXPECT_NEAR(three.difference, 0.2866666666666666, 1e-15);
  EXPECT_EQ(three.p, 0.5);
  EXPECT_EQ(three.smallest_p, 0.25);
  EXPECT_EQ(sign_flip_test({{0.3, 0.5, 0.2, 0.4, -0.1, 0.6}}).p, 0.0625);
  const SignFlipTest ten = sign_flip_test({{.31, -.12, .55, .08, .44, -.27, .63, .19, .02, .38}});
  EXPECT_EQ(ten.p, 0.046875);
  EXPECT_NEAR(ten.difference, 0.221, 1e-15);
}

// The same function with the mean of the blocks' means as the statistic.
TEST(SignFlipTestTest, BlocksWeighTheSameHoweverManyPairsTheyHave) {
  const SignFlipTest test = sign_flip_test({{.3, .5, .2}, {}, {.4, -.6}});
  EXPECT_EQ(test.pairs, 5);
  EXPECT_NEAR(test.difference, 0.11666666666666667, 1e-15);
  EXPECT_EQ(test.p, 0.6875);
}

TEST(SignFlipTestTest, TheIntervalIsThatOfTheMeanOfTheBlocks) {
  const std::vector<double> block = {0.42, -0.13, 0.57};
  const auto one = sign_flip_test({block}).interval;
  EXPECT_NEAR(one->low, t_interval(block)->low, 1e-12);
  EXPECT_NEAR(one->high, t_interval(block)->high, 1e-12);
  // Two blocks alike: half the variance, twice the degrees of freedom (t = 2.7764451 for 4).
  const auto two = sign_flip_test({block, block}).interval;
  const double half = 2.7764451051977987 * *standard_deviation(block) / std::sqrt(6.0);
  EXPECT_NEAR(two->high - two->low, 2 * half, 1e-9);
  EXPECT_FALSE(sign_flip_test({{.3, .5}, {.4}}).interval);
  EXPECT_EQ(sign_flip_test({{.3, -.5, 0}}).positive, 1);
}

// statsmodels.stats.multitest.multipletests(p, method='holm').
TEST(StatisticsTest, HolmsCorrectionIsStatsmodels) {
  const std::vector<double> adjusted = holm_adjusted({0.01, 0.04, 0.03, 0.005, 0.9});
  const std::vector<double> expected = {0.04, 0.09, 0.09, 0.025, 0.9};
  ASSERT_EQ(adjusted.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(adjusted[i], expected[i], 1e-12);
  EXPECT_EQ(holm_adjusted({0.6, 0.7}), std::vector<double>({1, 1}));
  EXPECT_TRUE(holm_adjusted({}).empty());
}

TEST(SignFlipTestTest, ManyPairsAreDrawnAndComeCloseToTheExactValue) {
  const std::vector<double> differences = {.18,  .05,  .44,  .17, -.15,  .3,  .77,  .59,
                                           -.23, -.51, -.19, .14, -1.04, .01, -.5,  -.25,
                                           -.15, -.04, .33,  .64, .06,   .8,  -.21, .3};
  const SignFlipTest test = sign_flip_test({differences});
  EXPECT_FALSE(test.is_exact);
  EXPECT_NEAR(test.p, 0.4868659973144531, 0.005);  // all 2^24 patterns; 100,000 draws: +-0.0016
  EXPECT_EQ(test.p, sign_flip_test({differences}).p);
}

TEST(SignFlipTestTest, WithoutPairsOrWithoutDifferencesNothingIsShown) {
  EXPECT_EQ(sign_flip_test({}).pairs, 0);
  EXPECT_EQ(sign_flip_test({}).p, 1);
  EXPECT_EQ(sign_flip_test({{0, 0, 0}}).p, 1);
  EXPECT_EQ(sign_flip_test({{1.5}}).p, 1);
}

}  // namespace
}  // namespace qbitopt
