#pragma once

#include <cstdint>

#include "qbitopt/models/network.h"

namespace qbitopt {

// Initial values depend on (seed, the layer's name) alone: neither on what was drawn before nor on
// the order in which the layers are made. Batch norms start at weight 1 and bias 0.

// torchvision's for convolutions (He et al., 2015): normal with variance 2 / (out_channels *
// kernel^2), as published also for depthwise ones.
void initialize_convolutions(Network& network);
// timm's for EfficientNets: the same with out_channels divided by the groups, and the linear
// layer's weight uniform in +-1 / sqrt(classes), its bias 0.
void initialize_like_efficientnet(Network& network, QuantizedLayer& classifier);

// PyTorch's default for a linear layer: weight and bias uniform in +-1 / sqrt(in_channels). Used by
// ResNets.
void initialize_linear_uniform(Network& network, QuantizedLayer& layer);

// Weight normal with this deviation, bias 0. Used by MobileNets (0.01).
void initialize_linear_normal(Network& network, QuantizedLayer& layer, double deviation);

}  // namespace qbitopt
