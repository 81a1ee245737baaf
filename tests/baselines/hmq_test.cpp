#include "baselines/hmq/hmq.h"

#include <gmock/gmock.h>

#include <cmath>

#include "baselines/numeric.h"

namespace qbitopt::hmq {
namespace {

using torch::Tensor;

QuantizerSpec weight() {
  return {.name = "a.weight", .kind = TensorKind::kWeight, .candidate_bits = {2, 4, 8}};
}

HmqQuantizer calibrated(const Tensor& x, QuantizerSpec spec = weight()) {
  HmqQuantizer quantizer(std::move(spec), RangeInit::kMse);
  quantizer.begin_calibration();
  quantizer.forward(x);
  quantizer.end_calibration();
  return quantizer;
}

TEST(HmqQuantizerTest, TheThresholdIsThePowerOfTwoThatCoversTheTensor) {
  const auto threshold = [](double largest) {
    return calibrated(torch::tensor({0.01, -largest}).to(torch::kFloat32))
        .named_buffers()["threshold"]
        .item<double>();
  };
  EXPECT_EQ(threshold(0.9), 1);
  EXPECT_EQ(threshold(1.1), 2);
  EXPECT_EQ(threshold(0.2), 0.25);
}

TEST(HmqQuantizerTest, StartsWith95PercentAtTheWidestBits) {
  HmqQuantizer quantizer = calibrated(gaussian({500}));
  const Tensor p = quantizer.bit_parameters().at(0).softmax(0);
  EXPECT_NEAR(p.max().item<double>(), 0.95, 1e-5);
  EXPECT_EQ(quantizer.bits(), 8);
  // 23 other cells share 5%: 7 of 8 bits, 8 of 4, 8 of 2.
  EXPECT_NEAR(quantizer.relaxed_bits().item<double>(),
              8 * 0.95 + 0.05 / 23 * (7 * 8 + 8 * 4 + 8 * 2), 1e-4);
}

TEST(HmqQuantizerTest, RoundsToTheLikeliestBitsAndThreshold) {
  const Tensor x = gaussian({500});
  HmqQuantizer quantizer = calibrated(x);
  const torch::NoGradGuard no_grad;
  quantizer.bit_parameters().at(0)[8 + 2] = 3;  // 4 bits, threshold T / 4
  const double t = quantizer.named_buffers()["threshold"].item<double>() / 4, step = t / 8;
  const Tensor expected = (x / step).round().clamp(-8, 7) * step;
  quantizer.eval();
  EXPECT_TRUE(torch::allclose(quantizer.forward(x), expected, 1e-5, 1e-6));
  quantizer.set_bits(quantizer.bits());
  quantizer.train();
  EXPECT_EQ(quantizer.bits(), 4);
  EXPECT_TRUE(torch::allclose(quantizer.forward(x), expected, 1e-5, 1e-6));
}

TEST(HmqQuantizerTest, TheLikeliestBitsAreThoseOverAllThresholds) {
  HmqQuantizer quantizer = calibrated(gaussian({500}));
  const torch::NoGradGuard no_grad;
  Tensor theta = quantizer.bit_parameters().at(0);
  theta.fill_(-100);
  theta[3] = std::log(0.4);  // 2 bits at one threshold; 4 bits at two
  theta[8 + 1] = std::log(0.25);
  theta[8 + 5] = std::log(0.35);
  EXPECT_EQ(quantizer.bits(), 4);
  EXPECT_NEAR(quantizer.relaxed_bits().item<double>(), 0.4 * 2 + 0.6 * 4, 1e-5);
  quantizer.set_temperature(0.5);  // of the draws alone
  EXPECT_NEAR(quantizer.relaxed_bits().item<double>(), 0.4 * 2 + 0.6 * 4, 1e-5);
}

TEST(HmqQuantizerTest, ACertainDrawIsThatGrid) {
  const Tensor w = gaussian({6, 5, 3, 3});
  HmqQuantizer quantizer = calibrated(w);
  const torch::NoGradGuard no_grad;
  quantizer.bit_parameters().at(0)[16 + 1] = 1e4;  // 8 bits, T / 2: no noise outweighs it
  const double t = quantizer.named_buffers()["threshold"].item<double>() / 2, step = t / 128;
  const Tensor expected = (w / step).round().clamp(-128, 127) * step;
  quantizer.train();
  EXPECT_TRUE(torch::allclose(quantizer.forward(w), expected, 1e-4, 1e-5));
}

TEST(HmqQuantizerTest, WeightsDrawForEachInputChannel) {
  HmqQuantizer quantizer = calibrated(gaussian({6, 5, 3, 3}));
  const torch::NoGradGuard no_grad;
  quantizer.bit_parameters().at(0).zero_();
  quantizer.train();
  const Tensor out = quantizer.forward(torch::full({6, 5, 3, 3}, 0.37));
  const Tensor first = out.index({0}).flatten(1).select(1, 0);
  EXPECT_GT(std::get<0>(torch::_unique(first)).numel(), 1);
  EXPECT_TRUE(torch::equal(out, first.view({1, 5, 1, 1}).expand_as(out)));
}

TEST(HmqQuantizerTest, OnlyTheBitsItIsRestrictedToAreDrawn) {
  HmqQuantizer quantizer(weight(), RangeInit::kMse);
  quantizer.restrict_to(4);
  quantizer.begin_calibration();
  quantizer.forward(gaussian({500}));
  quantizer.end_calibration();
  EXPECT_EQ(quantizer.bits(), 4);
  EXPECT_FLOAT_EQ(quantizer.relaxed_bits().item<float>(), 4);
}

TEST(HmqQuantizerTest, TheBitsGradientIsThatOfFiniteDifferences) {
  HmqQuantizer quantizer = calibrated(gaussian({500}));
  quantizer.set_temperature(0.7);
  for (const int64_t cell : {1, 9, 17}) {
    expect_gradient(
        quantizer.bit_parameters().at(0), cell, [&] { return quantizer.relaxed_bits(); }, 1e-2,
        1e-3);
  }
}

TEST(GumbelSoftmaxTest, PicksCellsAsOftenAsTheirProbability) {
  torch::manual_seed(1);
  const Tensor logits = torch::tensor({std::log(0.7f), std::log(0.2f), std::log(0.1f)});
  const Tensor picked = gumbel_softmax(logits, 0.5, 40000).argmax(1);
  const std::vector<double> probabilities = {0.7, 0.2, 0.1};
  for (int cell = 0; cell < 3; ++cell) {
    EXPECT_NEAR((picked == cell).to(torch::kFloat64).mean().item<double>(),
                probabilities[static_cast<size_t>(cell)], 0.01);
  }
}

TEST(CompressionPenaltyTest, IsTheSquareOfTheRelativeShortfall) {
  // 32 / 4 = 8 against 16: half is missing.
  EXPECT_FLOAT_EQ(compression_penalty(torch::tensor(4.0), 16, 32).item<float>(), 32 * 0.25f);
  EXPECT_EQ(compression_penalty(torch::tensor(2.0), 16, 32).item<float>(), 0);
  EXPECT_EQ(compression_penalty(torch::tensor(1.0), 16, 32).item<float>(), 0);
}

TEST(CycleTest, TargetsRiseInFourCyclesOverTwoThirdsOfTheSearch) {
  std::vector<int64_t> cycles, steps;
  for (const int64_t step : {0, 4, 5, 14, 15, 29}) {  // of 30 steps: cycles of 5
    cycles.push_back(cycle_at(step, 30).index);
    steps.push_back(cycle_at(step, 30).step);
  }
  EXPECT_THAT(cycles, ::testing::ElementsAre(0, 0, 1, 2, 3, 3));
  EXPECT_THAT(steps, ::testing::ElementsAre(0, 4, 0, 4, 0, 14));
  EXPECT_DOUBLE_EQ(target_of(0, 10), 4);
  EXPECT_DOUBLE_EQ(target_of(1, 10), 6);
  EXPECT_DOUBLE_EQ(target_of(3, 10), 10);
  EXPECT_DOUBLE_EQ(target_of(0, 3), 3);
}

}  // namespace
}  // namespace qbitopt::hmq
