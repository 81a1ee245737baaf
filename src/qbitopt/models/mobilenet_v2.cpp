#include "qbitopt/models/mobilenet_v2.h"

#include <string>

#include "qbitopt/models/graph_network.h"
#include "qbitopt/models/inverted_residual.h"

namespace qbitopt {
namespace {

InvertedResidual v2_unit(const std::string& path, int64_t in_channels, int64_t stride,
                         const InvertedResidualStage& stage) {
  int index = 0;  // within torchvision's Sequential
  const auto activated = [&] {
    const std::string prefix = path + ".conv." + std::to_string(index++);
    return InvertedResidual::Names{prefix + ".0", prefix + ".1"};
  };
  InvertedResidual unit{
      .hidden_channels = in_channels * stage.t, .out_channels = stage.c, .stride = stride};
  if (stage.t != 1) unit.expansion = activated();
  unit.depthwise = activated();
  unit.projection = {path + ".conv." + std::to_string(index),
                     path + ".conv." + std::to_string(index + 1)};
  return unit;
}

}  // namespace

std::unique_ptr<Network> make_mobilenet_v2(const MobileNetV2Shape& shape,
                                           const NetworkOptions& options) {
  GraphBuilder graph(options.image_channels);
  ValueRef x = add_block(graph, graph.images(),
                         {.convolution = "features.0.0",
                          .batch_norm = "features.0.1",
                          .options = {.out_channels = shape.stem_channels, .stride = 2},
                          .activation = GraphActivation::kRelu6});
  int index = 1;
  for (const InvertedResidualStage& stage : shape.stages) {
    for (int64_t i = 0; i < stage.n; ++i, ++index) {
      const std::string path = "features." + std::to_string(index);
      x = add_inverted_residual(graph, x,
                                v2_unit(path, graph.channels(x), i == 0 ? stage.s : 1, stage));
    }
  }
  const std::string head = "features." + std::to_string(index);
  x = add_block(graph, x,
                {.convolution = head + ".0",
                 .batch_norm = head + ".1",
                 .options = {.out_channels = shape.head_channels, .kernel = 1},
                 .activation = GraphActivation::kRelu6});
  x = graph.linear("classifier.1", graph.dropout(graph.mean(x), shape.dropout), options.classes);
  return make_network(graph.finish(x), {.linear = Initialization::Linear::kNormal}, options);
}

MobileNetV2Shape mobilenet_v2_shape() {
  return {.stem_channels = 32,
          .stages = {{1, 16, 1, 1},
                     {6, 24, 2, 2},
                     {6, 32, 3, 2},
                     {6, 64, 4, 2},
                     {6, 96, 3, 1},
                     {6, 160, 3, 2},
                     {6, 320, 1, 1}},
          .head_channels = 1280,
          .dropout = 0.2};
}

MobileNetV2Shape mobilenet_v2_tiny_shape() {
  return {.stem_channels = 16,
          .stages = {{1, 16, 1, 1}, {4, 24, 2, 1}, {4, 32, 2, 2}, {4, 48, 2, 2}},
          .head_channels = 128};
}

}  // namespace qbitopt
