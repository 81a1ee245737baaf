#include "baselines/edmips/edmips.h"

#include <gmock/gmock.h>

#include <cmath>
#include <functional>

#include "baselines/numeric.h"
#include "baselines/small_job.h"
#include "qbitopt/core/error.h"

namespace qbitopt::edmips {
namespace {

using ::testing::HasSubstr;
using torch::Tensor;

QuantizerSpec weight() { return {.name = "a.weight", .kind = TensorKind::kWeight}; }
QuantizerSpec relu_input() {
  return {.name = "a.input",
          .kind = TensorKind::kActivation,
          .is_signed = false,
          .absorbs = Activation::kRelu};
}

EdMipsQuantizer calibrated(QuantizerSpec spec, const Tensor& x) {
  EdMipsQuantizer quantizer(std::move(spec), RangeInit::kMse);
  quantizer.begin_calibration();
  quantizer.forward(x);
  quantizer.end_calibration();
  quantizer.eval();
  return quantizer;
}

double best_step(const std::function<double(double)>& error, double around) {
  double best = around, least = error(around);
  for (double step = 0.9 * around; step < 1.1 * around; step += 0.001 * around) {
    if (error(step) >= least) continue;
    least = error(step);
    best = step;
  }
  return best;
}

TEST(StepsTest, AreOptimalForAGaussianAndItsPositiveHalf) {
  // The middles of 2^17 slices of equal probability.
  const Tensor u = (torch::arange(1 << 17, torch::kFloat64) + 0.5) / (1 << 17);
  const Tensor whole = torch::special::ndtri(u), half = torch::special::ndtri(0.5 + u / 2);
  for (int bits = 2; bits <= 8; ++bits) {
    const double levels = std::exp2(bits);
    const auto midrise = [&](double step) {
      const Tensor q =
          ((whole / step - 0.5).round() + 0.5).clamp(0.5 - levels / 2, levels / 2 - 0.5) * step;
      return (q - whole).square().mean().item<double>();
    };
    EXPECT_NEAR(gaussian_step(bits) / best_step(midrise, gaussian_step(bits)), 1, 0.015) << bits;
    const auto positive = [&](double step) {
      return ((half / step).round().clamp(1, levels - 1) * step - half)
          .square()
          .mean()
          .item<double>();
    };
    EXPECT_NEAR(half_gaussian_step(bits) / best_step(positive, half_gaussian_step(bits)), 1, 0.015)
        << bits;
  }
}

TEST(EdMipsQuantizerTest, WeightsAreMidriseInStepsOfTheirDeviation) {
  const Tensor w = gaussian({400}) * 0.2;
  EdMipsQuantizer quantizer = calibrated(weight(), w);
  quantizer.set_bits(2);
  const double step = 0.996 * w.std(/*unbiased=*/false).item<double>();
  const Tensor expected = ((w / step - 0.5).round() + 0.5).clamp(-1.5, 1.5) * step;
  EXPECT_TRUE(torch::allclose(quantizer.forward(w), expected, 1e-4, 1e-5));
}

TEST(EdMipsQuantizerTest, SignedActivationsAreMidriseAndClippedOnesHaveNoGradient) {
  const Tensor x = gaussian({400}).requires_grad_();
  EdMipsQuantizer quantizer =
      calibrated({.name = "a.input", .kind = TensorKind::kActivation}, x.detach());
  quantizer.set_bits(2);
  const double step = 0.996 * x.detach().std(/*unbiased=*/false).item<double>();
  const Tensor out = quantizer.forward(x);
  const Tensor expected = ((x / step - 0.5).round() + 0.5).clamp(-1.5, 1.5) * step;
  EXPECT_TRUE(torch::allclose(out, expected, 1e-4, 1e-5));
  out.sum().backward();
  const Tensor clipped = x.detach().abs() > 1.51 * step;
  EXPECT_EQ(x.grad().masked_select(clipped).abs().max().item<double>(), 0);
  EXPECT_EQ(x.grad().masked_select(x.detach().abs() < 1.49 * step).min().item<double>(), 1);
}

TEST(EdMipsQuantizerTest, ActivationsAreInStepsOfTheirPositiveHalf) {
  const Tensor x = gaussian({400}) * 2;
  EdMipsQuantizer quantizer = calibrated(relu_input(), x);
  quantizer.set_bits(3);
  const Tensor positive = x.masked_select(x > 0);
  const double step = 0.3217 * positive.square().mean().sqrt().item<double>();
  const Tensor expected = (x / step).round().clamp(0, 7) * step;
  EXPECT_TRUE(torch::allclose(quantizer.forward(x), expected, 1e-4, 1e-5));
}

TEST(EdMipsQuantizerTest, TheSearchIsTheWeightedSumOfItsBranches) {
  const Tensor x = gaussian({400});
  EdMipsQuantizer quantizer = calibrated(relu_input(), x), branch = calibrated(relu_input(), x);
  const torch::NoGradGuard no_grad;
  const Tensor alpha = quantizer.bit_parameters().at(0);
  alpha.copy_(torch::linspace(-1, 2, 7));
  const Tensor p = alpha.softmax(0);
  Tensor expected = torch::zeros_like(x);
  for (int bits = 2; bits <= 8; ++bits) {
    branch.set_bits(bits);
    expected += p[bits - 2] * branch.forward(x);
  }
  EXPECT_TRUE(torch::allclose(quantizer.forward(x), expected, 1e-4, 1e-5));
  EXPECT_EQ(quantizer.bits(), 8);
  EXPECT_NEAR(quantizer.relaxed_bits().item<double>(),
              (p * torch::arange(2, 9)).sum().item<double>(), 1e-5);
}

TEST(EdMipsQuantizerTest, TheGradientOfABranchIsThatOfFiniteDifferences) {
  const Tensor x = gaussian({400}), g = gaussian({400}).flip(0);
  for (const QuantizerSpec& spec : {weight(), relu_input()}) {
    EdMipsQuantizer quantizer = calibrated(spec, x);
    expect_gradient(
        quantizer.bit_parameters().at(0), 0, [&] { return (quantizer.forward(x) * g).sum(); }, 0.05,
        0.02);
    expect_gradient(
        quantizer.bit_parameters().at(0), 6, [&] { return quantizer.relaxed_bits(); }, 0.05, 2e-3);
  }
}

TEST(EdMipsQuantizerTest, GradientsPassAllWeightsAndActivationsThatAreNotClipped) {
  Tensor w = torch::tensor({-9.0f, 0.1f, 9.0f}).requires_grad_();
  EdMipsQuantizer of_weight = calibrated(weight(), w.detach());
  of_weight.set_bits(2);
  of_weight.forward(w).sum().backward();
  EXPECT_TRUE(torch::equal(w.grad(), torch::ones({3})));
  Tensor x = torch::tensor({-1.0f, 0.5f, 1.0f, 99.0f}).requires_grad_();
  EdMipsQuantizer of_input = calibrated(relu_input(), torch::ones({4}));
  of_input.set_bits(2);
  of_input.forward(x).sum().backward();
  EXPECT_TRUE(torch::equal(x.grad(), torch::tensor({0.0f, 1.0f, 1.0f, 0.0f})));
}

TEST(EdMipsQuantizerTest, TrainingFollowsTheDeviation) {
  EdMipsQuantizer quantizer = calibrated(relu_input(), torch::ones({4}));
  quantizer.train();
  quantizer.forward(3 * torch::ones({4}));
  EXPECT_NEAR(quantizer.named_buffers()["deviation"].item<double>(), 0.9 * 1 + 0.1 * 3, 1e-6);
}

TEST(EdMipsQuantizerTest, RefusesCandidatesWithoutSteps) {
  QuantizerSpec spec = weight();
  spec.candidate_bits = {4, 16};
  try {
    EdMipsQuantizer(spec, RangeInit::kMse);
    FAIL() << "expected InputError";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("edmips has steps for 1 to 8 bits"));
  }
}

Json settings(const std::string& complexity, double average_bits) {
  return {{"edmips.cd", 0.1},
          {"edmips.complexity", complexity},
          {"edmips.search", 0.2},
          {"edmips.learning_rate", 0},
          {"budget.average_bits", average_bits}};
}

// All weight on the branches of these bits, in equal parts.
void place(const SmallJob<EdMips>& job, const std::string& name, const std::vector<int>& bits) {
  std::vector<float> alpha(7, -100);
  for (const int b : bits) alpha[static_cast<size_t>(b) - 2] = 0;
  job.set(name, alpha);
}

void place(const SmallJob<EdMips>& job) {
  place(job, "a.weight", {2, 4});  // 3 bits expected
  place(job, "b.weight", {6});
  place(job, "a.input", {2, 3});  // 2.5
  place(job, "b.input", {3});
}

TEST(EdMipsPenaltyTest, DecaysTheExpectedBitsOfEveryBudget) {
  SmallJob<EdMips> job(settings("budget", 4));
  place(job);
  // Weights (6 * 3 + 18 * 6) / 24 = 5.25, inputs (32 * 2.5 + 48 * 3) / 80 = 2.8.
  EXPECT_NEAR(job.penalty().item<double>(), 0.1 * (5.25 + 2.8), 1e-5);
}

TEST(EdMipsPenaltyTest, BitOperationsAreInUnitsOfTheFirstSearchedLayers) {
  SmallJob<EdMips> job(settings("bops", 4));
  place(job);
  // a: 96 / 96 * 3 * 2.5; b: 72 / 96 * 6 * 3. The pinned layers do not count.
  EXPECT_NEAR(job.penalty().item<double>(), 0.1 * (7.5 + 13.5), 1e-5);
  // d E[b] / d alpha_2 = p_2 (2 - 3) = -1/2 of the weight of a, which meets an input of 2.5 bits.
  job.penalty().backward();
  EXPECT_NEAR(job.variables("a.weight").grad()[0].item<double>(), 0.1 * -0.5 * 2.5, 1e-5);
  EXPECT_NEAR(job.variables("a.input").grad()[0].item<double>(), 0.1 * -0.25 * 3, 1e-5);
}

TEST(EdMipsPenaltyTest, NoBudgetEnters) {
  for (const char* complexity : {"budget", "bops"}) {
    SmallJob<EdMips> tight(settings(complexity, 2)), loose(settings(complexity, 8));
    EXPECT_EQ(tight.penalty().item<double>(), loose.penalty().item<double>()) << complexity;
  }
}

}  // namespace
}  // namespace qbitopt::edmips
