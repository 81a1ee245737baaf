#include "qbitopt/models/batch_norm.h"

#include <gtest/gtest.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/container/sequential.h>

namespace qbitopt {
namespace {

torch::nn::Sequential network_with_batch_norm() {
  return torch::nn::Sequential(torch::nn::BatchNorm2d(3), torch::nn::ReLU());
}

TEST(BatchNormTest, FrozenStatisticsStayWhileTheAffinePartTrains) {
  auto network = network_with_batch_norm();
  network->train();
  freeze_batch_norm(*network);
  auto* batch_norm = batch_norms(*network).front();
  network->forward(torch::randn({4, 3, 5, 5}) + 3).sum().backward();
  EXPECT_TRUE(torch::equal(batch_norm->running_mean, torch::zeros({3})));
  EXPECT_TRUE(batch_norm->weight.grad().defined());
  EXPECT_TRUE(network->is_training());
}

TEST(BatchNormTest, ReestimatedStatisticsAreThePlainMeanOverTheBatches) {
  auto network = network_with_batch_norm();
  network->eval();
  auto* batch_norm = batch_norms(*network).front();
  batch_norm->running_mean.fill_(100);  // must not leak in
  torch::Tensor mean = torch::zeros({3});
  torch::Tensor variance = torch::zeros({3});
  reestimate_batch_norm(*network, [&] {
    EXPECT_TRUE(network->is_training());
    EXPECT_FALSE(torch::GradMode::is_enabled());
    for (int i = 0; i < 3; ++i) {
      const torch::Tensor x = torch::randn({4, 3, 5, 5}) * (i + 1) + i;
      mean += x.mean({0, 2, 3}) / 3;
      variance += x.var({0, 2, 3}, /*unbiased=*/true) / 3;
      network->forward(x);
    }
  });
  EXPECT_TRUE(torch::allclose(batch_norm->running_mean, mean, 1e-5, 1e-6));
  EXPECT_TRUE(torch::allclose(batch_norm->running_var, variance, 1e-5, 1e-6));
  EXPECT_FALSE(network->is_training());
  EXPECT_EQ(batch_norm->options.momentum(), 0.1);
}

TEST(BatchNormTest, BatchStatisticsScopeNormalizesByTheBatchAndLeavesNoTrace) {
  auto network = network_with_batch_norm();
  network->train();
  freeze_batch_norm(*network);
  auto* batch_norm = batch_norms(*network).front();
  {
    const BatchStatisticsScope scope(*network);
    const torch::Tensor y = batch_norm->forward(torch::randn({4, 3, 5, 5}) * 2 + 7);
    EXPECT_NEAR(y.mean().item<float>(), 0, 1e-5);
    EXPECT_FALSE(network->is_training());
  }
  EXPECT_TRUE(torch::equal(batch_norm->running_mean, torch::zeros({3})));
  EXPECT_EQ(batch_norm->num_batches_tracked.item<int64_t>(), 0);
  EXPECT_TRUE(network->is_training());
  EXPECT_FALSE(batch_norm->is_training());
}

TEST(BatchNormTest, RunningStatisticsScopeSeparatesImagesAndRestoresModes) {
  auto network = network_with_batch_norm();
  auto* batch_norm = batch_norms(*network).front();
  for (const bool was_frozen : {true, false}) {
    network->train();
    if (was_frozen) freeze_batch_norm(*network);
    const torch::Tensor before = batch_norm->running_mean.clone();
    {
      const RunningStatisticsScope scope(*network);
      const torch::Tensor x = torch::randn({4, 3, 5, 5}) * 2 + 7;
      EXPECT_TRUE(
          torch::allclose(batch_norm->forward(x)[0], batch_norm->forward(x[0].unsqueeze(0))[0]));
      EXPECT_FALSE(network->is_training());
    }
    EXPECT_TRUE(torch::equal(batch_norm->running_mean, before));
    EXPECT_TRUE(network->is_training());
    EXPECT_EQ(batch_norm->is_training(), !was_frozen);
  }
}

}  // namespace
}  // namespace qbitopt
