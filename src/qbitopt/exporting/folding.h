#pragma once

#include <map>
#include <vector>

#include "qbitopt/exporting/trace.h"

namespace qbitopt {

// A batch norm that is taken into the layer before it: y = (w * x + b) factor + shift.
struct FoldedNorm {
  size_t norm = 0;       // node
  torch::Tensor factor;  // float64, [channels]: gamma / sqrt(variance + epsilon)
  torch::Tensor shift;   // float64, [channels]: beta - mean * factor
};

// By the layer's node: every batch norm that follows a convolution or a linear layer which nothing
// else reads, and whose weight is the network's own. The layer's codes stay as they are: the factor
// goes into their scales. A negative factor negates the codes of its channel, so a batch norm with
// one stays where the weight's grid has no negative of a code in use (-8 at 4 bits). It also stays
// where a channel's scale has become so small that runtimes, which keep a bias as int32 in steps of
// the product of both scales, could not hold the bias.
std::map<size_t, FoldedNorm> find_folds(const GraphNetwork& network,
                                        const std::vector<TracedValue>& traced);

}  // namespace qbitopt
