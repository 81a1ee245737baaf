#include "qbitopt/quant/site.h"

namespace qbitopt {

QuantizerSite::QuantizerSite(torch::nn::Module& layer, QuantizerSpec spec)
    : layer_(&layer), spec_(std::move(spec)) {}

torch::Tensor QuantizerSite::operator()(const torch::Tensor& x) const {
  if (!quantizer_) return apply_activation(spec_.absorbs, x);
  // What a layer computed in 16 bits under autocast is too coarse for the quantizer's arithmetic.
  const bool widen =
      c10::isReducedFloatingType(x.scalar_type()) && !quantizer_->takes_sixteen_bits(x);
  return quantizer_->forward(widen ? x.to(torch::kFloat32) : x);
}

void QuantizerSite::attach(QuantizerPtr quantizer) {
  detach();
  quantizer_ = std::move(quantizer);
  layer_->register_module(
      spec_.kind == TensorKind::kWeight ? "weight_quantizer" : "input_quantizer", quantizer_);
}

void QuantizerSite::detach() {
  if (!quantizer_) return;
  layer_->unregister_module(spec_.kind == TensorKind::kWeight ? "weight_quantizer"
                                                              : "input_quantizer");
  quantizer_.reset();
}

torch::Tensor apply_activation(Activation activation, const torch::Tensor& x) {
  switch (activation) {
    case Activation::kRelu:
      return torch::relu(x);
    case Activation::kRelu6:
      return torch::hardtanh(x, 0, 6);
    case Activation::kHardSwish:
      return torch::hardswish(x);
    case Activation::kIdentity:
      break;
  }
  return x;
}

}  // namespace qbitopt
