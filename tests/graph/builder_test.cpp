#include "qbitopt/graph/builder.h"

#include <gmock/gmock.h>

#include <set>

#include "qbitopt/graph/quantizers.h"

namespace qbitopt {
namespace {

using testing::ElementsAre;

std::vector<std::string> tensor_names(const Graph& graph) {
  std::vector<std::string> names;
  for (const GraphTensor& tensor : graph.tensors) names.push_back(tensor.name);
  return names;
}

TEST(GraphBuilderTest, ModulesNameTheirTensorsAndLearnTheirSizesFromTheirInput) {
  GraphBuilder builder(/*image_channels=*/3);
  ValueRef x = builder.conv2d("stem.0", builder.images(), {.out_channels = 8, .stride = 2});
  x = builder.relu(builder.batch_norm("stem.1", x));
  x = builder.conv2d("depthwise", x, {.out_channels = 8, .kernel = 5, .groups = 8, .bias = true});
  const Graph graph = builder.finish(builder.linear("fc", builder.mean(x), 10));
  EXPECT_THAT(tensor_names(graph),
              ElementsAre("stem.0.weight", "stem.1.weight", "stem.1.bias", "stem.1.running_mean",
                          "stem.1.running_var", "stem.1.num_batches_tracked", "depthwise.weight",
                          "depthwise.bias", "fc.weight", "fc.bias"));
  const auto shape = [&](size_t tensor) { return graph.values[graph.tensors[tensor].value].shape; };
  EXPECT_THAT(shape(0), ElementsAre(8, 3, 3, 3));
  EXPECT_THAT(shape(3), ElementsAre(8));
  EXPECT_THAT(shape(6), ElementsAre(8, 1, 5, 5));
  EXPECT_THAT(shape(8), ElementsAre(10, 8));
  EXPECT_EQ(graph.classes(), 10);
  EXPECT_THAT(graph.image_shape(), ElementsAre(3, -1, -1));
}

TEST(GraphBuilderTest, ValuesHaveNamesOfTheirOwnAndNodesFollowWhatTheyRead) {
  GraphBuilder builder(/*image_channels=*/1);
  ValueRef x = builder.relu(builder.conv2d("a", builder.images(), {.out_channels = 2}));
  x = builder.relu(builder.add(x, builder.relu(x)));
  const Graph graph =
      builder.finish(builder.linear("fc", builder.dropout(builder.mean(x), 0.5), 2));
  std::set<std::string> names;
  for (const GraphValue& value : graph.values) EXPECT_TRUE(names.insert(value.name).second);
  std::set<size_t> known = {graph.input};
  for (const GraphTensor& tensor : graph.tensors) known.insert(tensor.value);
  for (const GraphNode& node : graph.nodes) {
    for_each_value(node, [&](size_t value) { EXPECT_TRUE(known.count(value)) << node.target; });
    known.insert(node.outputs.begin(), node.outputs.end());
  }
}

TEST(GraphBuilderTest, AProductWithFactorsForEachChannelIsAGate) {
  GraphBuilder builder(/*image_channels=*/3);
  const ValueRef x = builder.relu(builder.conv2d("conv", builder.images(), {.out_channels = 8}));
  const ValueRef scores = builder.conv2d("unit.fc", builder.mean(x, /*keeps_sizes=*/true),
                                         {.out_channels = 8, .kernel = 1});
  const ValueRef product = builder.mul(x, builder.hardsigmoid(scores), "unit");
  const QuantizedGraph graph =
      insert_quantizers(builder.finish(builder.linear("fc", builder.mean(product), 4)));
  std::vector<std::string> names;
  for (const GraphSite& site : graph.sites) names.push_back(site.name());
  EXPECT_THAT(names, ElementsAre("conv.input", "conv.weight", "unit.fc.input", "unit.fc.weight",
                                 "unit.gate.input", "fc.input", "fc.weight"));
  ASSERT_EQ(graph.gates.size(), 1u);
  EXPECT_EQ(graph.graph.nodes[graph.gates[0].node].target, "aten.mul.Tensor");
  EXPECT_EQ(graph.sites[graph.gates[0].site].grid, GraphSite::Grid::kUnsigned);
  EXPECT_EQ(graph.sites[5].grid,
            GraphSite::Grid::kUnsigned);  // the product of ReLU and factors
}

}  // namespace
}  // namespace qbitopt
