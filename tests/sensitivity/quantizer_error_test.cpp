#include <gtest/gtest.h>

#include <cmath>

#include "qbitopt/quant/fake_quantize.h"
#include "qbitopt/sensitivity/quant_mse.h"
#include "qbitopt/sensitivity/sqnr.h"
#include "sensitivity/tiny_network.h"

namespace qbitopt {
namespace {

using torch::Tensor;

double squared_error(const Tensor& x, double range, int bits, bool is_signed) {
  const Tensor rounded =
      fake_quantize(x, torch::full({1}, static_cast<float>(range)), Grid::make(bits, is_signed));
  return (rounded - x).square().mean(torch::kFloat64).item<double>();
}

double power(const Tensor& x) { return x.square().mean(torch::kFloat64).item<double>(); }

TEST(QuantizerErrorTest, WhileTrainingItIsTheErrorAtThePresentWidths) {
  const TinyNetwork network;
  SensitivityContext context = network.context(8);
  const CostTable mse = QuantMse().current(context), sqnr = Sqnr().current(context);
  EXPECT_EQ(mse.unit, "squared unit of the tensor");
  EXPECT_EQ(sqnr.unit, "1");
  torch::NoGradGuard no_grad;
  const Tensor hidden = torch::relu(
      torch::linear(network.input->forward(network.images), network.weight1->forward(network.W1)));
  const Tensor tensors[] = {network.images, network.W1, hidden, network.W2};
  const double ranges[] = {6, 2, 3, 2};
  for (int q = 0; q < 4; ++q) {
    for (int i = 0; i < 7; ++i) {
      const double expected = squared_error(tensors[q], ranges[q], i + 2, q != 2);
      EXPECT_NEAR(mse.costs[q][i], expected, 1e-5 * expected) << q << " at " << i + 2;
      EXPECT_NEAR(sqnr.costs[q][i], expected / power(tensors[q]), 1e-5 * sqnr.costs[q][i]);
    }
  }
}

TEST(QuantizerErrorTest, BeforeTrainingEachCandidateHasItsBestWidth) {
  const TinyNetwork network;
  SensitivityContext context = network.context(8);
  const CostTable table = QuantMse().estimate(context);
  const double before = network.weight1->range().item<double>();
  for (int i = 0; i < 7; ++i) {
    const Grid grid = Grid::make(i + 2, true);
    const Tensor values = network.W1.detach().reshape({-1}).contiguous();
    const double expected =
        squared_error(network.W1.detach(), mse_range(values, grid), i + 2, true);
    EXPECT_NEAR(table.costs[1][i], expected, 1e-5 * expected);
    EXPECT_LE(table.costs[1][i], squared_error(network.W1.detach(), before, i + 2, true) * 1.001);
  }
  EXPECT_EQ(network.weight1->range().item<double>(), before);
}

TEST(QuantizerErrorTest, TheRatioOfAFineGridIsTheTextbooks) {
  // Uniform noise: SQNR = power / (Delta^2 / 12).
  const TinyNetwork network;
  SensitivityContext context = network.context();
  {
    torch::NoGradGuard no_grad;
    const double delta = 8 / 255.0;
    network.input->range().fill_(8);
    const CostTable sqnr = Sqnr().current(context);
    EXPECT_NEAR(10 * std::log10(sqnr.costs[0][6]),
                10 * std::log10(delta * delta / 12 / power(network.images)), 1);
  }
}

TEST(QuantizerErrorTest, PerChannelWidthsAreTakenChannelByChannel) {
  const TinyNetwork network(4, {.per_channel_weights = true});
  {
    torch::NoGradGuard no_grad;
    for (int c = 0; c < 6; ++c) network.weight1->range()[c] = 1 + 0.3 * c;
  }
  SensitivityContext context = network.context();
  const CostTable table = QuantMse().current(context);
  double expected = 0;
  for (int c = 0; c < 6; ++c) {
    expected += squared_error(network.W1.detach()[c], 1 + 0.3 * c, 4, true) / 6;
  }
  EXPECT_NEAR(table.costs[1][2], expected, 1e-5 * expected);
}

}  // namespace
}  // namespace qbitopt
