#include "qbitopt/models/efficientnet_lite.h"

#include <string>

#include "qbitopt/models/graph_network.h"
#include "qbitopt/models/inverted_residual.h"

namespace qbitopt {
namespace {

constexpr int64_t kLiteStemChannels = 32, kLiteHeadChannels = 1280;

// n units: expand by t, depthwise k x k, project to c channels; the first has stride s.
struct Stage {
  int64_t t, kernel, c, n, s;
};
constexpr Stage kStages[] = {{1, 3, 16, 1, 1}, {6, 3, 24, 2, 2},  {6, 5, 40, 2, 2},
                             {6, 3, 80, 3, 2}, {6, 5, 112, 3, 1}, {6, 5, 192, 4, 2},
                             {6, 3, 320, 1, 1}};

InvertedResidual lite_unit(const std::string& path, int64_t in_channels, int64_t stride,
                           const Stage& stage) {
  InvertedResidual unit{.hidden_channels = in_channels * stage.t,
                        .out_channels = stage.c,
                        .kernel = stage.kernel,
                        .stride = stride};
  if (stage.t == 1) {
    unit.depthwise = {path + ".conv_dw", path + ".bn1"};
    unit.projection = {path + ".conv_pw", path + ".bn2"};
  } else {
    unit.expansion = {path + ".conv_pw", path + ".bn1"};
    unit.depthwise = {path + ".conv_dw", path + ".bn2"};
    unit.projection = {path + ".conv_pwl", path + ".bn3"};
  }
  return unit;
}

}  // namespace

std::unique_ptr<Network> make_efficientnet_lite0(const NetworkOptions& options, double dropout) {
  GraphBuilder graph(options.image_channels);
  ValueRef x = add_block(graph, graph.images(),
                         {.convolution = "conv_stem",
                          .batch_norm = "bn1",
                          .options = {.out_channels = kLiteStemChannels, .stride = 2},
                          .activation = GraphActivation::kRelu6});
  for (size_t stage = 0; stage < std::size(kStages); ++stage) {
    for (int64_t i = 0; i < kStages[stage].n; ++i) {
      const std::string path = "blocks." + std::to_string(stage) + "." + std::to_string(i);
      const int64_t stride = i == 0 ? kStages[stage].s : 1;
      x = add_inverted_residual(graph, x,
                                lite_unit(path, graph.channels(x), stride, kStages[stage]));
    }
  }
  x = add_block(graph, x,
                {.convolution = "conv_head",
                 .batch_norm = "bn2",
                 .options = {.out_channels = kLiteHeadChannels, .kernel = 1},
                 .activation = GraphActivation::kRelu6});
  x = graph.linear("classifier", graph.dropout(graph.mean(x), dropout), options.classes);
  return make_network(graph.finish(x),
                      {.groups_count = true, .linear = Initialization::Linear::kClasses}, options);
}

}  // namespace qbitopt
