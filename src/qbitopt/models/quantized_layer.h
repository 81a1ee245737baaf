#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "qbitopt/quant/site.h"
#include "qbitopt/quant/torch.h"

namespace qbitopt {

struct LayerOptions {
  enum class Kind { kConvolution, kLinear };
  Kind kind = Kind::kConvolution;
  int64_t in_channels = 1;
  int64_t out_channels = 1;
  int64_t kernel = 3;  // square, padded so that stride 1 keeps the size
  int64_t stride = 1;
  int64_t groups = 1;  // in_channels: depthwise
  bool bias = false;
  bool signed_input = true;  // false: the input is never negative
};

// A convolution or linear layer whose weight and input may be quantized. Weights of convolutions
// lie in memory channels-last; all start at zero (see initialization.h). Made by
// Network::add_layer.
class QuantizedLayer : public torch::nn::Module {
 public:
  // `shared_input`: the input site of another layer that reads the same tensor; null: a site of its
  // own.
  QuantizedLayer(std::string path, const LayerOptions& options,
                 QuantizerSite* shared_input = nullptr);

  // The layer's output, after quantizing the input (unless that is done already: see
  // expect_quantized_input) and the weight.
  torch::Tensor forward(const torch::Tensor& x);

  // The published name, "features.1.conv.0.0".
  const std::string& path() const { return path_; }
  const LayerOptions& options() const { return options_; }
  QuantizerSite& input_site() { return *input_site_; }
  QuantizerSite& weight_site() { return *weight_site_; }
  bool owns_input_site() const { return own_input_site_ != nullptr; }

  // From now on forward() is given what input_site() returned: by the layer before, or by a caller
  // that hands one quantized tensor to several layers.
  void expect_quantized_input() { input_is_quantized_ = true; }

  // Of the latest forward(), per sample.
  int64_t input_elements() const { return input_elements_; }
  // One for each product of a weight with an input: output positions * numel(weight).
  int64_t macs() const { return macs_; }

  torch::Tensor weight;  // [out, in / groups, kernel, kernel] or [out, in]
  torch::Tensor bias;    // [out], or undefined

 private:
  std::string path_;
  LayerOptions options_;
  std::unique_ptr<QuantizerSite> own_input_site_;
  std::unique_ptr<QuantizerSite> weight_site_;
  QuantizerSite* input_site_ = nullptr;
  bool input_is_quantized_ = false;
  int64_t input_elements_ = 0;
  int64_t macs_ = 0;
};

}  // namespace qbitopt
