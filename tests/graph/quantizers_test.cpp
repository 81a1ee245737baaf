#include "qbitopt/graph/quantizers.h"

#include <gmock/gmock.h>

#include "graph/pt2.h"
#include "qbitopt/graph/pt2_file.h"

namespace qbitopt {
namespace {

using pt2::Program;
using pt2::tensor;
using testing::ElementsAre;
using Grid = GraphSite::Grid;

std::vector<std::string> names(const QuantizedGraph& graph) {
  std::vector<std::string> names;
  for (const GraphSite& site : graph.sites) names.push_back(site.name());
  return names;
}

// The grid of a linear layer's input that these operators make of the images, one after another.
Grid grid_after(
    const std::vector<std::pair<std::string, std::vector<std::pair<std::string, Json>>>>&
        operators) {
  Program program;
  program.add_tensor("fc.weight", {3, 4});
  std::string last = "x";
  for (size_t i = 0; i < operators.size(); ++i) {
    auto arguments = operators[i].second;
    arguments.insert(arguments.begin(), {"self", tensor(last)});
    last = "value_" + std::to_string(i);
    program.add_value(last, {-1, 1, 4, 4});
    program.add_node("torch.ops.aten." + operators[i].first, arguments, last);
  }
  program.add_value("logits", {-1, 3});
  program.add_node("torch.ops.aten.linear.default",
                   {{"input", tensor(last)}, {"weight", tensor("p_fc.weight")}}, "logits");
  program.returns("logits");
  return insert_quantizers(read_pt2(program.file())).sites.at(0).grid;
}

TEST(GraphQuantizersTest, EveryLayerHasOneForItsInputAndItsWeight) {
  const QuantizedGraph graph = insert_quantizers(read_pt2(pt2::small_program().file()));
  EXPECT_THAT(names(graph), ElementsAre("stem.input", "stem.weight", "head.input", "head.weight"));
  EXPECT_EQ(graph.sites[0].grid, Grid::kSigned);
  EXPECT_EQ(graph.sites[2].grid, Grid::kUnsigned);
  EXPECT_EQ(graph.sites[1].channels, 2);
  ASSERT_EQ(graph.layers.size(), 2u);
  EXPECT_TRUE(graph.layers[0].is_first && !graph.layers[0].is_last);
  EXPECT_TRUE(graph.layers[1].is_last && !graph.layers[1].is_first);
  // Layers read what the quantizers hand on, and nothing else has changed.
  EXPECT_EQ(graph.graph.nodes.size(), 8u);
  for (const GraphLayer& layer : graph.layers) {
    const GraphNode& node = graph.graph.nodes[layer.node];
    for (const char* argument : {"input", "weight"}) {
      const std::string& read = graph.graph.values[*node.value(argument)].name;
      EXPECT_THAT(read, testing::EndsWith(" quantized"));
    }
  }
}

TEST(GraphQuantizersTest, ATensorThatSeveralLayersReadHasOne) {
  Program program = pt2::small_program();
  program.add_tensor("side_weight", {3, 32});
  program.add_value("side", {-1, 3});
  program.add_value("sum", {-1, 3});
  program.add_node("torch.ops.aten.linear.default",
                   {{"input", tensor("flatten")}, {"weight", tensor("p_side_weight")}}, "side");
  program.add_node("torch.ops.aten.add.Tensor",
                   {{"self", tensor("linear")}, {"other", tensor("side")}}, "sum");
  program.returns("sum");
  const QuantizedGraph graph = insert_quantizers(read_pt2(program.file()));
  EXPECT_THAT(names(graph),
              ElementsAre("stem.input", "stem.weight", "head.input", "head.weight", "side.weight"));
  EXPECT_EQ(graph.layers[1].input_site, graph.layers[2].input_site);
  EXPECT_TRUE(graph.layers[1].is_last && graph.layers[2].is_last);
}

TEST(GraphQuantizersTest, AWeightThatIsReadTwiceHasOneAndItsInputsAreNumbered) {
  Program program = pt2::small_program();
  program.add_value("again", {-1, 32});
  program.add_value("logits", {-1, 3});
  program.add_node("torch.ops.aten.neg.default", {{"self", tensor("flatten")}}, "again");
  program.add_node("torch.ops.aten.linear.default",
                   {{"input", tensor("again")}, {"weight", tensor("p_head.weight")}}, "logits");
  program.returns("logits");
  EXPECT_THAT(
      names(insert_quantizers(read_pt2(program.file()))),
      ElementsAre("stem.input", "stem.weight", "head.input", "head.weight", "head_2.input"));
}

TEST(GraphQuantizersTest, TheGridFollowsFromWhatMakesTheTensor) {
  const Json six = {{"as_float", 6.0}}, zero = {{"as_float", 0.0}}, minus = {{"as_float", -1.0}};
  EXPECT_EQ(grid_after({}), Grid::kSigned);
  for (const char* name : {"relu.default", "relu_.default", "relu6.default", "sigmoid.default",
                           "hardsigmoid.default", "softmax.int"})
    EXPECT_EQ(grid_after({{name, {}}}), Grid::kUnsigned) << name;
  for (const char* name :
       {"hardswish.default", "hardswish_.default", "silu.default", "gelu.default"})
    EXPECT_EQ(grid_after({{name, {}}}), Grid::kOffset) << name;
  EXPECT_EQ(grid_after({{"hardtanh_.default", {{"min_val", zero}, {"max_val", six}}}}),
            Grid::kUnsigned);
  EXPECT_EQ(grid_after({{"hardtanh.default", {{"min_val", minus}}}}), Grid::kSigned);
  EXPECT_EQ(grid_after({{"tanh.default", {}}}), Grid::kSigned);
  EXPECT_EQ(grid_after({{"relu.default", {}}, {"leaky_relu.default", {}}}), Grid::kSigned);
  EXPECT_EQ(grid_after({{"relu.default", {}}, {"neg.default", {}}}), Grid::kSigned);
}

TEST(GraphQuantizersTest, TheGridIsSeenThroughWhatKeepsTheRange) {
  for (const char* name :
       {"max_pool2d.default", "adaptive_avg_pool2d.default", "flatten.using_ints",
        "reshape.default", "permute.default", "mean.dim", "dropout.default"}) {
    EXPECT_EQ(grid_after({{"relu.default", {}}, {name, {}}}), Grid::kUnsigned) << name;
    EXPECT_EQ(grid_after({{"gelu.default", {}}, {name, {}}}), Grid::kOffset) << name;
    EXPECT_EQ(grid_after({{name, {}}}), Grid::kSigned) << name;
  }
  const Json half = {{"as_float", 0.5}}, minus = {{"as_float", -0.5}};
  EXPECT_EQ(grid_after({{"relu.default", {}}, {"mul.Tensor", {{"other", half}}}}), Grid::kUnsigned);
  EXPECT_EQ(grid_after({{"relu.default", {}}, {"mul.Tensor", {{"other", minus}}}}), Grid::kSigned);
  EXPECT_EQ(grid_after({{"relu.default", {}}, {"add.Tensor", {{"other", minus}}}}), Grid::kSigned);
  const auto both = [](const char* first, const char* second, const char* joint) {
    return grid_after({{first, {}}, {second, {}}, {joint, {{"other", tensor("value_0")}}}});
  };
  EXPECT_EQ(both("relu.default", "sigmoid.default", "add.Tensor"), Grid::kUnsigned);
  EXPECT_EQ(both("gelu.default", "sigmoid.default", "mul.Tensor"), Grid::kOffset);
  EXPECT_EQ(both("gelu.default", "gelu.default", "mul.Tensor"), Grid::kSigned);
  EXPECT_EQ(both("tanh.default", "relu.default", "add.Tensor"), Grid::kSigned);
}

TEST(GraphQuantizersTest, AWeightThatTheImagesDecideIsLeftAlone) {
  Program program = pt2::small_program();
  program.add_value("product", {-1, 3});
  program.add_node("torch.ops.aten.linear.default",
                   {{"input", tensor("linear")}, {"weight", tensor("linear")}}, "product");
  EXPECT_EQ(insert_quantizers(read_pt2(program.file())).layers.size(), 2u);
}

TEST(GraphQuantizersTest, ANetworkWithoutLayersIsRefused) {
  Program program;
  program.add_value("sum", {-1, 1});
  program.add_node("torch.ops.aten.sum.dim_IntList", {{"self", tensor("x")}}, "sum");
  program.returns("sum");
  EXPECT_THROW(insert_quantizers(read_pt2(program.file())), BadGraph);
}

// Queries, keys and values, which linear layers make of 4 tokens with 4 features each.
Program attention(const std::vector<std::pair<std::string, Json>>& more = {}) {
  Program program;
  program.add_value("tokens", {-1, 4, 4});
  program.add_node("torch.ops.aten.reshape.default",
                   {{"self", tensor("x")}, {"shape", pt2::ints({-1, 4, 4})}}, "tokens");
  std::vector<std::pair<std::string, Json>> arguments;
  for (const char* name : {"query", "key", "value"}) {
    const std::string weight = std::string("attn.") + name + ".weight";
    program.add_tensor(weight, {4, 4});
    program.add_value(name, {-1, 4, 4});
    program.add_node("torch.ops.aten.linear.default",
                     {{"input", tensor("tokens")}, {"weight", tensor("p_" + weight)}}, name,
                     std::string("attn.") + name);
    arguments.emplace_back(name, tensor(name));
  }
  arguments.insert(arguments.end(), more.begin(), more.end());
  program.add_value("mixed", {-1, 4, 4});
  program.add_node("torch.ops.aten.scaled_dot_product_attention.default", arguments, "mixed",
                   "attn");
  program.add_tensor("head.weight", {3, 16});
  program.add_value("flat", {-1, 16});
  program.add_value("logits", {-1, 3});
  program.add_node("torch.ops.aten.flatten.using_ints",
                   {{"self", tensor("mixed")}, {"start_dim", {{"as_int", 1}}}}, "flat");
  program.add_node("torch.ops.aten.linear.default",
                   {{"input", tensor("flat")}, {"weight", tensor("p_head.weight")}}, "logits",
                   "head");
  program.returns("logits");
  return program;
}

TEST(GraphQuantizersTest, ProductsOfActivationsHaveThemOnRequest) {
  const Graph graph = read_pt2(attention().file());
  EXPECT_TRUE(insert_quantizers(graph).products.empty());
  const QuantizedGraph quantized = insert_quantizers(graph, {.products = true});
  EXPECT_THAT(
      names(quantized),
      ElementsAre("attn.query.input", "attn.query.weight", "attn.key.weight", "attn.value.weight",
                  "attn.matmul.left.input", "attn.matmul.right.input", "attn.matmul.left_2.input",
                  "attn.matmul.right_2.input", "head.input", "head.weight"));
  ASSERT_EQ(quantized.products.size(), 2u);
  EXPECT_EQ(quantized.sites[4].grid, Grid::kSigned);
  EXPECT_EQ(quantized.sites[6].grid, Grid::kUnsigned);  // softmax
  for (const GraphProduct& product : quantized.products)
    EXPECT_EQ(quantized.graph.nodes[product.node].target, "aten.matmul.default");
  EXPECT_EQ(quantized.layers.size(), 4u);
}

TEST(GraphQuantizersTest, AttentionThatCannotBeTakenApartIsRefusedByItsModule) {
  const auto fault = [](const std::vector<std::pair<std::string, Json>>& more) -> std::string {
    try {
      decompose_attention(read_pt2(attention(more).file()));
    } catch (const BadGraph& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(fault({{"is_causal", {{"as_bool", true}}}}), "");
  EXPECT_THAT(fault({{"enable_gqa", {{"as_bool", true}}}}),
              testing::AllOf(testing::HasSubstr("groups queries"), testing::HasSubstr("'attn'")));
  EXPECT_THAT(fault({{"dropout_p", {{"as_float", 0.5}}}}), testing::HasSubstr("evaluation mode"));
}

TEST(GraphQuantizersTest, SitesThatAreSkippedLeaveNoTrace) {
  const Graph graph = read_pt2(pt2::small_program().file());
  const QuantizedGraph head = insert_quantizers(graph, {.skip = {"stem.*"}});
  EXPECT_THAT(names(head), ElementsAre("head.input", "head.weight"));
  EXPECT_EQ(head.graph.nodes.size(), 6u);
  ASSERT_EQ(head.layers.size(), 2u);
  EXPECT_EQ(head.layers[0].input_site, std::nullopt);
  EXPECT_EQ(head.layers[0].weight_site, std::nullopt);
  EXPECT_EQ(head.graph.nodes[head.layers[1].node].module, "head");
  EXPECT_TRUE(head.layers[1].is_last && !head.layers[1].is_first);
  EXPECT_EQ(head.layers[1].input_site, 0u);
  // Convolution and ReLU read what they read before there were quantizers.
  EXPECT_EQ(head.graph.nodes[0].value("input"), graph.nodes[0].value("input"));

  const QuantizedGraph weights = insert_quantizers(graph, {.skip = {"*.input"}});
  EXPECT_THAT(names(weights), ElementsAre("stem.weight", "head.weight"));
  ASSERT_EQ(weights.layers.size(), 2u);
  EXPECT_EQ(weights.layers[1].input_site, std::nullopt);
  EXPECT_EQ(weights.layers[1].weight_site, 1u);

  const QuantizedGraph product =
      insert_quantizers(read_pt2(attention().file()), {.skip = {"*left*"}, .products = true});
  ASSERT_EQ(product.products.size(), 2u);
  EXPECT_EQ(product.products[0].left_site, std::nullopt);
  EXPECT_EQ(product.sites[*product.products[0].right_site].name(), "attn.matmul.right.input");
}

TEST(GraphQuantizersTest, PatternsMustFitAndLeaveSomething) {
  const Graph graph = read_pt2(pt2::small_program().file());
  const auto fault = [&](const std::vector<std::string>& skip) -> std::string {
    try {
      insert_quantizers(graph, {.skip = skip});
    } catch (const BadGraph& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(fault({"haed.weight"}),
            "does not fit quantizers.skip: 'haed.weight' fits no quantizer; near: head.weight, "
            "stem.weight, head.input, stem.input");
  EXPECT_THAT(fault({"*"}), testing::HasSubstr("leaves no quantizer"));
}

}  // namespace
}  // namespace qbitopt
