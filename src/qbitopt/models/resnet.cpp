#include "qbitopt/models/resnet.h"

#include <string>

#include "qbitopt/graph/builder.h"
#include "qbitopt/models/graph_network.h"

namespace qbitopt {
namespace {

// A basic block or a bottleneck, ReLU included.
ValueRef add_residual_block(GraphBuilder& graph, ValueRef x, const std::string& path,
                            int64_t channels, int64_t expansion, int64_t stride) {
  const int64_t out_channels = channels * expansion;
  int index = 0;
  const auto layer = [&](ValueRef from, int64_t out, int64_t kernel, int64_t layer_stride) {
    const std::string number = std::to_string(++index);
    return graph.batch_norm(
        path + ".bn" + number,
        graph.conv2d(path + ".conv" + number, from,
                     {.out_channels = out, .kernel = kernel, .stride = layer_stride}));
  };
  ValueRef y;
  if (expansion == 1) {
    y = graph.relu(layer(x, channels, 3, stride));
    y = layer(y, out_channels, 3, 1);
  } else {
    y = graph.relu(layer(x, channels, 1, 1));
    y = graph.relu(layer(y, channels, 3, stride));
    y = layer(y, out_channels, 1, 1);
  }
  ValueRef shortcut = x;
  if (stride != 1 || graph.channels(x) != out_channels) {
    shortcut = graph.batch_norm(
        path + ".downsample.1",
        graph.conv2d(path + ".downsample.0", x,
                     {.out_channels = out_channels, .kernel = 1, .stride = stride}));
  }
  return graph.relu(graph.add(y, shortcut));
}

}  // namespace

std::unique_ptr<Network> make_resnet(const ResNetShape& shape, const NetworkOptions& options) {
  GraphBuilder graph(options.image_channels);
  const bool pools = shape.stem == ResNetShape::Stem::kConvolution7x7Pool;
  ValueRef x = graph.conv2d(
      "conv1", graph.images(),
      {.out_channels = shape.stem_channels, .kernel = pools ? 7 : 3, .stride = pools ? 2 : 1});
  x = graph.relu(graph.batch_norm("bn1", x));
  if (pools) x = graph.max_pool2d(x, /*kernel=*/3, /*stride=*/2, /*padding=*/1);
  for (size_t stage = 0; stage < shape.stage_channels.size(); ++stage) {
    for (int64_t i = 0; i < shape.stage_blocks[stage]; ++i) {
      const std::string path = "layer" + std::to_string(stage + 1) + "." + std::to_string(i);
      x = add_residual_block(graph, x, path, shape.stage_channels[stage], shape.expansion,
                             stage > 0 && i == 0 ? 2 : 1);
    }
  }
  x = graph.linear("fc", graph.mean(x), options.classes);
  return make_network(graph.finish(x), {.linear = Initialization::Linear::kFeatures}, options);
}

ResNetShape resnet8_shape() { return {.stage_blocks = {1, 1, 1}}; }
ResNetShape resnet20_shape() { return {.stage_blocks = {3, 3, 3}}; }

ResNetShape resnet18_shape() {
  return {.stem = ResNetShape::Stem::kConvolution7x7Pool,
          .stem_channels = 64,
          .stage_channels = {64, 128, 256, 512},
          .stage_blocks = {2, 2, 2, 2}};
}

ResNetShape resnet50_shape() {
  return {.stem = ResNetShape::Stem::kConvolution7x7Pool,
          .stem_channels = 64,
          .stage_channels = {64, 128, 256, 512},
          .stage_blocks = {3, 4, 6, 3},
          .expansion = 4};
}

}  // namespace qbitopt
