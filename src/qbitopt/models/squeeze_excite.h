#pragma once

#include <string>

#include "qbitopt/models/network.h"
#include "qbitopt/quant/torch.h"

namespace qbitopt {

struct SqueezeExciteOptions {
  std::string path;  // "features.1.block.1": the layers are <path>.fc1 and <path>.fc2
  int64_t channels = 1;
  int64_t squeezed_channels = 1;
  Activation input_activation = Activation::kRelu;  // what made the feature map
};

// Scales every channel by what the means of all channels say (Hu et al., 2018): pool, fc1, ReLU,
// fc2, hard sigmoid, product; fc1 and fc2 are 1x1 convolutions with a bias. Quantized: both
// weights, the pooled input, the squeezed channels (unsigned), and the factors (unsigned,
// <path>.gate.input).
class SqueezeExcite {
 public:
  SqueezeExcite(Network& network, const SqueezeExciteOptions& options);

  torch::Tensor operator()(const torch::Tensor& x) const;

 private:
  QuantizedLayer* squeeze_;
  QuantizedLayer* excite_;
  Gate* gate_;
};

}  // namespace qbitopt
