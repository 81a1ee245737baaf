#include "qbitopt/quant/fisher_estimate.h"

#include <gtest/gtest.h>

namespace qbitopt {
namespace {

using torch::Tensor;

// Adds one gradient as a quantizer's backward would.
void add(FisherEstimate& estimate, const Tensor& gradient, double skipped = 0) {
  estimate.add(torch::tensor({gradient.square().sum().item<double>(), skipped}, torch::kFloat64),
               gradient);
}

TEST(FisherEstimateTest, AStepIsTheBatchSizeTimesTheSquaredGradients) {
  FisherEstimate estimate(1);
  add(estimate, torch::tensor({3.0, 4.0}));
  estimate.end_step(/*samples=*/8);
  EXPECT_DOUBLE_EQ(estimate.trace()[0], 8 * 25);
}

TEST(FisherEstimateTest, LossScaleIsDividedOut) {
  FisherEstimate estimate(1);
  add(estimate, torch::tensor({3.0, 4.0}) * 1024);
  estimate.end_step(8, /*loss_scale=*/1024);
  EXPECT_DOUBLE_EQ(estimate.trace()[0], 8 * 25);
}

// Four samples in one pass, or in two passes of two with half the loss each: an activation's
// entries belong to one sample each, so that both give the same.
TEST(FisherEstimateTest, AccumulatedPassesOfActivationsGiveTheSame) {
  const Tensor gradient = torch::tensor({0.1, -0.2, 0.3, 0.4});
  FisherEstimate whole(1), halves(1);
  add(whole, gradient);
  whole.end_step(4);
  add(halves, gradient.slice(0, 0, 2));
  add(halves, gradient.slice(0, 2, 4));
  halves.end_step(4);
  EXPECT_NEAR(halves.trace()[0], whole.trace()[0], 1e-7);
}

TEST(FisherEstimateTest, TheAverageIsBiasCorrectedAndExponential) {
  FisherEstimate estimate(1);
  estimate.set_decay(0.9);
  const double values[] = {4, 1, 9};
  double sum = 0, mass = 0;
  for (const double value : values) {
    add(estimate, torch::tensor({std::sqrt(value)}, torch::kFloat64));
    estimate.end_step(1);
    sum = 0.9 * sum + 0.1 * value;
    mass = 0.9 * mass + 0.1;
    EXPECT_NEAR(estimate.trace()[0], sum / mass, 1e-12);
  }
  EXPECT_EQ(estimate.steps(), 3);
}

// Known per-sample gradients: the split estimate of the mean over all ways to draw the halves is
// the trace itself, the batch estimate exceeds it by (B - 1) |mean|^2.
TEST(FisherEstimateTest, SplitIsUnbiasedWhereBatchIsOffByTheKnownTerm) {
  torch::manual_seed(3);
  const int64_t B = 8, draws = 4000;
  const Tensor population = torch::randn({64, 5}, torch::kFloat64) + 0.7;
  const double trace = population.square().sum(1).mean().item<double>();
  const double mean_squared = population.mean(0).square().sum().item<double>();
  FisherEstimate split(1), four(1), batch(1);
  split.set_weights(FisherWeights::kSplit, /*passes=*/2);
  four.set_weights(FisherWeights::kSplit, /*passes=*/4);
  Tensor split_values = torch::zeros({draws}, torch::kFloat64);
  Tensor four_values = torch::zeros({draws}, torch::kFloat64);
  Tensor batch_values = torch::zeros({draws}, torch::kFloat64);
  for (int64_t i = 0; i < draws; ++i) {
    // With replacement: samples are independent, as the identity assumes.
    const Tensor drawn = population.index_select(0, torch::randint(64, {B}));
    split.reset();
    add(split, drawn.slice(0, 0, B / 2).mean(0) / 2);
    add(split, drawn.slice(0, B / 2, B).mean(0) / 2);
    split.end_step(B);
    split_values[i] = split.trace()[0];
    four.reset();
    for (int64_t k = 0; k < 4; ++k)
      add(four, drawn.slice(0, k * B / 4, (k + 1) * B / 4).mean(0) / 4);
    four.end_step(B);
    four_values[i] = four.trace()[0];
    batch.reset();
    add(batch, drawn.mean(0));
    batch.end_step(B);
    batch_values[i] = batch.trace()[0];
  }
  const auto standard_error = [&](const Tensor& values) {
    return values.std().item<double>() / std::sqrt(static_cast<double>(draws));
  };
  EXPECT_NEAR(split_values.mean().item<double>(), trace, 3 * standard_error(split_values));
  EXPECT_NEAR(four_values.mean().item<double>(), trace, 3 * standard_error(four_values));
  EXPECT_LT(standard_error(four_values), standard_error(split_values));
  EXPECT_NEAR(batch_values.mean().item<double>(), trace + (B - 1) * mean_squared,
              3 * standard_error(batch_values));
}

// By its definition, B |g|^2 with the gradient of the whole step.
TEST(FisherEstimateTest, AccumulatedPassesOfAWeightGiveTheBatchEstimate) {
  torch::manual_seed(4);
  const Tensor passes = torch::randn({3, 2, 5});
  const auto sums = [](const Tensor& gradient) {
    return torch::cat(
        {gradient.square().sum(1, false, torch::kFloat64), torch::zeros({1}, torch::kFloat64)});
  };
  FisherEstimate whole(2), parts(2);
  parts.set_weights(FisherWeights::kBatch, /*passes=*/3);
  for (int step = 0; step < 2; ++step) {
    whole.add(sums(passes.sum(0)), passes.sum(0));
    whole.end_step(12, /*loss_scale=*/8);
    for (int k = 0; k < 3; ++k) parts.add(sums(passes[k]), passes[k]);
    parts.end_step(12, /*loss_scale=*/8);
    for (int channel = 0; channel < 2; ++channel) {
      EXPECT_NEAR(parts.trace()[channel], whole.trace()[channel], 1e-6 * whole.trace()[channel]);
    }
  }
}

// With one sample a pass nothing is left to estimate: it is the mean of |d_i|^2, d_i = B g_i.
TEST(FisherEstimateTest, SplitWithOneSampleAPassIsTheTrace) {
  torch::manual_seed(4);
  const Tensor samples = torch::randn({5, 3});
  FisherEstimate estimate(1);
  estimate.set_weights(FisherWeights::kSplit, /*passes=*/5);
  for (int i = 0; i < 5; ++i) add(estimate, samples[i] / 5);
  estimate.end_step(5);
  EXPECT_NEAR(estimate.trace()[0], samples.square().sum(1).mean().item<double>(), 1e-5);
}

TEST(FisherEstimateTest, AnotherNumberOfPassesThanWasSaidIsAMistake) {
  FisherEstimate estimate(1);
  for (const FisherWeights weights : {FisherWeights::kBatch, FisherWeights::kSplit}) {
    estimate.reset();
    estimate.set_weights(weights, 2);
    add(estimate, torch::ones({2}));
    try {
      estimate.end_step(4);
      FAIL();
    } catch (const std::logic_error& error) {
      EXPECT_STREQ(error.what(), "a Fisher estimate over 2 backward passes a step got 1");
    }
  }
  EXPECT_THROW(estimate.set_weights(FisherWeights::kSplit, 1), std::logic_error);
}

TEST(FisherEstimateTest, AStepWithNonFiniteGradientsIsLeftOutAndCounted) {
  FisherEstimate estimate(1);
  add(estimate, torch::ones({2}), /*skipped=*/5);
  estimate.end_step(4);
  EXPECT_EQ(estimate.steps(), 0);
  EXPECT_EQ(estimate.skipped(), 5);
  add(estimate, torch::ones({2}));
  estimate.end_step(4);
  EXPECT_EQ(estimate.steps(), 1);
  EXPECT_DOUBLE_EQ(estimate.trace()[0], 8);
}

TEST(FisherEstimateTest, StateCarriesTheAverage) {
  FisherEstimate one(1), other(1);
  add(one, torch::ones({3}));
  one.end_step(2);
  other.state().copy_(one.state());
  for (FisherEstimate* estimate : {&one, &other}) {
    add(*estimate, torch::ones({5}));
    estimate->end_step(2);
  }
  EXPECT_EQ(one.trace(), other.trace());
  EXPECT_EQ(other.steps(), 2);
}

}  // namespace
}  // namespace qbitopt
