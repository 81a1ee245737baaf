#pragma once

#include <string>

#include "qbitopt/models/network.h"
#include "qbitopt/quant/torch.h"

namespace qbitopt {

struct ConvBlockOptions {
  std::string convolution;  // published path, "features.1.conv.0.0"
  std::string batch_norm;   // "features.1.conv.0.1"
  int64_t in_channels = 1;
  int64_t out_channels = 1;
  int64_t kernel = 3;
  int64_t stride = 1;
  int64_t groups = 1;
  Activation activation = Activation::kIdentity;
  BatchNormOptions normalization = {};
  bool signed_input = true;  // false: the input is never negative
  // Set: another layer reads the same tensor and quantizes it for both.
  QuantizerSite* shared_input = nullptr;
};

// Convolution, batch norm, activation: what every network here is composed of, so that fusion,
// folding and memory layout have one place. Not a module: it registers its two layers in the
// network under their published names, and is copied freely.
//
// Where the output's only reader is the next block, feeds() joins the two: activation and the next
// convolution's input quantizer become one step, right after the batch norm.
class ConvBlock {
 public:
  ConvBlock(Network& network, const ConvBlockOptions& options);

  torch::Tensor operator()(const torch::Tensor& x) const;

  // Nothing else reads this block's output. Copies made before do not know.
  void feeds(QuantizedLayer& next);
  void feeds(ConvBlock& next) { feeds(next.layer()); }

  QuantizedLayer& layer() const { return *layer_; }
  QuantizerSite& input_site() const { return layer_->input_site(); }

 private:
  QuantizedLayer* layer_;
  torch::nn::BatchNorm2d batch_norm_;
  Activation activation_;
  QuantizerSite* next_input_ = nullptr;
};

// What a quantizer must know of a tensor that comes out of an activation: signed after none,
// unsigned after ReLU and ReLU6, with an offset after hard-swish.
void describe_output_of(Activation activation, QuantizerSpec& spec);

// The classifier on pooled features, with a bias. Its input is quantized after the pooling.
QuantizedLayer& add_linear_head(Network& network, const std::string& path, int64_t features,
                                bool signed_input);

// Mean over height and width: [batch, channels, h, w] -> [batch, channels].
torch::Tensor global_average_pool(const torch::Tensor& x);

}  // namespace qbitopt
