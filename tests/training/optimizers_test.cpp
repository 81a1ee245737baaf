#include "qbitopt/training/optimizers.h"

#include <gtest/gtest.h>

namespace qbitopt {
namespace {

TEST(OptimizersTest, ExtraParametersFollowTheScheduleIfTheySaySo) {
  torch::Tensor constant = torch::zeros({1}).requires_grad_();
  torch::Tensor scheduled = torch::zeros({1}).requires_grad_();
  Optimizers optimizers(
      Recipe{}, {}, {}, Parameters(),
      {{.tensors = {constant}, .optimizer = "sgd", .learning_rate = 1},
       {.tensors = {scheduled}, .optimizer = "sgd", .learning_rate = 1, .follows_schedule = true}});
  (constant + scheduled).backward();
  optimizers.step(0.25);
  EXPECT_EQ(constant.item<float>(), -1);
  EXPECT_EQ(scheduled.item<float>(), -0.25f);
  optimizers.step(1);
  EXPECT_EQ(scheduled.item<float>(), -1.25f);
}

}  // namespace
}  // namespace qbitopt
