#include "qbitopt/quant/batch_norm_quantize.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <limits>

#include "qbitopt/quant/fake_quantize.h"
#include "qbitopt/quant/site.h"

namespace qbitopt {
namespace {

using torch::Tensor;

// What a batch norm, its activation and its quantizer leave behind.
struct JoinedOutcome {
  std::vector<Tensor> tensors;  // out, dx, dweight, dbias, running mean and variance[, drange]
  double squares = 0;
};

struct JoinedCase {
  std::vector<int64_t> shape = {8, 16, 7, 7};
  Activation activation = Activation::kRelu6;
  int bits = 4;  // 0: no quantizer
  bool is_signed = false;
  torch::Dtype type = torch::kFloat32;
  double mean = 0.3;
  torch::MemoryFormat format = torch::MemoryFormat::ChannelsLast;
};

struct JoinedInputs {
  explicit JoinedInputs(const JoinedCase& c)
      : x((torch::randn(c.shape) * 2 + c.mean).to(c.type).contiguous(c.format)),
        gradient(torch::randn(c.shape).to(c.type).contiguous(c.format)) {
    const int64_t channels = c.shape[1];
    norm = {torch::rand({channels}, c.type) + 0.5,
            torch::randn({channels}, c.type) + 1,
            torch::zeros({channels}, c.type),
            torch::ones({channels}, c.type),
            0.1,
            1e-5};
    quantize.activation = c.activation;
    if (c.bits > 0) quantize.range = torch::full({1}, 3.3, c.type);
    quantize.grid = Grid::make(std::max(2, c.bits), c.is_signed);
  }

  BatchNormStep fresh() const {
    return {norm.weight.clone().requires_grad_(),
            norm.bias.clone().requires_grad_(),
            norm.running_mean.clone(),
            norm.running_var.clone(),
            norm.momentum,
            norm.epsilon};
  }

  Tensor x, gradient;
  BatchNormStep norm;
  QuantizeStep quantize;
};

Tensor separate(const Tensor& x, const BatchNormStep& norm, const QuantizeStep& quantize) {
  const Tensor y = torch::batch_norm(x, norm.weight, norm.bias, norm.running_mean, norm.running_var,
                                     true, norm.momentum, norm.epsilon, false);
  if (!quantize.range.defined()) return apply_activation(quantize.activation, y);
  return fake_quantize(y, quantize.range, quantize.grid, quantize.activation, quantize.fisher);
}

template <typename Run>
JoinedOutcome run_joined(const JoinedInputs& inputs, const Run& work) {
  const Tensor x = inputs.x.clone().requires_grad_();
  const BatchNormStep norm = inputs.fresh();
  QuantizeStep quantize = inputs.quantize;
  if (quantize.range.defined()) {
    quantize.range = quantize.range.clone().requires_grad_();
    quantize.fisher = std::make_shared<FisherEstimate>(1);
  }
  const Tensor out = work(x, norm, quantize);
  out.backward(inputs.gradient);
  JoinedOutcome outcome{{out.detach(), x.grad(), norm.weight.grad(), norm.bias.grad(),
                         norm.running_mean, norm.running_var},
                        0};
  if (quantize.range.defined()) {
    outcome.tensors.push_back(quantize.range.grad());
    quantize.fisher->end_step(1);
    outcome.squares = quantize.fisher->steps() > 0 ? quantize.fisher->trace()[0] : -1;
  }
  return outcome;
}

double difference(const Tensor& value, const Tensor& expected) {
  const Tensor reference = expected.to(torch::kFloat64);
  return ((value.to(torch::kFloat64) - reference).norm() / (reference.norm() + 1e-12))
      .item<double>();
}

void expect_near(const JoinedOutcome& joined, const JoinedOutcome& expected, double tolerance) {
  const char* names[] = {"out", "dx", "dweight", "dbias", "running mean", "running var", "drange"};
  for (size_t i = 0; i < expected.tensors.size(); ++i) {
    EXPECT_LT(difference(joined.tensors[i], expected.tensors[i]), tolerance) << names[i];
    EXPECT_EQ(joined.tensors[i].strides(), expected.tensors[i].strides()) << names[i];
  }
  EXPECT_NEAR(joined.squares, expected.squares, tolerance * expected.squares + 1e-12);
}

std::vector<std::vector<int64_t>> shapes() {
  return {{8, 16, 7, 7},    {6, 24, 5, 4},      // one and a half registers
          {16, 5, 3, 3},    {16, 1, 9, 9},      // an odd number; one
          {33, 96, 14, 14}, {32, 1280, 1, 1}};  // several pieces; one pixel
}

TEST(BatchNormQuantizeTest, IsTheBatchNormAndTheActivationOfLibTorch) {
  torch::manual_seed(1);
  for (const auto& shape : shapes()) {
    for (const auto activation : {Activation::kIdentity, Activation::kRelu, Activation::kRelu6}) {
      SCOPED_TRACE(testing::Message()
                   << shape[1] << " channels, activation " << static_cast<int>(activation));
      const JoinedInputs inputs({.shape = shape, .activation = activation, .bits = 0});
      ASSERT_TRUE(has_joined_kernels(inputs.x, inputs.norm, inputs.quantize));
      expect_near(run_joined(inputs, batch_norm_quantize), run_joined(inputs, separate), 5e-6);
    }
  }
}

// Of the same normalized values: which of two codes a value between them gets would otherwise
// depend on its last digit.
TEST(BatchNormQuantizeTest, QuantizesAsTheQuantizerDoes) {
  torch::manual_seed(1);
  const auto one_by_one = [](const Tensor& x, const BatchNormStep& norm,
                             const QuantizeStep& quantize) {
    const Tensor y = batch_norm_quantize(x, norm, {});
    return fake_quantize(y, quantize.range, quantize.grid, quantize.activation, quantize.fisher);
  };
  for (const auto& shape : shapes()) {
    for (const auto activation : {Activation::kIdentity, Activation::kRelu, Activation::kRelu6}) {
      for (const int bits : {2, 8}) {
        SCOPED_TRACE(testing::Message() << shape[1] << " channels, activation "
                                        << static_cast<int>(activation) << ", bits " << bits);
        const JoinedInputs inputs({.shape = shape,
                                   .activation = activation,
                                   .bits = bits,
                                   .is_signed = activation == Activation::kIdentity});
        ASSERT_TRUE(has_joined_kernels(inputs.x, inputs.norm, inputs.quantize));
        const JoinedOutcome joined = run_joined(inputs, batch_norm_quantize);
        const JoinedOutcome expected = run_joined(inputs, one_by_one);
        EXPECT_TRUE(torch::equal(joined.tensors[0], expected.tensors[0]));
        expect_near(joined, expected, 1e-4);  // the range's gradient is a sum that cancels
      }
    }
  }
}

// Against the separate operations in double precision.
TEST(BatchNormQuantizeTest, IsAsExactAsFloatsAllow) {
  torch::manual_seed(2);
  const JoinedInputs inputs(
      {.shape = {33, 96, 14, 14}, .activation = Activation::kRelu, .bits = 0});
  JoinedInputs exact = inputs;
  for (Tensor* tensor : {&exact.x, &exact.gradient, &exact.norm.weight, &exact.norm.bias,
                         &exact.norm.running_mean, &exact.norm.running_var})
    *tensor = tensor->to(torch::kFloat64);
  expect_near(run_joined(inputs, batch_norm_quantize), run_joined(exact, separate), 1e-6);
  // A mean far from zero costs no digits but those of x itself.
  const JoinedInputs far({.activation = Activation::kIdentity, .bits = 0, .mean = 1000});
  expect_near(run_joined(far, batch_norm_quantize), run_joined(far, separate), 1e-3);
}

TEST(BatchNormQuantizeTest, DoesNotDependOnThreads) {
  torch::manual_seed(3);
  const JoinedInputs inputs({.shape = {33, 24, 14, 14}});
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const JoinedOutcome alone = run_joined(inputs, batch_norm_quantize);
  for (const int count : {2, 3}) {
    at::set_num_threads(count);
    const JoinedOutcome several = run_joined(inputs, batch_norm_quantize);
    for (size_t i = 0; i < alone.tensors.size(); ++i)
      EXPECT_TRUE(torch::equal(alone.tensors[i], several.tensors[i])) << i;
    EXPECT_EQ(alone.squares, several.squares);
  }
  at::set_num_threads(threads);
}

TEST(BatchNormQuantizeTest, TakesGradientsInAnyOrder) {
  torch::manual_seed(4);
  JoinedInputs inputs({});
  const JoinedOutcome expected = run_joined(inputs, batch_norm_quantize);
  inputs.gradient = inputs.gradient.contiguous();
  const JoinedOutcome outcome = run_joined(inputs, batch_norm_quantize);
  EXPECT_TRUE(torch::equal(outcome.tensors[1], expected.tensors[1]));
}

TEST(BatchNormQuantizeTest, LeavesNonFiniteGradientsOutOfTheSquares) {
  torch::manual_seed(5);
  JoinedInputs inputs({.activation = Activation::kIdentity, .bits = 8, .is_signed = true});
  inputs.quantize.range.fill_(1000);  // nothing is clipped
  inputs.gradient[0][0][0][0] = std::numeric_limits<float>::infinity();
  inputs.gradient[1][2][3][4] = 1e30f;  // its square is not finite
  const Tensor x = inputs.x.clone().requires_grad_();
  QuantizeStep quantize = inputs.quantize;
  quantize.fisher = std::make_shared<FisherEstimate>(1);
  batch_norm_quantize(x, inputs.fresh(), quantize).backward(inputs.gradient);
  quantize.fisher->end_step(1);
  EXPECT_EQ(quantize.fisher->skipped(), 2);
  EXPECT_EQ(quantize.fisher->steps(), 0);
}

TEST(BatchNormQuantizeTest, HasSecondDerivatives) {
  torch::manual_seed(6);
  const JoinedInputs inputs({.activation = Activation::kRelu, .bits = 8});
  const auto second = [&](const auto& work) {
    const Tensor x = inputs.x.clone().requires_grad_();
    const Tensor out = work(x, inputs.fresh(), inputs.quantize);
    const Tensor first =
        torch::autograd::grad({(out * out * inputs.gradient).sum()}, {x}, {}, true, true)[0];
    return torch::autograd::grad({first.square().sum()}, {x})[0];
  };
  EXPECT_LT(difference(second(batch_norm_quantize), second(separate)), 1e-3);
}

TEST(BatchNormQuantizeTest, LeavesTheRestToSeparateOperations) {
  torch::manual_seed(7);
  const auto takes = [](const JoinedCase& c) {
    const JoinedInputs inputs(c);
    return has_joined_kernels(inputs.x, inputs.norm, inputs.quantize);
  };
  EXPECT_TRUE(takes({}));
  EXPECT_FALSE(takes({.format = torch::MemoryFormat::Contiguous}));
  EXPECT_FALSE(takes({.type = torch::kFloat64}));
  EXPECT_FALSE(takes({.type = torch::kBFloat16}));
  EXPECT_FALSE(takes({.activation = Activation::kHardSwish}));
  EXPECT_FALSE(takes({.shape = {1, 24, 3, 3}}));  // 9 rows of 24 are no whole registers
  EXPECT_FALSE(takes({.shape = {1, 16, 1, 1}}));  // one value a channel
  EXPECT_FALSE(takes({.shape = {0, 16, 4, 4}}));
  JoinedInputs per_channel({});
  per_channel.quantize.range = torch::ones({16});
  EXPECT_FALSE(has_joined_kernels(per_channel.x, per_channel.norm, per_channel.quantize));
}

}  // namespace
}  // namespace qbitopt
