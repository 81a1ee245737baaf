#include "baselines/bayesian_bits/bayesian_bits.h"

#include <gmock/gmock.h>

#include <cmath>

#include "baselines/numeric.h"
#include "baselines/small_job.h"
#include "qbitopt/core/error.h"

namespace qbitopt::bayesian_bits {
namespace {

using ::testing::HasSubstr;
using torch::Tensor;

QuantizerSpec weight(std::vector<int> candidates = {2, 3, 4, 5, 6, 7, 8}) {
  return {.name = "a.weight", .kind = TensorKind::kWeight, .candidate_bits = std::move(candidates)};
}

TEST(QuantizeNestedTest, OpenGatesAreTheFinestGrid) {
  const Tensor maximum = torch::tensor({1.3f});
  for (const bool is_signed : {true, false}) {
    const Tensor x = torch::linspace(is_signed ? -1.3 : 0, 1.3, 997) * (1 - 1e-6);
    for (const int bits : {2, 4, 8}) {
      const double step = (is_signed ? 2 : 1) * 1.3 / (std::exp2(bits) - 1);
      const Tensor direct = (x / step).round() * step;
      const Tensor nested = quantize_nested(x, maximum, is_signed, bits);
      EXPECT_LE((nested - direct).abs().gt(1e-4).sum().item<int>(), 0) << bits;
    }
  }
}

TEST(QuantizeNestedTest, AShutGateTakesAwayItsPartAndAllFinerOnes) {
  const Tensor x = torch::linspace(-1, 1, 501) * (1 - 1e-6), maximum = torch::ones({1});
  const Tensor shut = torch::zeros({1}), open = torch::ones({1});
  EXPECT_TRUE(torch::equal(quantize_nested(x, maximum, true, 8, {shut, open}),
                           quantize_nested(x, maximum, true, 2)));
  EXPECT_TRUE(torch::equal(quantize_nested(x, maximum, true, 8, {open, shut}),
                           quantize_nested(x, maximum, true, 4)));
}

TEST(QuantizeNestedTest, TheGradientOfAGateIsThatOfFiniteDifferences) {
  const Tensor x = (gaussian({300}) * 0.3).clamp(-0.99, 0.99), g = gaussian({300}).flip(0);
  const Tensor maximum = torch::ones({1});
  Tensor z = torch::tensor({0.7f, 0.4f}).requires_grad_();
  for (const int gate : {0, 1}) {
    expect_gradient(
        z, gate,
        [&] {
          return (quantize_nested(x, maximum, true, 8, {z.slice(0, 0, 1), z.slice(0, 1, 2)}) * g)
              .sum();
        },
        0.05, 2e-3);
  }
}

TEST(QuantizeNestedTest, TheInputsGradientPassesOnce) {
  Tensor x = (gaussian({50}) * 0.3).requires_grad_();
  quantize_nested(x, torch::ones({1}), true, 8).sum().backward();
  EXPECT_TRUE(torch::allclose(x.grad(), torch::ones({50})));
}

TEST(HardConcreteTest, IsTheDefinition) {
  const double phi = 0.4, u = 0.3;
  const double s = 1 / (1 + std::exp(-(std::log(u) - std::log(1 - u) + phi) * 1.5));
  EXPECT_NEAR(hard_concrete(torch::tensor({phi}), torch::tensor({u})).item<double>(), s * 1.2 - 0.1,
              1e-6);
  EXPECT_EQ(hard_concrete(torch::tensor({9.0}), torch::tensor({u})).item<double>(), 1);
  EXPECT_EQ(hard_concrete(torch::tensor({-9.0}), torch::tensor({u})).item<double>(), 0);
}

TEST(HardConcreteTest, OpensAsOftenAsItsProbabilitySays) {
  const Tensor phi = torch::full({100000}, -1.2);
  const Tensor u = torch::rand({100000}, at::detail::createCPUGenerator(5), torch::kFloat32);
  const double often = (hard_concrete(phi, u) > 0).to(torch::kFloat64).mean().item<double>();
  EXPECT_NEAR(often, open_probability(torch::tensor({-1.2})).item<double>(), 0.01);
}

TEST(HardConcreteTest, IsOpenWhereItIsShutWithLessThan34Percent) {
  // 1 - sigmoid(phi + 1.5986) = 0.34 at phi = -0.9353
  EXPECT_TRUE(is_open(-0.93));
  EXPECT_FALSE(is_open(-0.94));
}

TEST(BayesianBitsQuantizerTest, CostsEachPartByItsProbability) {
  BayesianBitsQuantizer quantizer(weight(), RangeInit::kMse, 6);
  const torch::NoGradGuard no_grad;
  quantizer.bit_parameters().at(0).copy_(torch::tensor({0.0f, -1.0f}));
  const double p4 = 1 / (1 + std::exp(-1.5986)), p8 = 1 / (1 + std::exp(1 - 1.5986));
  EXPECT_NEAR(quantizer.cost().item<double>(), 2 + 4 * p4 + 8 * p4 * p8, 1e-3);
  EXPECT_NEAR(quantizer.relaxed_bits().item<double>(), 2 + 2 * p4 + 4 * p4 * p8, 1e-3);
}

TEST(BayesianBitsQuantizerTest, TheCostsGradientIsThatOfFiniteDifferences) {
  BayesianBitsQuantizer quantizer(weight(), RangeInit::kMse, 0.5);
  for (const int gate : {0, 1}) {
    expect_gradient(
        quantizer.bit_parameters().at(0), gate, [&] { return quantizer.cost(); }, 1e-2, 2e-3);
  }
}

TEST(BayesianBitsQuantizerTest, BitsEndAtTheFirstShutGate) {
  BayesianBitsQuantizer quantizer(weight(), RangeInit::kMse, 6);
  EXPECT_EQ(quantizer.bits(), 8);
  const torch::NoGradGuard no_grad;
  quantizer.bit_parameters().at(0).copy_(torch::tensor({2.0f, -2.0f}));
  EXPECT_EQ(quantizer.bits(), 4);
  quantizer.bit_parameters().at(0).copy_(torch::tensor({-2.0f, 2.0f}));
  EXPECT_EQ(quantizer.bits(), 2);
}

TEST(BayesianBitsQuantizerTest, TakesTheDoublingsAmongTheCandidates) {
  BayesianBitsQuantizer quantizer(weight({4, 5, 8}), RangeInit::kMse, -9);
  EXPECT_EQ(quantizer.bits(), 4);
  EXPECT_EQ(quantizer.bit_parameters().at(0).numel(), 1);
}

TEST(BayesianBitsQuantizerTest, RefusesCandidatesThatItCannotReach) {
  for (const std::vector<int>& candidates : {std::vector<int>{3, 5}, {2, 3, 8}}) {
    try {
      BayesianBitsQuantizer(weight(candidates), RangeInit::kMse, 6);
      FAIL() << "expected InputError";
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr("must hold some of 2, 4, 8 without a gap"));
    }
  }
}

Json settings(const Json& budget) {
  Json all = {{"bayesian_bits.mu", 0.3},
              {"bayesian_bits.search", 0.75},
              {"bayesian_bits.gate_learning_rate", 0},
              {"bayesian_bits.range_learning_rate", 0},
              {"bayesian_bits.start_phi", 6}};
  all.update(budget);
  return all;
}

// Parameters of gates that are open with probability 1/2, 1 and 0: sigmoid(phi + 2/3 ln 11).
const float kEven = static_cast<float>(-2.0 / 3 * std::log(11)), kOpen = 100, kShut = -100;

void place(const SmallJob<BayesianBits>& job) {
  job.set("a.weight", {kEven, kEven});  // costs 2 + 4 / 2 + 8 / 4 = 6
  job.set("b.weight", {kShut, kOpen});  // 2
  job.set("a.input", {kOpen, kOpen});   // 2 + 4 + 8 = 14
  job.set("b.input", {kOpen, kShut});   // 2 + 4 = 6
}

TEST(BayesianBitsPenaltyTest, IsTheCostOfOpenGatesInSharesOfTheLargestTensor) {
  SmallJob<BayesianBits> job(settings({{"budget.average_bits", 4}}));
  place(job);
  // Weights of 6 and 18 elements, inputs of 32 and 48.
  const Tensor penalty = job.penalty();
  EXPECT_NEAR(penalty.item<double>(), 0.3 * (6 * 6 / 18.0 + 2 + 14 * 32 / 48.0 + 6), 1e-4);
  // P' = P (1 - P) = 1/4; the 4-bit gate bears the 8-bit part, too: 4 + 8 / 2.
  penalty.backward();
  const Tensor gradient = job.variables("a.weight").grad();
  EXPECT_NEAR(gradient[0].item<double>(), 0.3 * 6 / 18.0 * (4 + 8 / 2.0) / 4, 1e-5);
  EXPECT_NEAR(gradient[1].item<double>(), 0.3 * 6 / 18.0 * 8 / 2.0 / 4, 1e-5);
}

TEST(BayesianBitsPenaltyTest, WeighedByMultiplicationsItIsTheAuthorsBitOperations) {
  SmallJob<BayesianBits> job(settings({{"budget.average_bits", 4}, {"budget.weighting", "macs"}}));
  place(job);
  // 96 and 72 multiplications, of weights as of inputs.
  EXPECT_NEAR(job.penalty().item<double>(), 0.3 * (6 + 2 * 72 / 96.0 + 14 + 6 * 72 / 96.0), 1e-4);
}

TEST(BayesianBitsPenaltyTest, NoBudgetEnters) {
  SmallJob<BayesianBits> tight(settings({{"budget.average_bits", 2}})),
      loose(settings({{"budget.average_bits", 8}}));
  EXPECT_EQ(tight.penalty().item<double>(), loose.penalty().item<double>());
}

}  // namespace
}  // namespace qbitopt::bayesian_bits
