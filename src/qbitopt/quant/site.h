#pragma once

#include <functional>

#include "qbitopt/quant/quantizer.h"

namespace qbitopt {

// A place in a network where a tensor may be quantized: applies the activation that comes before it
// and, if a quantizer is attached, quantizes. Owned by the block that holds the tensor.
class QuantizerSite {
 public:
  // `layer`: the convolution or linear module whose weight or input this is (the first consumer of
  // a shared input); the attached quantizer is registered in it.
  QuantizerSite(torch::nn::Module& layer, QuantizerSpec spec);

  torch::Tensor operator()(const torch::Tensor& x) const;

  void attach(QuantizerPtr quantizer);
  void detach();
  const QuantizerPtr& quantizer() const { return quantizer_; }
  QuantizerSpec& spec() { return spec_; }
  const QuantizerSpec& spec() const { return spec_; }

 private:
  torch::nn::Module* layer_;
  QuantizerSpec spec_;
  QuantizerPtr quantizer_;
};

// max(x, 0), clipped at 6 for kRelu6; x relu6(x + 3) / 6 for kHardSwish.
torch::Tensor apply_activation(Activation activation, const torch::Tensor& x);

}  // namespace qbitopt
