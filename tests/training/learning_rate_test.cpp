#include "qbitopt/training/learning_rate.h"

#include <gtest/gtest.h>

#include <cmath>

namespace qbitopt {
namespace {

TEST(LearningRateTest, CosineStartsAtOneAndEndsNearZero) {
  const Recipe recipe;
  EXPECT_DOUBLE_EQ(learning_rate_factor(recipe, 0, 100), 1);
  EXPECT_NEAR(learning_rate_factor(recipe, 50, 100), 0.5, 1e-12);
  EXPECT_NEAR(learning_rate_factor(recipe, 99, 100), 0.5 * (1 + std::cos(M_PI * 0.99)), 1e-12);
}

TEST(LearningRateTest, WarmUpIsLinear) {
  const Recipe recipe{.warmup_steps = 10};
  EXPECT_DOUBLE_EQ(learning_rate_factor(recipe, 0, 100), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate_factor(recipe, 9, 100), 1);
  EXPECT_DOUBLE_EQ(learning_rate_factor(recipe, 10, 100), 1);
  EXPECT_NEAR(learning_rate_factor(recipe, 55, 100), 0.5, 1e-12);
}

TEST(LearningRateTest, AConstantScheduleStaysAtOne) {
  EXPECT_DOUBLE_EQ(learning_rate_factor({.schedule = Schedule::kConstant}, 99, 100), 1);
}

TEST(LearningRateTest, AStepScheduleFallsByGammaAtEachMilestone) {
  const Recipe recipe{
      .schedule = Schedule::kStep, .milestones = {0.75, 0.3}, .gamma = 0.2};  // in any order
  EXPECT_DOUBLE_EQ(learning_rate_factor(recipe, 0, 1000), 1);
  EXPECT_DOUBLE_EQ(learning_rate_factor(recipe, 299, 1000), 1);
  EXPECT_DOUBLE_EQ(learning_rate_factor(recipe, 300, 1000), 0.2);
  EXPECT_DOUBLE_EQ(learning_rate_factor(recipe, 749, 1000), 0.2);
  EXPECT_DOUBLE_EQ(learning_rate_factor(recipe, 750, 1000), 0.04);
  EXPECT_DOUBLE_EQ(learning_rate_factor(recipe, 999, 1000), 0.04);
}

TEST(LearningRateTest, APolynomialFallsWithThePowerOfWhatRemains) {
  Recipe recipe{.schedule = Schedule::kPolynomial, .warmup_steps = 20};
  EXPECT_DOUBLE_EQ(learning_rate_factor(recipe, 20, 120), 1);
  EXPECT_DOUBLE_EQ(learning_rate_factor(recipe, 45, 120), 0.75);
  recipe.power = 2;
  EXPECT_DOUBLE_EQ(learning_rate_factor(recipe, 45, 120), 0.5625);
  recipe.power = 0;
  EXPECT_DOUBLE_EQ(learning_rate_factor(recipe, 119, 120), 1);
}

TEST(LearningRateTest, TheEndFactorLiftsTheEndOfCosineAndPolynomial) {
  for (const Schedule schedule : {Schedule::kCosine, Schedule::kPolynomial}) {
    const Recipe recipe{.schedule = schedule, .end_factor = 0.1};
    EXPECT_DOUBLE_EQ(learning_rate_factor(recipe, 0, 100), 1);
    EXPECT_NEAR(learning_rate_factor(recipe, 50, 100), 0.55, 1e-12);
    EXPECT_NEAR(learning_rate_factor(recipe, 99'999, 100'000), 0.1, 1e-4);
  }
}

}  // namespace
}  // namespace qbitopt
