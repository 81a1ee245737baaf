#include "qbitopt/quant/rounding.h"

#include <gtest/gtest.h>

namespace qbitopt {
namespace {

using torch::Tensor;

TEST(RoundingTest, IsAnIntegerForwardAndNothingBackward) {
  Tensor x = torch::tensor({-0.5, 0.5, 1.2, 1.5}).requires_grad_();
  const Tensor g = torch::tensor({1.0, 2.0, 3.0, 4.0});
  EXPECT_TRUE(torch::equal(round_straight_through(x), torch::tensor({-0.0, 0.0, 1.0, 2.0})));
  EXPECT_TRUE(torch::equal(ceil_straight_through(x), torch::tensor({-0.0, 1.0, 2.0, 2.0})));
  (round_straight_through(x) * g).sum().backward();
  EXPECT_TRUE(torch::equal(x.grad(), g));
  (ceil_straight_through(x) * g).sum().backward();
  EXPECT_TRUE(torch::equal(x.grad(), 2 * g));
}

TEST(QuantizeMidriseTest, HasEvenLevelsUpToBothEndsAndNoZero) {
  const Tensor x = torch::tensor({-9.0f, -0.9f, -0.1f, 0.1f, 0.7f, 9.0f});
  const Tensor limit = torch::tensor({1.5f});
  const Tensor expected = torch::tensor({-1.5f, -0.5f, -0.5f, 0.5f, 0.5f, 1.5f});
  EXPECT_TRUE(torch::allclose(quantize_midrise(x, limit, 2), expected));
}

TEST(QuantizeMidriseTest, GradientsAreThoseOfAClippedRounding) {
  Tensor x = torch::tensor({-9.0f, 0.7f, 9.0f, 9.0f}).requires_grad_();
  Tensor limit = torch::tensor({1.5f}).requires_grad_();
  quantize_midrise(x, limit, 2).sum().backward();
  EXPECT_TRUE(torch::allclose(x.grad(), torch::tensor({0.0f, 1.0f, 0.0f, 0.0f})));
  // Ends: -1 + 1 + 1. Inside: code 2 of v = (0.7 + 1.5) / 1, 2 / 3 * (2 - 2.2).
  EXPECT_NEAR(limit.grad().item<double>(), 1 - 2.0 / 3 * 0.2, 1e-5);
}

}  // namespace
}  // namespace qbitopt
