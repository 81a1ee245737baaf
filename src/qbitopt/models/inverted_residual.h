#pragma once

#include <string>

#include "qbitopt/graph/builder.h"

namespace qbitopt {

// Convolution, batch norm and activation: what the networks here are made of.
struct ConvBlock {
  std::string convolution;  // published path, "features.1.conv.0.0"
  std::string batch_norm;   // "features.1.conv.0.1"
  GraphBuilder::Convolution options = {};
  GraphActivation activation = GraphActivation::kIdentity;
  GraphBuilder::Normalization normalization = {};
};
ValueRef add_block(GraphBuilder& graph, ValueRef x, const ConvBlock& block);

struct InvertedResidual {
  // Published paths of a convolution and its batch norm.
  struct Names {
    std::string convolution, batch_norm;
  };
  Names expansion;  // not read where hidden_channels equals the input's
  Names depthwise;
  Names projection;
  int64_t hidden_channels = 1;  // equal to the input's: no expansion
  int64_t out_channels = 1;
  int64_t kernel = 3;  // of the depthwise convolution
  int64_t stride = 1;
  // After the expansion and the depthwise convolution.
  GraphActivation activation = GraphActivation::kRelu6;
  GraphBuilder::Normalization normalization = {};
  std::string squeeze_path;  // a squeeze-excite unit before the projection; empty: none
  int64_t squeezed_channels = 0;
};

// Expands by a 1x1 convolution, filters each channel by itself, projects to fewer channels, and
// adds the input where its shape allows (Sandler et al., 2018). The projection has no activation.
//
// Squeeze-excite (Hu et al., 2018) scales every channel by what the means of all channels say:
// mean, fc1, ReLU, fc2, hard sigmoid, product; fc1 and fc2 are 1x1 convolutions with a bias.
ValueRef add_inverted_residual(GraphBuilder& graph, ValueRef x, const InvertedResidual& unit);

}  // namespace qbitopt
