#include "baselines/dq/dq.h"

#include <gmock/gmock.h>

#include <cmath>

#include "baselines/numeric.h"
#include "baselines/small_job.h"

namespace qbitopt::dq {
namespace {

using torch::Tensor;

std::shared_ptr<DqQuantizer> with(bool is_signed, double step, double maximum) {
  auto quantizer = std::make_shared<DqQuantizer>(
      QuantizerSpec{.name = "a.input", .kind = TensorKind::kActivation, .is_signed = is_signed},
      RangeInit::kMse, 4);
  const torch::NoGradGuard no_grad;
  quantizer->bit_parameters().at(0).fill_(step);
  quantizer->bit_parameters().at(1).fill_(maximum);
  return quantizer;
}

TEST(DqQuantizerTest, RoundsToAPowerOfTwoStepWithinAMultipleOfIt) {
  const Tensor x = torch::linspace(-3, 3, 601);
  for (const bool is_signed : {true, false}) {
    const auto quantizer = with(is_signed, 0.3, 1.6);  // 2^round(log2 0.3) = 0.25; 6 steps: 1.5
    const Tensor expected = (x.clamp(is_signed ? -1.5 : 0, 1.5) / 0.25).round() * 0.25;
    EXPECT_TRUE(torch::allclose(quantizer->forward(x), expected));
  }
}

TEST(DqQuantizerTest, BitsFollowFromStepAndMaximum) {
  // step, maximum, signed, bits
  const std::vector<std::tuple<double, double, bool, int>> cases = {
      {0.25, 1.75, true, 4},  {0.25, 2.0, true, 5},  {0.25, 0.25, true, 2},
      {0.25, 1.75, false, 3}, {0.25, 2.0, false, 4}, {0.5, 127.5, false, 8},
  };
  for (const auto& [step, maximum, is_signed, bits] : cases) {
    const auto quantizer = with(is_signed, step, maximum);
    EXPECT_EQ(quantizer->relaxed_bits().item<double>(), bits) << step << ' ' << maximum;
    EXPECT_EQ(quantizer->bits(), bits) << step << ' ' << maximum;
  }
}

TEST(DqQuantizerTest, TheBitsGradientIsThatOfTheLogarithm) {
  for (const bool is_signed : {true, false}) {
    const auto quantizer = with(is_signed, 0.25, 1.75);  // on the grid: rounding moves nothing
    quantizer->relaxed_bits().backward();
    const double ratio = 7, ln2 = std::log(2.0);
    EXPECT_NEAR(quantizer->bit_parameters()[0].grad().item<double>(),
                -ratio / 0.25 / ((ratio + 1) * ln2), 1e-4);
    EXPECT_NEAR(quantizer->bit_parameters()[1].grad().item<double>(),
                1 / 0.25 / ((ratio + 1) * ln2), 1e-4);
  }
}

TEST(DqQuantizerTest, ClippedValuesTellTheMaximumAndOthersTheStep) {
  const auto quantizer = with(true, 0.25, 1.75);
  quantizer->forward(torch::tensor({5.0f, -5.0f, -5.0f})).sum().backward();
  EXPECT_FLOAT_EQ(quantizer->bit_parameters()[1].grad().item<float>(), 1 - 2);
  EXPECT_NEAR(quantizer->bit_parameters()[0].grad().item<double>(), 0, 1e-6);
  const auto inside = with(true, 0.25, 1.75);
  inside->forward(torch::tensor({0.35f})).sum().backward();
  EXPECT_NEAR(inside->bit_parameters()[0].grad().item<double>(), 1 - 0.35 / 0.25, 1e-5);
  EXPECT_NEAR(inside->bit_parameters()[1].grad().item<double>(), 0, 1e-6);
}

TEST(DqQuantizerTest, GradientsAreKeptWithinAStep) {
  const auto quantizer = with(true, 0.25, 1.75);
  (100 * quantizer->relaxed_bits()).backward();
  quantizer->clip_gradients();
  EXPECT_FLOAT_EQ(quantizer->bit_parameters()[0].grad().item<float>(), -0.25f);
  EXPECT_FLOAT_EQ(quantizer->bit_parameters()[1].grad().item<float>(), 0.25f);
}

TEST(DqQuantizerTest, ParametersAreKeptWhereTheirBitsAreCandidates) {
  const std::vector<std::tuple<double, double, int>> cases = {
      {0.25, 1000.0, 8}, {0.25, 0.01, 2}, {1e-9, 1.0, 8}};
  for (const auto& [step, maximum, bits] : cases) {
    const auto quantizer = with(true, step, maximum);
    quantizer->clamp_parameters();
    EXPECT_EQ(quantizer->relaxed_bits().item<double>(), bits) << step << ' ' << maximum;
  }
}

TEST(DqQuantizerTest, BetweenCandidatesTheNextOneHoldsTheGrid) {
  QuantizerSpec spec{.name = "a.weight", .kind = TensorKind::kWeight, .candidate_bits = {2, 4, 8}};
  DqQuantizer quantizer(spec, RangeInit::kMse, 4);
  const torch::NoGradGuard no_grad;
  quantizer.bit_parameters()[0].fill_(0.25);
  quantizer.bit_parameters()[1].fill_(2.0);
  EXPECT_EQ(quantizer.relaxed_bits().item<double>(), 5);
  EXPECT_EQ(quantizer.bits(), 8);
}

TEST(DqQuantizerTest, CalibrationStartsAtTheBitsAskedFor) {
  for (const double scale : {0.05, 1.0, 3.0}) {
    const auto quantizer = with(true, 1, 1);
    quantizer->begin_calibration();
    quantizer->forward(gaussian({1000}) * scale);
    quantizer->end_calibration();
    EXPECT_EQ(quantizer->bits(), 4) << scale;
    const double step = quantizer->bit_parameters()[0].item<double>();
    EXPECT_EQ(step, std::exp2(std::round(std::log2(step)))) << scale;
  }
}

TEST(SizePenaltyTest, IsTheSquareOfTheExcessInKibibytes) {
  const Tensor bits = torch::tensor(5.0);
  // 81920 elements: 10 KiB a bit; 20 KiB too many.
  EXPECT_FLOAT_EQ(size_penalty(bits, 3, 81920, 0.1).item<float>(), 0.1f * 400);
  EXPECT_EQ(size_penalty(bits, 5, 81920, 0.1).item<float>(), 0);
  EXPECT_EQ(size_penalty(bits, 6, 81920, 0.1).item<float>(), 0);
}

TEST(DqPenaltyTest, AddsTheExcessesOfWeightsAndInputs) {
  const double kibibyte = 8192;  // in bits; this strength makes it 1 nat per square bit
  SmallJob<Dq> job({{"dq.strength", kibibyte * kibibyte},
                    {"dq.learning_rate", 0},
                    {"dq.start_bits", 4},
                    {"budget.average_bits", 3}});
  const auto place = [&](const std::string& name, float highest_code) {
    job.set(name, {0.25f}, 0);
    job.set(name, {0.25f * highest_code}, 1);
  };
  place("a.weight", 7);  // signed: 4 bits
  place("b.weight", 3);  // 3
  place("a.input", 63);  // unsigned: 6 bits
  place("b.input", 3);   // 2
  // Weights 6 * 4 + 18 * 3 = 78 bits of 24 * 3 = 72, inputs 32 * 6 + 48 * 2 = 288 of 80 * 3 = 240.
  EXPECT_NEAR(job.penalty().item<double>(), 6 * 6 + 48 * 48, 0.01);
}

}  // namespace
}  // namespace qbitopt::dq
