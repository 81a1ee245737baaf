#include "qbitopt/training/loss_scale.h"

#include <gtest/gtest.h>

#include <limits>

namespace qbitopt {
namespace {

std::vector<torch::Tensor> gradients(double value) {
  return {torch::full({3}, value), torch::full({2, 2}, 2 * value)};
}

TEST(LossScaleTest, GradientsAreDividedByTheScale) {
  LossScale scale;
  const auto scaled = gradients(0.5 * 65536);
  EXPECT_TRUE(scale.unscale(scaled));
  EXPECT_TRUE(torch::equal(scaled[0], torch::full({3}, 0.5)));
  EXPECT_TRUE(torch::equal(scaled[1], torch::full({2, 2}, 1.0)));
  EXPECT_EQ(scale.value, 65536);
  EXPECT_EQ(scale.skipped_steps, 0);
}

TEST(LossScaleTest, AGradientThatIsNotFiniteHalvesTheScaleAndIsCounted) {
  for (const double bad :
       {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    LossScale scale{.good_steps = 7};
    const auto scaled = gradients(1);
    scaled[1][0][1] = bad;
    EXPECT_FALSE(scale.unscale(scaled));
    EXPECT_EQ(scale.value, 32768);
    EXPECT_EQ(scale.good_steps, 0);
    EXPECT_EQ(scale.skipped_steps, 1);
  }
}

TEST(LossScaleTest, ManyGoodStepsInARowDoubleTheScale) {
  LossScale scale{.good_steps = LossScale::kGoodSteps - 2};
  EXPECT_TRUE(scale.unscale(gradients(1)));
  EXPECT_EQ(scale.value, 65536);
  EXPECT_TRUE(scale.unscale(gradients(1)));
  EXPECT_EQ(scale.value, 131072);
  EXPECT_EQ(scale.good_steps, 0);
}

}  // namespace
}  // namespace qbitopt
