#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "qbitopt/core/error.h"
#include "qbitopt/quant/fake_quantize.h"
#include "qbitopt/sensitivity/loss_delta.h"
#include "qbitopt/sensitivity/output_kl.h"
#include "sensitivity/tiny_network.h"

namespace qbitopt {
namespace {

using ::testing::HasSubstr;
using torch::Tensor;

double loss(const Tensor& logits, const Tensor& labels) {
  return torch::cross_entropy_loss(logits.to(torch::kFloat64), labels).item<double>();
}

double kl(const Tensor& base, const Tensor& changed) {
  const Tensor p = torch::softmax(base.to(torch::kFloat64), 1);
  const Tensor q = torch::softmax(changed.to(torch::kFloat64), 1);
  return (p * (p / q).log()).sum(1).mean().item<double>();
}

// The tiny network by hand with one tensor rounded to `bits` at `range`.
Tensor logits_with(const TinyNetwork& network, int q, int bits, double range) {
  const auto quantize = [&](int which, const Tensor& x, bool is_signed) {
    if (which != q) return x;
    return fake_quantize(x, torch::full({1}, static_cast<float>(range)),
                         Grid::make(bits, is_signed));
  };
  const Tensor x = quantize(0, network.images, true);
  const Tensor h = torch::relu(torch::linear(x, quantize(1, network.W1, true)));
  return torch::linear(quantize(2, h, false), quantize(3, network.W2, true));
}

TEST(OutputMetricsTest, WhileTrainingTheyAreForwardPassesByHandAroundThePresentBits) {
  const TinyNetwork network;
  SensitivityContext context = network.context(8);
  const CostTable losses = LossDelta(32).current(context);
  const CostTable divergences = OutputKl(32).current(context);
  EXPECT_EQ(losses.unit, "nats");
  torch::NoGradGuard no_grad;
  const Tensor base = network.forward(network.images);
  for (int q = 0; q < 4; ++q) {
    for (int i = 0; i < 7; ++i) {
      network.uniform()[q]->set_bits(i + 2);
      const Tensor changed = network.forward(network.images);
      network.uniform()[q]->set_bits(4);
      EXPECT_NEAR(losses.costs[q][i], loss(changed, network.labels) - loss(base, network.labels),
                  1e-6);
      EXPECT_NEAR(divergences.costs[q][i], kl(base, changed), 1e-7);
    }
    EXPECT_EQ(losses.costs[q][2], 0) << "the present bits";
  }
}

TEST(OutputMetricsTest, BeforeTrainingTheOthersAreInFullPrecisionAndTheWidthIsTheFirstOne) {
  const TinyNetwork network;
  SensitivityContext context = network.context(32);
  const CostTable losses = LossDelta(32).estimate(context);
  const CostTable divergences = OutputKl(32).estimate(context);
  torch::NoGradGuard no_grad;
  const Tensor base = network.plain(network.images, network.W1, network.W2);
  const Tensor h = torch::relu(torch::linear(network.images, network.W1));
  const Tensor tensors[] = {network.images, network.W1, h, network.W2};
  for (int q = 0; q < 4; ++q) {
    for (const int bits : {2, 5}) {
      const double range =
          mse_range(tensors[q].reshape({-1}).contiguous(), Grid::make(bits, q != 2));
      const Tensor changed = logits_with(network, q, bits, range);
      EXPECT_NEAR(losses.costs[q][bits - 2],
                  loss(changed, network.labels) - loss(base, network.labels), 1e-6);
      EXPECT_NEAR(divergences.costs[q][bits - 2], kl(base, changed), 1e-7);
    }
  }
}

TEST(OutputMetricsTest, UseTheFirstImagesAndSayHowManyThereAre) {
  const TinyNetwork network;
  SensitivityContext context = network.context(8);
  TinyNetwork fewer;
  fewer.images = fewer.images.slice(0, 0, 12);
  fewer.labels = fewer.labels.slice(0, 0, 12);
  SensitivityContext all_of_fewer = fewer.context(4);
  const auto a = LossDelta(12).current(context).costs, b = LossDelta(0).current(all_of_fewer).costs;
  for (int q = 0; q < 4; ++q) EXPECT_NEAR(a[q][0], b[q][0], 1e-6);
  try {
    OutputKl(33).estimate(context);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(),
                 "sensitivity 'output_kl' was asked for 33 images, but the calibration set has 32: "
                 "lower output_kl.samples, or raise calibration.batches or calibration.batch_size");
  }
}

TEST(OutputMetricsTest, OutputsThatAreNotFiniteAreLeftOutAndCounted) {
  const TinyNetwork network;
  SensitivityContext context = network.context(32);
  const auto forward = context.forward;
  int64_t from = 31;
  context.forward = [&](const Tensor& x) {
    Tensor logits = forward(x);
    logits.slice(0, from) = std::numeric_limits<float>::quiet_NaN();
    return logits;
  };
  const CostTable table = LossDelta(32).current(context);
  EXPECT_EQ(table.note, "28 of 896 outputs were not finite and left out");
  from = 0;
  try {
    LossDelta(32).current(context);
    FAIL();
  } catch (const JobError& error) {
    EXPECT_EQ(error.error_class(), "non_finite");
    EXPECT_THAT(error.what(), HasSubstr("none of 32 values measured for quantizer 'fc1.input'"));
  }
}

}  // namespace
}  // namespace qbitopt
