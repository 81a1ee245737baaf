#pragma once

#include <memory>

#include "qbitopt/quant/activation.h"
#include "qbitopt/quant/fisher_estimate.h"
#include "qbitopt/quant/grid.h"
#include "qbitopt/quant/torch.h"

namespace qbitopt {

// The batch norm of a batch in training: y = (x - mean) / sqrt(variance + epsilon) * weight + bias
// with the mean and the (biased) variance of each channel. `momentum`: share of the batch in the
// running statistics, which are changed in place.
struct BatchNormStep {
  torch::Tensor weight, bias;               // [channels]
  torch::Tensor running_mean, running_var;  // [channels]
  double momentum = 0;
  double epsilon = 0;
};

// fake_quantize() of the activation of y; without a range the activation alone.
struct QuantizeStep {
  Activation activation = Activation::kIdentity;
  torch::Tensor range;  // [1], or undefined
  Grid grid;
  std::shared_ptr<FisherEstimate> fisher;
};

// Whether batch_norm_quantize() takes them: float32 on the CPU, x [batch, channels, height, width]
// channels-last with batch * height * width a multiple of 16 / gcd(16, channels), no kHardSwish.
bool has_joined_kernels(const torch::Tensor& x, const BatchNormStep& norm,
                        const QuantizeStep& quantize);

// Batch norm, activation and quantizer in two passes over the data forward (moments; the rest) and
// two backward (sums, with the range's gradient and the squares of `fisher`; dx). Nothing between x
// and the result is kept. Equal to the separate operations up to rounding; the numbers do not
// depend on the number of threads. Differentiable twice, by the separate operations.
torch::Tensor batch_norm_quantize(const torch::Tensor& x, const BatchNormStep& norm,
                                  const QuantizeStep& quantize);

}  // namespace qbitopt
