#include "qbitopt/models/mobilenet_v3.h"

#include <algorithm>
#include <string>

#include "qbitopt/models/graph_network.h"
#include "qbitopt/models/inverted_residual.h"

namespace qbitopt {
namespace {

constexpr GraphBuilder::Normalization kBatchNorm{.epsilon = 1e-3, .momentum = 0.01};
constexpr int64_t kV3StemChannels = 16, kV3HeadChannels = 576, kHiddenFeatures = 1024;

// A row of table 2: kernel, expanded and output channels, squeeze-excite, activation, stride.
struct Row {
  int64_t kernel, hidden, out;
  bool squeezes;
  GraphActivation activation;
  int64_t stride;
};
constexpr Row kRows[] = {{3, 16, 16, true, GraphActivation::kRelu, 2},
                         {3, 72, 24, false, GraphActivation::kRelu, 2},
                         {3, 88, 24, false, GraphActivation::kRelu, 1},
                         {5, 96, 40, true, GraphActivation::kHardSwish, 2},
                         {5, 240, 40, true, GraphActivation::kHardSwish, 1},
                         {5, 240, 40, true, GraphActivation::kHardSwish, 1},
                         {5, 120, 48, true, GraphActivation::kHardSwish, 1},
                         {5, 144, 48, true, GraphActivation::kHardSwish, 1},
                         {5, 288, 96, true, GraphActivation::kHardSwish, 2},
                         {5, 576, 96, true, GraphActivation::kHardSwish, 1},
                         {5, 576, 96, true, GraphActivation::kHardSwish, 1}};

// A quarter of the channels, rounded to a multiple of 8, but not down by more than a tenth.
int64_t squeezed(int64_t channels) {
  const int64_t quarter = channels / 4;
  const int64_t rounded = std::max<int64_t>(8, (quarter + 4) / 8 * 8);
  return 10 * rounded < 9 * quarter ? rounded + 8 : rounded;
}

InvertedResidual v3_unit(int index, int64_t in_channels, const Row& row) {
  const std::string path = "features." + std::to_string(index) + ".block.";
  int layer = 0;  // within torchvision's Sequential
  const auto names = [&] {
    const std::string prefix = path + std::to_string(layer++);
    return InvertedResidual::Names{prefix + ".0", prefix + ".1"};
  };
  InvertedResidual unit{.hidden_channels = row.hidden,
                        .out_channels = row.out,
                        .kernel = row.kernel,
                        .stride = row.stride,
                        .activation = row.activation,
                        .normalization = kBatchNorm};
  if (row.hidden != in_channels) unit.expansion = names();
  unit.depthwise = names();
  if (row.squeezes) {
    unit.squeeze_path = path + std::to_string(layer++);
    unit.squeezed_channels = squeezed(row.hidden);
  }
  unit.projection = names();
  return unit;
}

}  // namespace

std::unique_ptr<Network> make_mobilenet_v3_small(const NetworkOptions& options, double dropout) {
  GraphBuilder graph(options.image_channels);
  ValueRef x = add_block(graph, graph.images(),
                         {.convolution = "features.0.0",
                          .batch_norm = "features.0.1",
                          .options = {.out_channels = kV3StemChannels, .stride = 2},
                          .activation = GraphActivation::kHardSwish,
                          .normalization = kBatchNorm});
  int index = 1;
  for (const Row& row : kRows)
    x = add_inverted_residual(graph, x, v3_unit(index++, graph.channels(x), row));
  const std::string head = "features." + std::to_string(index);
  x = add_block(graph, x,
                {.convolution = head + ".0",
                 .batch_norm = head + ".1",
                 .options = {.out_channels = kV3HeadChannels, .kernel = 1},
                 .activation = GraphActivation::kHardSwish,
                 .normalization = kBatchNorm});
  x = graph.activate(GraphActivation::kHardSwish,
                     graph.linear("classifier.0", graph.mean(x), kHiddenFeatures));
  x = graph.linear("classifier.3", graph.dropout(x, dropout), options.classes);
  return make_network(graph.finish(x), {.linear = Initialization::Linear::kNormal}, options);
}

}  // namespace qbitopt
