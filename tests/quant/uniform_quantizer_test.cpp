#include "qbitopt/quant/uniform_quantizer.h"

#include <gtest/gtest.h>
#include <torch/autograd.h>

#include <cmath>

#include "qbitopt/core/error.h"
#include "qbitopt/quant/fake_quantize.h"

namespace qbitopt {
namespace {

using torch::Tensor;

QuantizerSpec weight_spec(int64_t channels = 1) {
  return {.name = "conv1.weight", .kind = TensorKind::kWeight, .channels = channels};
}

QuantizerSpec relu_spec() {
  return {.name = "conv2.input",
          .kind = TensorKind::kActivation,
          .is_signed = false,
          .absorbs = Activation::kRelu};
}

TEST(UniformQuantizerTest, StartsAtThePinnedBitsOrTheWidestCandidate) {
  EXPECT_EQ(UniformQuantizer(weight_spec()).bits(), 8);
  QuantizerSpec pinned = weight_spec();
  pinned.pinned_bits = 5;
  EXPECT_EQ(UniformQuantizer(pinned).bits(), 5);
}

TEST(UniformQuantizerTest, CalibrationPassesTheActivatedTensorAndFindsTheRange) {
  UniformQuantizer quantizer(relu_spec());
  quantizer.set_bits(3);
  const Tensor first = torch::linspace(-2, 2, 4001), second = torch::linspace(-3, 1, 4001);
  quantizer.begin_calibration();
  EXPECT_TRUE(torch::equal(quantizer.forward(first), first.relu()));
  quantizer.forward(second);
  quantizer.end_calibration();
  const Tensor both = torch::cat({first, second}).relu();
  EXPECT_NEAR(quantizer.range().item<double>(), mse_range(both, Grid::make(3, false)), 1e-3);
  EXPECT_FALSE(torch::equal(quantizer.forward(first), first.relu()));
}

TEST(UniformQuantizerTest, CalibrationWithoutDataNamesTheQuantizer) {
  UniformQuantizer quantizer(relu_spec());
  quantizer.begin_calibration();
  try {
    quantizer.end_calibration();
    FAIL();
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(),
                 "quantizer 'conv2.input' saw no data during calibration; calibrate with at least "
                 "one batch that passes through its layer");
  }
}

TEST(UniformQuantizerTest, ANewBitWidthKeepsTheRange) {
  UniformQuantizer quantizer(weight_spec());
  quantizer.range().data().fill_(1.7);
  quantizer.set_bits(2);
  EXPECT_FLOAT_EQ(quantizer.range().item<float>(), 1.7f);
  EXPECT_EQ(quantizer.grid().K, 3);
}

TEST(UniformQuantizerTest, RefitScalesTheRangeAsForAGaussian) {
  UniformQuantizer quantizer(weight_spec(), {.range_at_change = RangeAtChange::kRefit});
  const Tensor x = torch::randn({100000}, at::detail::createCPUGenerator(1), torch::kFloat32);
  quantizer.range().data().fill_(mse_range(x, Grid::make(8, true)));
  quantizer.set_bits(3);
  EXPECT_NEAR(quantizer.range().item<double>(), mse_range(x, Grid::make(3, true)), 0.15);
  quantizer.set_bits(8);
  EXPECT_NEAR(quantizer.range().item<double>(), mse_range(x, Grid::make(8, true)), 1e-4);
}

TEST(UniformQuantizerTest, BitsOutsideTheGridAreRefused) {
  UniformQuantizer quantizer(weight_spec());
  for (const int bits : {1, 17}) {
    try {
      quantizer.set_bits(bits);
      FAIL();
    } catch (const std::invalid_argument& error) {
      EXPECT_EQ(error.what(), "conv1.weight: " + std::to_string(bits) + " bits; expected 2 to 16");
    }
  }
  UniformQuantizer unsigned_one(relu_spec());
  unsigned_one.set_bits(1);
  EXPECT_EQ(unsigned_one.bits(), 1);
}

TEST(UniformQuantizerTest, ACheckpointCarriesRangeBitsAndFisher) {
  const auto source = std::make_shared<UniformQuantizer>(weight_spec());
  source->set_bits(3);
  source->range().data().fill_(0.4);
  source->track_fisher(true);
  source->forward(torch::randn({20}).requires_grad_()).sum().backward();
  source->fisher()->end_step(4);
  std::stringstream stream;
  torch::serialize::OutputArchive out;
  source->save(out);
  out.save_to(stream);

  const auto target = std::make_shared<UniformQuantizer>(weight_spec());
  EXPECT_EQ(target->bits(), 8);
  torch::serialize::InputArchive in;
  in.load_from(stream);
  target->load(in);
  EXPECT_EQ(target->bits(), 3);
  EXPECT_FLOAT_EQ(target->range().item<float>(), 0.4f);
  target->track_fisher(true);
  EXPECT_EQ(target->fisher()->trace(), source->fisher()->trace());

  // Copied buffer by buffer.
  const auto copied = std::make_shared<UniformQuantizer>(weight_spec());
  EXPECT_EQ(copied->bits(), 8);
  copied->named_buffers()["bits"].copy_(source->named_buffers()["bits"]);
  EXPECT_EQ(copied->bits(), 3);
}

TEST(UniformQuantizerTest, GradientScaleCountsSamplesAsAsked) {
  const Tensor x = torch::rand({10, 6, 2, 2});
  UniformQuantizer per_sample(relu_spec());
  per_sample.set_bits(2);
  per_sample.forward(x);
  EXPECT_DOUBLE_EQ(per_sample.gradient_scale(), 1 / std::sqrt(24.0 * 3));
  UniformQuantizer numel(relu_spec(), {.lsq_grad_n = LsqGradN::kNumel});
  numel.set_bits(2);
  numel.forward(x);
  EXPECT_DOUBLE_EQ(numel.gradient_scale(), 1 / std::sqrt(240.0 * 3));
  UniformQuantizer weight(weight_spec());
  weight.set_bits(4);
  weight.forward(x);
  EXPECT_DOUBLE_EQ(weight.gradient_scale(), 1 / std::sqrt(240.0 * 7));
  UniformQuantizer channels(weight_spec(10), {.per_channel_weights = true});
  channels.set_bits(4);
  channels.forward(x);
  EXPECT_DOUBLE_EQ(channels.gradient_scale(), 1 / std::sqrt(24.0 * 7));
}

TEST(UniformQuantizerTest, ASampleOfTheActivatedTensorIsKeptInTrainingOnly) {
  UniformQuantizer quantizer(relu_spec());
  quantizer.keep_sample(100);
  const Tensor x = torch::randn({1000});
  {
    torch::NoGradGuard evaluation;
    quantizer.forward(x);
  }
  EXPECT_FALSE(quantizer.sample().defined());
  quantizer.forward(x);
  EXPECT_EQ(quantizer.sample().size(0), 1);
  EXPECT_LE(quantizer.sample().size(1), 100);
  EXPECT_GE(quantizer.sample().min().item<float>(), 0);
}

TEST(UniformQuantizerTest, OptionsComeFromTheJob) {
  const Parameters parameters(Json{{"quantizers.signed_grid", "symmetric"},
                                   {"quantizers.per_channel_weights", true},
                                   {"quantizers.range_init", "percentile"},
                                   {"quantizers.lsq_grad_n", "numel"},
                                   {"reallocation.range_at_change", "refit"}});
  const auto options = UniformQuantizerOptions::from(parameters);
  EXPECT_EQ(options.signed_grid, SignedGrid::kSymmetric);
  EXPECT_TRUE(options.per_channel_weights);
  EXPECT_EQ(options.range_init, RangeInit::kPercentile);
  EXPECT_EQ(options.lsq_grad_n, LsqGradN::kNumel);
  EXPECT_EQ(options.range_at_change, RangeAtChange::kRefit);
  try {
    UniformQuantizerOptions::from(Parameters(Json{{"quantizers.range_init", "mes"}}));
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("unknown quantizers.range_init 'mes'"),
              std::string::npos)
        << error.what();
  }
}

QuantizerSpec hard_swish_spec() {
  return {.name = "conv3.input",
          .kind = TensorKind::kActivation,
          .is_signed = false,
          .has_offset = true,
          .absorbs = Activation::kHardSwish};
}

TEST(UniformQuantizerTest, WithAnOffsetItIsLsqPlus) {
  UniformQuantizer quantizer(hard_swish_spec());
  quantizer.set_bits(3);
  const double r = 2.1, o = -0.3, s = r / 7;
  quantizer.range().data().fill_(r);
  quantizer.offset().data().fill_(o);
  const Tensor x = torch::linspace(-5, 5, 301).requires_grad_();
  const Tensor weights = torch::linspace(1, 2, 301);
  const Tensor y = quantizer.forward(x);
  (y * weights).sum().backward();

  const Tensor a = torch::hardswish(x.detach()).requires_grad_();
  const Tensor v = (a.detach() - o) / s;
  EXPECT_TRUE(torch::allclose(y, v.clamp(0, 7).round() * s + o, 1e-5, 1e-6));
  const Tensor inside = (v >= 0).logical_and(v <= 7).to(torch::kFloat32);
  const Tensor slope = torch::autograd::grad({torch::hardswish(x).sum()}, {x})[0];
  EXPECT_TRUE(torch::allclose(x.grad(), weights * inside * slope, 1e-5, 1e-6));
  // d x_hat / d offset is 0 inside and 1 where clipped (Bhalgat et al., 2020).
  EXPECT_NEAR(quantizer.offset().grad().item<double>(),
              (weights * (1 - inside)).sum().item<double>(), 1e-3);
}

TEST(UniformQuantizerTest, CalibrationWithAnOffsetCoversWhatLiesBelowZero) {
  UniformQuantizer quantizer(hard_swish_spec());
  const Tensor x = torch::linspace(-6, 6, 20001);
  const Tensor a = torch::hardswish(x);
  for (const int bits : {4, 8}) {
    quantizer.set_bits(bits);
    quantizer.begin_calibration();
    EXPECT_TRUE(torch::equal(quantizer.forward(x), a));
    quantizer.end_calibration();
    const double error = (quantizer.forward(x) - a).square().mean().item<double>();
    const double unsigned_error =
        mean_squared_error(a, mse_range(a, quantizer.grid()), quantizer.grid());
    EXPECT_LT(error, 0.9 * unsigned_error);
    EXPECT_LT(quantizer.offset().item<double>(), 0);
    EXPECT_GE(quantizer.offset().item<double>(), -0.3751);
  }
}

TEST(UniformQuantizerTest, OnlyASpecWithAnOffsetHasTheParameter) {
  EXPECT_FALSE(UniformQuantizer(relu_spec()).named_parameters().contains("offset"));
  EXPECT_TRUE(UniformQuantizer(hard_swish_spec()).named_parameters().contains("offset"));
}

}  // namespace
}  // namespace qbitopt
