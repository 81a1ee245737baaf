#include "qbitopt/graph/activations.h"

#include <gmock/gmock.h>

#include "graph/pt2.h"
#include "qbitopt/graph/builder.h"
#include "qbitopt/graph/pt2_file.h"

namespace qbitopt {
namespace {

using pt2::tensor;

const GraphSite& site(const QuantizedGraph& graph, const std::string& name) {
  for (const GraphSite& site : graph.sites) {
    if (site.name() == name) return site;
  }
  throw std::out_of_range(name);
}

std::vector<std::string> targets(const Graph& graph) {
  std::vector<std::string> targets;
  for (const GraphNode& node : graph.nodes) targets.push_back(node.target);
  return targets;
}

// The smallest network with other operators than the ReLU between its layers: each reads what the
// one before makes. `aside`: then one more, which reads the value of that number (0: the
// convolution's) and is added to the logits.
GraphActivation absorbed_after(const std::vector<std::string>& operators,
                               std::optional<size_t> aside = std::nullopt) {
  pt2::Program program;
  program.add_tensor("stem.weight", {2, 1, 3, 3});
  program.add_tensor("head.weight", {3, 4});
  program.add_value("value_0", {-1, 2, 4, 4});
  program.add_node("torch.ops.aten.conv2d.default",
                   {{"input", tensor("x")}, {"weight", tensor("p_stem.weight")}}, "value_0");
  for (size_t i = 0; i < operators.size(); ++i) {
    program.add_value("value_" + std::to_string(i + 1), {-1, 2, 4, 4});
    program.add_node("torch.ops.aten." + operators[i],
                     {{"self", tensor("value_" + std::to_string(i))}},
                     "value_" + std::to_string(i + 1));
  }
  program.add_value("linear", {-1, 3});
  program.add_value("logits", {-1, 3});
  program.add_node("torch.ops.aten.linear.default",
                   {{"input", tensor("value_" + std::to_string(operators.size()))},
                    {"weight", tensor("p_head.weight")}},
                   "linear");
  program.add_node("torch.ops.aten.add.Tensor",
                   {{"self", tensor("linear")},
                    {"other", tensor(aside ? "value_" + std::to_string(*aside) : "linear")}},
                   "logits");
  program.returns("logits");
  return site(quantize(read_pt2(program.file())), "head.input").absorbs;
}

TEST(GraphActivationsTest, AQuantizerAbsorbsTheActivationThatItAloneReads) {
  EXPECT_EQ(absorbed_after({"relu.default"}), GraphActivation::kRelu);
  EXPECT_EQ(absorbed_after({"relu_.default"}), GraphActivation::kRelu);
  EXPECT_EQ(absorbed_after({"relu6.default"}), GraphActivation::kRelu6);
  EXPECT_EQ(absorbed_after({"hardswish_.default"}), GraphActivation::kHardSwish);
  EXPECT_EQ(absorbed_after({"neg.default", "relu.default"}), GraphActivation::kRelu);
  EXPECT_EQ(absorbed_after({}), GraphActivation::kIdentity);
  EXPECT_EQ(absorbed_after({"sigmoid.default"}), GraphActivation::kIdentity);
  EXPECT_EQ(absorbed_after({"hardtanh.default"}),
            GraphActivation::kIdentity);  // between -1 and 1
  EXPECT_EQ(absorbed_after({"relu.default", "flatten.using_ints"}), GraphActivation::kIdentity);
}

TEST(GraphActivationsTest, AnActivationThatSomethingElseReadsStays) {
  EXPECT_EQ(absorbed_after({"relu.default"}, 1), GraphActivation::kIdentity);
  EXPECT_EQ(absorbed_after({"relu.default"}, 0), GraphActivation::kRelu);
}

TEST(GraphActivationsTest, AnActivationInPlaceStaysWhereSomethingElseReadsItsMemoryLater) {
  EXPECT_EQ(absorbed_after({"relu_.default"}, 0), GraphActivation::kIdentity);
  EXPECT_EQ(absorbed_after({"alias.default", "relu_.default"}, 0), GraphActivation::kIdentity);
  EXPECT_EQ(absorbed_after({"neg.default", "relu_.default"}, 1), GraphActivation::kIdentity);
}

TEST(GraphActivationsTest, AnActivationStaysWhereWhatItReadsChangesBeforeTheQuantizer) {
  // relu(x); x is doubled in place; the layer reads the former.
  pt2::Program program = pt2::small_program();
  const auto absorbed = [](const pt2::Program& program) {
    return site(quantize(read_pt2(program.file())), "side.input").absorbs;
  };
  const auto add_side = [](pt2::Program& program) {
    program.add_tensor("side.weight", {3, 4});
    for (const char* name : {"side_relu", "changed"}) program.add_value(name, {-1, 2, 4, 4});
    program.add_value("side", {-1, 3});
    program.add_node("torch.ops.aten.relu.default", {{"self", tensor("relu")}}, "side_relu");
  };
  const auto read_side = [](pt2::Program& program) {
    program.add_node("torch.ops.aten.linear.default",
                     {{"input", tensor("side_relu")}, {"weight", tensor("p_side.weight")}}, "side");
  };
  const auto change = [](pt2::Program& program) {
    program.add_node("torch.ops.aten.mul_.Tensor",
                     {{"self", tensor("relu")}, {"other", {{"as_float", 2.0}}}}, "changed");
  };
  pt2::Program before = program;
  add_side(before);
  change(before);
  read_side(before);
  EXPECT_EQ(absorbed(before), GraphActivation::kIdentity);
  pt2::Program after = program;
  add_side(after);
  read_side(after);
  change(after);
  EXPECT_EQ(absorbed(after), GraphActivation::kRelu);
}

// Convolution, batch norm, ReLU and a maximum, as ResNets for ImageNet begin.
Graph pooled(GraphActivation activation, bool is_read_twice = false) {
  GraphBuilder graph(/*image_channels=*/3);
  ValueRef x = graph.batch_norm("bn", graph.conv2d("conv", graph.images(), {.out_channels = 4}));
  x = graph.activate(activation, x);
  ValueRef y = graph.max_pool2d(x, /*kernel=*/3, /*stride=*/2, /*padding=*/1);
  y = graph.mean(graph.conv2d("next", y, {.out_channels = 5}));
  if (is_read_twice) y = graph.add(y, graph.mean(x));
  return graph.finish(y);
}

TEST(GraphActivationsTest, TheMaximumComesBeforeTheActivationAndTheQuantizerAbsorbsThat) {
  const QuantizedGraph graph = quantize(pooled(GraphActivation::kRelu));
  EXPECT_THAT(
      targets(graph.graph),
      testing::ElementsAre(kQuantize, kQuantize, "aten.conv2d.default", "aten.batch_norm.default",
                           "aten.max_pool2d.default", "aten.relu.default", kQuantize, kQuantize,
                           "aten.conv2d.default", "aten.mean.dim"));
  EXPECT_EQ(site(graph, "next.input").absorbs, GraphActivation::kRelu);
  // Each reads what the one before makes.
  for (size_t i = 3; i < 6; ++i) {
    const GraphNode& node = graph.graph.nodes[i];
    const auto read = node.value(i == 3 ? "input" : "self");
    EXPECT_EQ(read, graph.graph.nodes[i - 1].outputs.front()) << node.target;
  }
}

TEST(GraphActivationsTest, TheMaximumStaysBehindWhatIsNotMonotoneOrReadTwice) {
  for (const Graph& graph : {pooled(GraphActivation::kHardSwish),
                             pooled(GraphActivation::kRelu, /*is_read_twice=*/true)})
    EXPECT_EQ(targets(pool_before_activations(graph)), targets(graph));
}

}  // namespace
}  // namespace qbitopt
