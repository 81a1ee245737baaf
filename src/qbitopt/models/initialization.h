#pragma once

#include <cstdint>

#include "qbitopt/graph/graph.h"
#include "qbitopt/models/state_file.h"

namespace qbitopt {

// How the weights of a network start that is not read from a file.
struct Initialization {
  // Convolutions are normal with variance 2 / (out_channels * kernel^2) (He et al., 2015), also
  // depthwise ones, as torchvision has them. True: out_channels is divided by the groups, as in
  // timm's EfficientNets.
  bool groups_count = false;

  enum class Linear {
    kFeatures,  // weight and bias uniform in +-1 / sqrt(in_features), as PyTorch does: ResNets
    kNormal,    // weight normal with deviation 0.01, bias 0: MobileNets
    kClasses,   // weight uniform in +-1 / sqrt(out_features), bias 0: timm's EfficientNets
  };
  Linear linear = Linear::kFeatures;
};

// Values for every tensor of a graph without quantizers: besides those above, batch norms start at
// weight 1 and bias 0, and biases of convolutions at 0. A value depends on (seed, its tensor's name)
// alone.
StateDict initial_values(const Graph& graph, const Initialization& initialization, uint64_t seed);

}  // namespace qbitopt
