#pragma once

#include <optional>
#include <string>
#include <vector>

#include "qbitopt/models/conv_block.h"
#include "qbitopt/models/squeeze_excite.h"
#include "qbitopt/quant/torch.h"

namespace qbitopt {

struct InvertedResidualOptions {
  // Published paths of a convolution and its batch norm.
  struct Names {
    std::string convolution, batch_norm;
  };
  Names expansion;  // not read where hidden_channels equals in_channels
  Names depthwise;
  Names projection;
  int64_t in_channels = 1;
  int64_t hidden_channels = 1;  // equal to in_channels: no expansion
  int64_t out_channels = 1;
  int64_t kernel = 3;  // of the depthwise convolution
  int64_t stride = 1;
  Activation activation = Activation::kRelu6;           // after expansion and depthwise convolution
  Activation input_activation = Activation::kIdentity;  // what made the input
  BatchNormOptions normalization;
  std::string squeeze_path;  // a squeeze-excite unit before the projection; empty: none
  int64_t squeezed_channels = 0;
};

// Expand by a 1x1 convolution, filter each channel by itself, project to fewer channels, and add
// the input where its shape allows (Sandler et al., 2018). The input is quantized for the expansion
// after the branch point; the projection's output (signed) and the sum stay fp32.
class InvertedResidual {
 public:
  InvertedResidual(Network& network, const InvertedResidualOptions& options);

  torch::Tensor operator()(const torch::Tensor& x) const;

  bool has_residual() const { return has_residual_; }
  ConvBlock& first() { return blocks_.front(); }
  ConvBlock& projection() { return blocks_.back(); }

 private:
  std::vector<ConvBlock> blocks_;  // expansion (or not), depthwise, projection
  std::optional<SqueezeExcite> squeeze_excite_;
  bool has_residual_;
};

// Joins (ConvBlock::feeds) what has one reader along stem, units, head: a block's output where
// neither its own unit adds to it nor the next unit's shortcut reads it.
void join_single_readers(ConvBlock& stem, std::vector<InvertedResidual>& units, ConvBlock& head);

}  // namespace qbitopt
