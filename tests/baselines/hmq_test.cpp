#include "baselines/hmq/hmq.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "baselines/numeric.h"
#include "baselines/small_job.h"

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

// What a search step computes, in float64 and from the formulas alone. p: the draw, [rows, cells];
// one row: for the whole tensor; else dimension 1 of x has a row for each channel.
struct Mixture {
  Tensor step, threshold;  // shaped to go with x

  Mixture(const Tensor& x, const Tensor& p, double T, const std::vector<int>& candidates,
          bool is_signed) {
    std::vector<double> steps, thresholds;
    for (const int bits : candidates) {
      for (int j = 0; j < HmqQuantizer::kShifts; ++j) {
        thresholds.push_back(T / std::exp2(j));
        steps.push_back(T / std::exp2(j) / std::exp2(is_signed ? bits - 1 : bits));
      }
    }
    std::vector<int64_t> shape(static_cast<size_t>(x.dim()), 1);
    if (p.size(0) > 1) shape[1] = p.size(0);
    step = p.mv(torch::tensor(steps, torch::kFloat64)).view(shape);
    threshold = p.mv(torch::tensor(thresholds, torch::kFloat64)).view(shape);
  }
  Tensor low(bool is_signed) const { return is_signed ? -threshold : 0 * threshold; }
};

// A quantizer in the middle of a search, all cells within reach of one another, and what it draws.
struct Draw {
  static constexpr uint64_t kSeed = 5;
  static constexpr double kTemperature = 0.7;

  bool is_signed;
  Tensor x;
  HmqQuantizer quantizer;
  Tensor theta, noise;  // float64: logits; Gumbel noise, a row a draw
  double T;

  Draw(const QuantizerSpec& spec, const Tensor& data, int64_t rows)
      : is_signed(spec.is_signed), x(data), quantizer(calibrated(data, spec)) {
    const torch::NoGradGuard no_grad;
    Tensor logits = quantizer.bit_parameters().at(0);
    logits.copy_(gaussian(logits.sizes()));
    theta = logits.to(torch::kFloat64);
    T = quantizer.named_buffers()["threshold"].item<double>();
    quantizer.set_temperature(kTemperature);
    quantizer.train();
    torch::manual_seed(kSeed);
    noise = -(-torch::rand({rows, theta.numel()}).to(torch::kFloat64).log()).log();
  }
  Tensor forward() {
    torch::manual_seed(kSeed);
    return quantizer.forward(x);
  }
  Mixture mixture(const Tensor& logits) const {
    return Mixture(x, ((logits + noise) / kTemperature).softmax(1), T,
                   quantizer.spec().candidate_bits, is_signed);
  }
};

std::vector<Draw> draws() {
  std::vector<Draw> all;
  all.emplace_back(weight(), gaussian({6, 5, 3, 3}), /*rows=*/5);
  all.emplace_back(QuantizerSpec{.name = "a.input",
                                 .kind = TensorKind::kActivation,
                                 .is_signed = false,
                                 .candidate_bits = {2, 4, 8}},
                   gaussian({40, 10}).abs() + 0.8, /*rows=*/1);  // not 0: a kink of the clipping
  return all;
}

TEST(HmqQuantizerTest, ADrawRoundsToTheExpectedStepAndClipsAtTheExpectedThreshold) {
  for (Draw& draw : draws()) {
    const Mixture mixture = draw.mixture(draw.theta);
    const Tensor x = draw.x.to(torch::kFloat64);
    const Tensor expected =
        torch::clamp(mixture.step * (x / mixture.step).round(), mixture.low(draw.is_signed),
                     mixture.threshold - mixture.step);
    EXPECT_TRUE(torch::allclose(draw.forward().to(torch::kFloat64), expected, 1e-4, 1e-5));
    const double clipped =
        (expected == mixture.threshold - mixture.step).to(torch::kFloat64).mean().item<double>();
    EXPECT_GT(clipped, 0.02);  // both parts of the formula are at work
    EXPECT_LT(clipped, 0.98);
  }
}

// Rounding passes gradients: to them its error, in steps, is a constant.
TEST(HmqQuantizerTest, TheLogitsGradientIsThatOfFiniteDifferencesAtFixedNoise) {
  for (Draw& draw : draws()) {
    const Tensor x = draw.x.to(torch::kFloat64), g = gaussian(x.sizes(), torch::kFloat64).flip(0);
    const Mixture here = draw.mixture(draw.theta);
    const Tensor error = (x / here.step).round() - x / here.step;
    const auto value = [&](const Tensor& logits) {
      const Mixture mixture = draw.mixture(logits);
      return (g * torch::clamp(x + mixture.step * error, mixture.low(draw.is_signed),
                               mixture.threshold - mixture.step))
          .sum()
          .item<double>();
    };
    (draw.forward() * g.to(torch::kFloat32)).sum().backward();
    const Tensor gradient = draw.quantizer.bit_parameters().at(0).grad();
    double largest = 0;
    for (int64_t cell = 0; cell < draw.theta.numel(); ++cell) {
      const double h = 1e-6;
      Tensor above = draw.theta.clone(), below = draw.theta.clone();
      above[cell] += h;
      below[cell] -= h;
      const double expected = (value(above) - value(below)) / (2 * h);
      largest = std::max(largest, std::abs(expected));
      EXPECT_NEAR(gradient[cell].item<double>(), expected, 1e-3 * std::abs(expected) + 2e-4)
          << cell;
    }
    EXPECT_GT(largest, 0.1);
  }
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

TEST(HmqPenaltyTest, MeasuresTheCompressionOfWeightsAgainstTheCyclesTarget) {
  SmallJob<Hmq> job({{"hmq.search", 0.6},
                     {"hmq.gamma", 32},
                     {"hmq.learning_rate", 0},
                     {"hmq.temperature_rate", 0},
                     {"budget.average_bits", 4}},
                    /*total_steps=*/100);
  const auto place = [&](const std::string& name, int bits) {
    std::vector<float> theta(7 * HmqQuantizer::kShifts, -100);
    theta[static_cast<size_t>((bits - 2) * HmqQuantizer::kShifts)] = 0;
    job.set(name, theta);
  };
  place("a.weight", 4);
  place("b.weight", 8);
  place("a.input", 8);  // not counted: inputs are not searched
  // (6 * 4 + 18 * 8) / 24 = 7 bits: compression 32/7. The goal is 32/4 = 8, over cycles of 10
  // steps.
  EXPECT_EQ(job.penalty(9).item<double>(), 0);                       // target 4
  EXPECT_NEAR(job.penalty(10).item<double>(), 32 / 49.0, 1e-5);      // 16/3, short by 1/7 of it
  EXPECT_NEAR(job.penalty(59).item<double>(), 32 * 9 / 49.0, 1e-5);  // 8, short by 3/7
}

}  // namespace
}  // namespace qbitopt::hmq
