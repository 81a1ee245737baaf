#include "qbitopt/models/initialization.h"

#include <gmock/gmock.h>

#include <cmath>

#include "qbitopt/graph/builder.h"

namespace qbitopt {
namespace {

using torch::Tensor;

Graph one_of_each() {
  GraphBuilder graph(/*image_channels=*/32);
  ValueRef x = graph.conv2d("conv", graph.images(), {.out_channels = 64, .bias = true});
  x = graph.batch_norm("bn", x);
  x = graph.conv2d("depthwise", x, {.out_channels = 64, .kernel = 5, .groups = 64});
  return graph.finish(graph.linear("fc", graph.mean(x), 100));
}

double deviation(const Tensor& tensor) { return tensor.std().item<double>(); }

TEST(InitializationTest, ConvolutionsStartWithHesDeviation) {
  const StateDict values = initial_values(one_of_each(), {}, /*seed=*/0);
  const double expected = std::sqrt(2.0 / (64 * 9));
  EXPECT_NEAR(deviation(values.at("conv.weight")), expected, 0.02 * expected);
  EXPECT_NEAR(values.at("conv.weight").mean().item<double>(), 0, 0.002);
  EXPECT_EQ(values.at("conv.bias").abs().sum().item<double>(), 0);
}

TEST(InitializationTest, GroupsCountOnlyWhereTheOriginalCountsThem) {
  const double plain = deviation(initial_values(one_of_each(), {}, 0).at("depthwise.weight"));
  const double counted =
      deviation(initial_values(one_of_each(), {.groups_count = true}, 0).at("depthwise.weight"));
  EXPECT_NEAR(plain, std::sqrt(2.0 / (64 * 25)), 0.05 * plain);
  EXPECT_NEAR(counted, plain * 8, 1e-5);
}

TEST(InitializationTest, LinearLayersStartAsTheOptionsSay) {
  using Linear = Initialization::Linear;
  const auto values = [](Linear linear) {
    return initial_values(one_of_each(), {.linear = linear}, 0);
  };
  const auto largest = [](const Tensor& tensor) { return tensor.abs().max().item<double>(); };
  EXPECT_NEAR(largest(values(Linear::kFeatures).at("fc.weight")), 1 / 8.0, 1e-3);
  EXPECT_NEAR(largest(values(Linear::kFeatures).at("fc.bias")), 1 / 8.0, 1e-2);
  EXPECT_NEAR(largest(values(Linear::kClasses).at("fc.weight")), 1 / 10.0, 1e-3);
  EXPECT_EQ(largest(values(Linear::kClasses).at("fc.bias")), 0);
  EXPECT_NEAR(deviation(values(Linear::kNormal).at("fc.weight")), 0.01, 3e-4);
  EXPECT_EQ(largest(values(Linear::kNormal).at("fc.bias")), 0);
}

TEST(InitializationTest, BatchNormsStartAsTheIdentity) {
  const StateDict values = initial_values(one_of_each(), {}, 0);
  for (const char* ones : {"bn.weight", "bn.running_var"})
    EXPECT_TRUE(torch::equal(values.at(ones), torch::ones({64}))) << ones;
  for (const char* zeros : {"bn.bias", "bn.running_mean"})
    EXPECT_TRUE(torch::equal(values.at(zeros), torch::zeros({64}))) << zeros;
  EXPECT_EQ(values.at("bn.num_batches_tracked").scalar_type(), torch::kInt64);
}

}  // namespace
}  // namespace qbitopt
