#pragma once

#include <vector>

#include "qbitopt/quant/torch.h"

namespace qbitopt {

struct ConvolutionGeometry {
  std::vector<int64_t> stride, padding, dilation;  // [2] each: height, width
};

// Whether convolve_image() takes them: float32 on the CPU without autocast, images [batch, at most
// 4 channels, height, width] with a gradient, one group.
bool is_image_convolution(const torch::Tensor& images, const torch::Tensor& weight);

// conv2d() of images that have a gradient, as the range of their quantizer asks. Of so few channels
// LibTorch's gradient of the input takes several times as long as the convolution; here it is a
// matrix product with the weights and a sum over the taps (col2im). The same up to rounding,
// whatever the number of threads. Differentiable twice, by LibTorch's operators.
torch::Tensor convolve_image(const torch::Tensor& images, const torch::Tensor& weight,
                             const torch::Tensor& bias, const ConvolutionGeometry& geometry);

}  // namespace qbitopt
