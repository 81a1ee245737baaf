#include "qbitopt/models/inverted_residual.h"

namespace qbitopt {
namespace {

ValueRef add_squeeze_excite(GraphBuilder& graph, ValueRef x, const std::string& path,
                            int64_t squeezed_channels) {
  const ValueRef means = graph.mean(x, /*keeps_sizes=*/true);
  const ValueRef squeezed = graph.relu(graph.conv2d(
      path + ".fc1", means, {.out_channels = squeezed_channels, .kernel = 1, .bias = true}));
  const ValueRef scores = graph.conv2d(
      path + ".fc2", squeezed, {.out_channels = graph.channels(x), .kernel = 1, .bias = true});
  return graph.mul(x, graph.hardsigmoid(scores), path);
}

}  // namespace

ValueRef add_block(GraphBuilder& graph, ValueRef x, const ConvBlock& block) {
  x = graph.conv2d(block.convolution, x, block.options);
  return graph.activate(block.activation,
                        graph.batch_norm(block.batch_norm, x, block.normalization));
}

ValueRef add_inverted_residual(GraphBuilder& graph, ValueRef x, const InvertedResidual& unit) {
  const int64_t in_channels = graph.channels(x);
  const auto add = [&](ValueRef from, const InvertedResidual::Names& names,
                       const GraphBuilder::Convolution& options, GraphActivation activation) {
    return add_block(graph, from,
                     {.convolution = names.convolution,
                      .batch_norm = names.batch_norm,
                      .options = options,
                      .activation = activation,
                      .normalization = unit.normalization});
  };
  ValueRef y = x;
  if (unit.hidden_channels != in_channels) {
    y = add(y, unit.expansion, {.out_channels = unit.hidden_channels, .kernel = 1},
            unit.activation);
  }
  y = add(y, unit.depthwise,
          {.out_channels = unit.hidden_channels,
           .kernel = unit.kernel,
           .stride = unit.stride,
           .groups = unit.hidden_channels},
          unit.activation);
  if (!unit.squeeze_path.empty())
    y = add_squeeze_excite(graph, y, unit.squeeze_path, unit.squeezed_channels);
  y = add(y, unit.projection, {.out_channels = unit.out_channels, .kernel = 1},
          GraphActivation::kIdentity);
  return unit.stride == 1 && in_channels == unit.out_channels ? graph.add(y, x) : y;
}

}  // namespace qbitopt
