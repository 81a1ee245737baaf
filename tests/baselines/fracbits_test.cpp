#include "baselines/fracbits/fracbits.h"

#include <gmock/gmock.h>

#include <cmath>

#include "baselines/numeric.h"
#include "baselines/small_job.h"

namespace qbitopt::fracbits {
namespace {

using ::testing::ElementsAre;
using torch::Tensor;

QuantizerSpec weight() { return {.name = "a.weight", .kind = TensorKind::kWeight}; }
QuantizerSpec relu_input() {
  return {.name = "a.input",
          .kind = TensorKind::kActivation,
          .is_signed = false,
          .absorbs = Activation::kRelu};
}

FracBitsQuantizer calibrated(QuantizerSpec spec, double bits, const Tensor& x) {
  FracBitsQuantizer quantizer(std::move(spec), RangeInit::kMse, bits);
  quantizer.begin_calibration();
  quantizer.forward(x);
  quantizer.end_calibration();
  return quantizer;
}

TEST(FracBitsQuantizerTest, WeightsAreDoReFasOnTheCheckpointsScale) {
  const Tensor w = gaussian({200});
  FracBitsQuantizer quantizer = calibrated(weight(), 3, w);
  const Tensor m = w.tanh().abs().max();
  const Tensor unit = (w.tanh() / m + 1) / 2;
  const Tensor expected = m * (2 * (unit * 7).round() / 7 - 1);
  EXPECT_TRUE(torch::allclose(quantizer.forward(w), expected, 1e-5, 1e-6));
}

TEST(FracBitsQuantizerTest, ActivationsAreClippedAndRounded) {
  const Tensor x = gaussian({500});
  FracBitsQuantizer quantizer = calibrated(relu_input(), 2, x);
  const Tensor alpha = quantizer.range_parameters().at(0).detach();
  const Tensor expected = alpha * ((x / alpha).clamp(0, 1) * 3).round() / 3;
  EXPECT_TRUE(torch::allclose(quantizer.forward(x), expected, 1e-5, 1e-6));
}

TEST(FracBitsQuantizerTest, SignedActivationsAreClippedOnBothSides) {
  const Tensor x = gaussian({500});
  FracBitsQuantizer quantizer =
      calibrated({.name = "a.input", .kind = TensorKind::kActivation}, 2, x);
  const Tensor alpha = quantizer.range_parameters().at(0).detach();
  const Tensor unit = ((x / alpha).clamp(-1, 1) + 1) / 2;
  const Tensor expected = alpha * (2 * (unit * 3).round() / 3 - 1);
  EXPECT_TRUE(torch::allclose(quantizer.forward(x), expected, 1e-5, 1e-6));
}

TEST(FracBitsQuantizerTest, AFractionalBitWidthIsTheLineBetweenItsNeighbors) {
  const Tensor x = gaussian({500});
  FracBitsQuantizer between = calibrated(relu_input(), 3.25, x),
                    low = calibrated(relu_input(), 3, x), high = calibrated(relu_input(), 4, x);
  const torch::NoGradGuard no_grad;
  for (FracBitsQuantizer* quantizer : {&between, &low, &high}) {
    quantizer->range_parameters().at(0).fill_(2.5);
  }
  const Tensor expected = 0.75 * low.forward(x) + 0.25 * high.forward(x);
  EXPECT_TRUE(torch::allclose(between.forward(x), expected, 1e-5, 1e-6));
  EXPECT_EQ(between.bits(), 3);
}

TEST(FracBitsQuantizerTest, TheGradientOfTheBitsIsThatOfFiniteDifferences) {
  const Tensor x = gaussian({500}), g = gaussian({500}).flip(0);
  for (const QuantizerSpec& spec : {weight(), relu_input()}) {
    FracBitsQuantizer quantizer = calibrated(spec, 3.4, x);
    expect_gradient(
        quantizer.bit_parameters().at(0), 0, [&] { return (quantizer.forward(x) * g).sum(); }, 0.1,
        0.01);
  }
}

TEST(FracBitsQuantizerTest, TheGradientIsZeroAtACandidate) {
  const Tensor x = gaussian({500}).requires_grad_();
  for (const int bits : {2, 3, 8}) {
    FracBitsQuantizer quantizer = calibrated(weight(), bits, x);
    quantizer.forward(x).square().sum().backward();
    EXPECT_FALSE(quantizer.bit_parameters().at(0).grad().defined());
  }
}

TEST(FracBitsQuantizerTest, CandidatesWithGapsAreJoinedByALine) {
  QuantizerSpec spec = relu_input();
  spec.candidate_bits = {2, 4, 8};
  const Tensor x = gaussian({500});
  FracBitsQuantizer between = calibrated(spec, 5, x), low = calibrated(spec, 4, x),
                    high = calibrated(spec, 8, x);
  const torch::NoGradGuard no_grad;
  for (FracBitsQuantizer* quantizer : {&between, &low, &high}) {
    quantizer->range_parameters().at(0).fill_(2.5);
  }
  EXPECT_TRUE(torch::allclose(between.forward(x), 0.75 * low.forward(x) + 0.25 * high.forward(x),
                              1e-5, 1e-6));
}

Problem problem(const std::vector<int64_t>& weights, double average) {
  Problem problem;
  Budget budget{.name = "weight", .members = {}, .average_bits = Decimal::from_double(average)};
  for (const int64_t weight : weights) {
    budget.members.push_back(static_cast<int>(problem.quantizers.size()));
    problem.quantizers.push_back({.name = "q", .weight = weight, .bits = {2, 3, 4, 5, 6, 7, 8}});
  }
  problem.budgets.push_back(budget);
  return problem;
}

TEST(AssignBitsTest, RoundsWhereThatKeepsTheBudget) {
  const Problem p = problem({1, 1}, 4);
  EXPECT_THAT(assign_bits(p, p.budgets[0], {2.9, 5.2}), ElementsAre(3, 5));
}

TEST(AssignBitsTest, LowersAllByOneOffsetUntilTheBudgetIsKept) {
  const Problem p = problem({100, 100, 100}, 4);
  // Offset 0: 5, 5, 4, too many; -1/2: 4, 4, 3, below 99%; -1/4: 4, 5, 4, too many; -3/8: all of
  // it.
  EXPECT_THAT(assign_bits(p, p.budgets[0], {4.6, 4.9, 3.8}), ElementsAre(4, 5, 3));
}

TEST(AssignBitsTest, NeverCorrectsAnUndershoot) {
  const Problem p = problem({1, 1}, 4);
  EXPECT_THAT(assign_bits(p, p.budgets[0], {2.4, 2.4}), ElementsAre(2, 2));
}

TEST(AssignBitsTest, MayMissTheBudget) {
  const Problem p = problem({1, 1}, 2);
  EXPECT_THAT(assign_bits(p, p.budgets[0], {5.0, 2.0}), ElementsAre(4, 2));
}

Json settings(const Json& more) {
  Json all = {{"fracbits.kappa", 2},
              {"fracbits.warmup", 0},
              {"fracbits.search", 0.8},
              {"fracbits.bits_learning_rate", 0},
              {"fracbits.range_learning_rate", 0}};
  all.update(more);
  return all;
}

void place(const SmallJob<FracBits>& job) {
  job.set("a.weight", {3});
  job.set("b.weight", {6});
  job.set("a.input", {2.5});
  job.set("b.input", {3});
}

TEST(FracBitsPenaltyTest, IsTheDistanceOfEveryAverageFromItsBudget) {
  SmallJob<FracBits> job(settings({{"budget.average_bits", 4}}));
  place(job);
  // Weights (6 * 3 + 18 * 6) / 24 = 5.25, inputs (32 * 2.5 + 48 * 3) / 80 = 2.8.
  const Tensor penalty = job.penalty();
  EXPECT_NEAR(penalty.item<double>(), 2 * (1.25 + 1.2), 1e-5);
  // It pulls from both sides, at each tensor by its share.
  penalty.backward();
  EXPECT_NEAR(job.variables("a.weight").grad().item<double>(), 2 * 6 / 24.0, 1e-6);
  EXPECT_NEAR(job.variables("b.weight").grad().item<double>(), 2 * 18 / 24.0, 1e-6);
  EXPECT_NEAR(job.variables("a.input").grad().item<double>(), -2 * 32 / 80.0, 1e-6);
  EXPECT_NEAR(job.variables("b.input").grad().item<double>(), -2 * 48 / 80.0, 1e-6);
}

TEST(FracBitsPenaltyTest, WeighsByMultiplicationsIfTheBudgetDoes) {
  SmallJob<FracBits> job(settings({{"budget.average_bits", 4}, {"budget.weighting", "macs"}}));
  place(job);
  // Weights (96 * 3 + 72 * 6) / 168 = 30/7, inputs (96 * 2.5 + 72 * 3) / 168 = 19/7.
  EXPECT_NEAR(job.penalty().item<double>(), 2 * (2 / 7.0 + 9 / 7.0), 1e-5);
}

TEST(FracBitsPenaltyTest, OneBudgetForAllIsOneTerm) {
  SmallJob<FracBits> job(settings({{"budget.joint", 4}}));
  place(job);
  // (6 * 3 + 18 * 6 + 32 * 2.5 + 48 * 3) / 104 = 350 / 104
  EXPECT_NEAR(job.penalty().item<double>(), 2 * (4 - 350 / 104.0), 1e-5);
}

TEST(FracBitsPenaltyTest, BeginsAfterTheWarmUp) {
  SmallJob<FracBits> job(settings({{"budget.average_bits", 4}, {"fracbits.warmup", 0.25}}),
                         /*total_steps=*/100);
  EXPECT_FALSE(job.penalty(24).defined());
  EXPECT_TRUE(job.penalty(25).defined());
}

}  // namespace
}  // namespace qbitopt::fracbits
