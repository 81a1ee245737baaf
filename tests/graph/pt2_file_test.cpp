#include "qbitopt/graph/pt2_file.h"

#include <gmock/gmock.h>

#include <set>

#include "graph/pt2.h"

namespace qbitopt {
namespace {

using pt2::Program;
using testing::ElementsAre;
using testing::HasSubstr;

std::string refusal(const std::string& file) {
  try {
    read_pt2(file);
  } catch (const BadGraph& error) {
    return error.what();
  }
  return "";
}

std::string refusal(const Program& program, const Json& json) {
  return refusal(program.file(json));
}

TEST(Pt2FileTest, AGraphHasItsNodesValuesAndTensors) {
  const Graph graph = read_pt2(pt2::small_program().file());
  std::vector<std::string> targets, modules;
  for (const GraphNode& node : graph.nodes) {
    targets.push_back(node.target);
    modules.push_back(node.module);
  }
  EXPECT_THAT(targets, ElementsAre("aten.conv2d.default", "aten.relu.default",
                                   "aten.flatten.using_ints", "aten.linear.default"));
  EXPECT_THAT(modules, ElementsAre("stem", "act", "", "head"));
  ASSERT_EQ(graph.tensors.size(), 3u);
  EXPECT_EQ(graph.tensors[0].name, "stem.weight");
  EXPECT_THAT(graph.tensors[0].stored.shape, ElementsAre(2, 1, 3, 3));
  EXPECT_EQ(graph.nodes[0].value("weight"), graph.tensors[0].value);
  EXPECT_EQ(graph.nodes[0].value("bias"), std::nullopt);
  EXPECT_EQ(graph.classes(), 3);
  EXPECT_THAT(graph.image_shape(), ElementsAre(1, 4, 4));
  const auto& stride = std::get<std::vector<ListItem>>(*graph.nodes[0].find("stride"));
  EXPECT_THAT(stride, ElementsAre(ListItem(int64_t{1}), ListItem(int64_t{1})));
}

TEST(Pt2FileTest, BytesLieWhereTheIndexSays) {
  Program program = pt2::small_program();
  auto entries = program.entries();
  entries["net/data/weights/weight_2"] = std::string("\x00\x00\x80\x3f", 4) + std::string(8, '\0');
  const std::string file = weight_files::zip_file(entries);
  const Graph graph = read_pt2(file);
  const StoredTensor& bias = graph.tensors[2].stored;
  EXPECT_EQ(bias.values.size, 12u);
  EXPECT_EQ(file.substr(bias.values.begin, 4), std::string("\x00\x00\x80\x3f", 4));
}

TEST(Pt2FileTest, CompressedEntriesAreReadLikePlainOnes) {
  const Program program = pt2::small_program();
  const std::string file = weight_files::zip_file(program.entries(), /*method=*/8);
  const Graph graph = read_pt2(file);
  EXPECT_EQ(graph.nodes.size(), 4u);
  EXPECT_EQ(graph.tensors[0].stored.values.size, 72u);
  EXPECT_TRUE(graph.tensors[0].stored.values.packed_size.has_value());
}

TEST(Pt2FileTest, OtherKindsOfFilesAreNamed) {
  EXPECT_THAT(refusal("{}"), HasSubstr("is no .pt2 file"));
  EXPECT_THAT(refusal(weight_files::torch_file("}")), HasSubstr("written by torch.save"));
  EXPECT_THAT(refusal(weight_files::zip_file({{"net/constants.pkl", ""}, {"net/data.pkl", ""}})),
              HasSubstr("TorchScript"));
  EXPECT_THAT(refusal(weight_files::zip_file({{"serialized_exported_program.json", "{}"}})),
              HasSubstr("before 2.8"));
  EXPECT_THAT(refusal(weight_files::zip_file({{"a.txt", ""}})), HasSubstr("did not write; "));
  const std::string whole = pt2::small_program().file();
  EXPECT_THAT(refusal(whole.substr(0, whole.size() / 2)), HasSubstr("is cut off"));
}

TEST(Pt2FileTest, WhatCannotBeTrainedIsRefusedByNameWithWhatToDo) {
  const Program program = pt2::small_program();
  const auto with = [&](const std::string& pointer, const Json& value) {
    Json json = program.json();
    json[Json::json_pointer(pointer)] = value;
    return refusal(program, json);
  };
  EXPECT_THAT(with("/schema_version/major", 9), HasSubstr("version 9 of the schema"));
  EXPECT_THAT(with("/verifiers", {"ATEN"}), HasSubstr("run_decompositions"));
  const std::string nodes = "/graph_module/graph/nodes/";
  EXPECT_THAT(with(nodes + "1/target", "torch.ops.torchvision.nms.default"),
              HasSubstr("torch.ops.torchvision.nms.default in module 'act' is no operator of"));
  EXPECT_THAT(with(nodes + "1/target", "torch.ops.higher_order.cond"),
              HasSubstr("in module 'act' holds a subgraph"));
  EXPECT_THAT(with(nodes + "1/inputs/0/arg", {{"as_custom_obj", {{"name", "o"}}}}),
              HasSubstr("argument 'self' of a kind that is not read (as_custom_obj)"));
  const std::string dtype = "/graph_module/graph/tensor_values/x/";
  EXPECT_THAT(with(dtype + "dtype", 8), HasSubstr("takes F64 [any, 1, 4, 4]; expected"));
  EXPECT_THAT(with(dtype + "sizes/0", {{"as_int", 2}}), HasSubstr("for batches of exactly 2"));
  EXPECT_THAT(with("/graph_module/signature/output_specs/0",
                   {{"buffer_mutation", {{"arg", {{"name", "relu"}}}, {"buffer_name", "bn.n"}}}}),
              HasSubstr("changes 'bn.n' when it runs"));
  EXPECT_THAT(with("/graph_module/signature/output_specs/0",
                   {{"user_input_mutation", {{"arg", {{"name", "x"}}}, {"user_input_name", "x"}}}}),
              HasSubstr("writes into the images"));
  EXPECT_THAT(with("/graph_module/signature/output_specs/0/user_output/arg/as_tensor/name", "relu"),
              HasSubstr("returns F32 [any, 2, 4, 4]; expected logits"));
}

TEST(Pt2FileTest, ANetworkInTrainingModeIsRefused) {
  Program program = pt2::small_program();
  program.add_node("torch.ops.aten.dropout.default",
                   {{"input", pt2::tensor("linear")},
                    {"p", {{"as_float", 0.5}}},
                    {"train", {{"as_bool", true}}}},
                   "dropped", "drop");
  EXPECT_THAT(refusal(program.file()),
              HasSubstr("aten.dropout.default in module 'drop' was exported in training mode"));
}

TEST(Pt2FileTest, OperatorsOfPyTorchsInsideAreRefused) {
  const auto with = [](const std::string& target) {
    Json json = pt2::small_program().json();
    json[Json::json_pointer("/graph_module/graph/nodes/1/target")] = "torch.ops.aten." + target;
    return json;
  };
  for (const char* name : {"_print.default", "_indices.default", "_weight_int4pack_mm.default",
                           "set_.source_Tensor", "resize_.default", "from_file.default"}) {
    EXPECT_THAT(
        refusal(pt2::small_program(), with(name)),
        HasSubstr("in module 'act' is no operator for networks but one of PyTorch's inside"))
        << name;
  }
  const Program program = pt2::small_program();
  EXPECT_NO_THROW(read_pt2(program.file(with("_softmax.default"))));
}

TEST(Pt2FileTest, LayersWithoutQuantizersAndRandomNumbersAreRefused) {
  const std::pair<const char*, const char*> operators[] = {
      {"lstm.input", "in module 'act' is a recurrent layer"},
      {"gru.input", "is a recurrent layer"},
      {"rnn_tanh.input", "is a recurrent layer"},
      {"lstm_cell.default", "is a recurrent layer"},
      {"bernoulli.p", "in module 'act' draws random numbers in evaluation, too"},
      {"bernoulli_.float", "draws random numbers"},
      {"randn_like.default", "draws random numbers"}};
  for (const auto& [name, message] : operators) {
    Json json = pt2::small_program().json();
    json[Json::json_pointer("/graph_module/graph/nodes/1/target")] =
        std::string("torch.ops.aten.") + name;
    EXPECT_THAT(refusal(pt2::small_program(), json), HasSubstr(message)) << name;
  }
}

TEST(Pt2FileTest, AStateThatChangesInPlaceIsRefused) {
  const auto changed = [](const char* target, bool by_view) {
    Program program = pt2::small_program();
    program.add_tensor("count", {2}, "buffer");
    program.add_value("row", {});
    program.add_value("sum", {2});
    if (by_view) {
      program.add_node(
          "torch.ops.aten.select.int",
          {{"self", pt2::tensor("p_count")}, {"dim", {{"as_int", 0}}}, {"index", {{"as_int", 0}}}},
          "row");
    }
    program.add_node(
        target, {{"self", pt2::tensor(by_view ? "row" : "p_count")}, {"other", {{"as_int", 1}}}},
        "sum");
    return program;
  };
  for (const bool by_view : {false, true}) {
    EXPECT_THAT(refusal(changed("torch.ops.aten.add_.Tensor", by_view).file()),
                HasSubstr("changes 'count' when it runs"));
    EXPECT_NO_THROW(read_pt2(changed("torch.ops.aten.add.Tensor", by_view).file()));
  }
}

TEST(Pt2FileTest, HostileFilesAreRefused) {
  const auto with_config = [](const std::string& pointer, const Json& value) {
    Program program = pt2::small_program();
    program.config()[Json::json_pointer("/stem.weight/" + pointer)] = value;
    return refusal(program.file());
  };
  EXPECT_THAT(with_config("path_name", "../../../etc/passwd"), HasSubstr("the zip file holds no"));
  const Json huge = {{"as_int", int64_t{1} << 40}};
  EXPECT_THAT(with_config("tensor_meta/sizes/0", huge), HasSubstr("does not lie within"));
  EXPECT_THAT(with_config("tensor_meta/storage_offset", huge), HasSubstr("does not lie within"));
  EXPECT_THAT(with_config("tensor_meta/sizes/0", {{"as_int", -3}}),
              HasSubstr("does not lie within"));
  EXPECT_THAT(with_config("tensor_meta/strides/0", {{"as_int", 0}}), testing::IsEmpty());
  EXPECT_THAT(with_config("tensor_meta/dtype", 8), HasSubstr("convert the module with .float()"));
  EXPECT_THAT(with_config("tensor_meta/sizes", "many"), HasSubstr("is damaged"));

  const Program program = pt2::small_program();
  Json cycle = program.json();
  std::swap(cycle["graph_module"]["graph"]["nodes"][0], cycle["graph_module"]["graph"]["nodes"][1]);
  EXPECT_THAT(refusal(program, cycle), HasSubstr("reads 'conv2d' before it is made"));
  Json twice = program.json();
  twice["graph_module"]["graph"]["nodes"].push_back(twice["graph_module"]["graph"]["nodes"][1]);
  EXPECT_THAT(refusal(program, twice), HasSubstr("makes 'relu' twice"));
  Json floats = program.json();
  floats["schema_version"]["major"] = 1e300;
  EXPECT_THAT(refusal(program, floats), HasSubstr("no whole number but 1e+300"));
  EXPECT_THAT(refusal(program, Json::array()), HasSubstr("is damaged"));
  auto entries = program.entries();
  entries["net/models/model.json"] = std::string(1'000'000, '[');
  EXPECT_THAT(refusal(weight_files::zip_file(entries)), HasSubstr("is no JSON"));
}

TEST(Pt2FileTest, NamesThatNoModuleCanHaveAreRefused) {
  for (const std::string name : {"", "a..b", ".a", "a.", "a b"}) {
    Program program = pt2::small_program();
    program.add_tensor(name, {1});
    EXPECT_THAT(refusal(program.file()), HasSubstr("is no name of a tensor")) << name;
  }
  Program program = pt2::small_program();
  program.add_tensor("stem.weight_quantizer.range", {1});
  EXPECT_THAT(refusal(program.file()), HasSubstr("as quantizers name theirs"));
}

TEST(Pt2FileTest, ChecksOfSizesAreLeftOut) {
  Program program = pt2::small_program();
  Json& check =
      program.add_node("_operator.ge", {{"a", {{"as_int", 3}}}, {"b", {{"as_int", 0}}}}, "unused");
  check["outputs"] = Json::array({{{"as_sym_bool", {{"as_name", "ge"}}}}});
  Json& assertion = program.add_node("torch.ops.aten._assert_scalar.default",
                                     {{"self", {{"as_sym_bool", {{"as_name", "ge"}}}}}}, "none");
  assertion["outputs"] = Json::array();
  EXPECT_EQ(read_pt2(program.file()).nodes.size(), 4u);
}

// Negates `relu` in a subgraph, as under torch.autocast or torch.no_grad; its names repeat those
// around it.
Json with_subgraph(const std::string& target, const Json& settings) {
  pt2::Program program = pt2::small_program();
  program.add_value("negative", {-1, 2, 4, 4});
  program.add_value("flat", {-1, 32});
  program.add_value("logits", {-1, 3});
  std::vector<std::pair<std::string, Json>> arguments;
  for (const Json& setting : settings) arguments.emplace_back("", setting);
  const Json inner = {
      {"inputs", Json::array({pt2::tensor("conv2d")})},
      {"outputs", Json::array({pt2::tensor("relu")})},
      {"tensor_values",
       {{"relu", program.json()["graph_module"]["graph"]["tensor_values"]["relu"]}}},
      {"nodes",
       Json::array({{{"target", "torch.ops.aten.neg.default"},
                     {"inputs", Json::array({{{"name", "self"}, {"arg", pt2::tensor("conv2d")}}})},
                     {"outputs", Json::array({pt2::tensor("relu")})},
                     {"metadata", Json::object()}}})}};
  arguments.emplace_back("", Json{{"as_graph", {{"name", "submod_1"}, {"graph", inner}}}});
  arguments.emplace_back("", pt2::tensor("relu"));
  program.add_node("torch.ops.higher_order." + target, arguments, "negative", "scope");
  program.add_node("torch.ops.aten.flatten.using_ints",
                   {{"self", pt2::tensor("negative")}, {"start_dim", {{"as_int", 1}}}}, "flat");
  program.add_node("torch.ops.aten.linear.default",
                   {{"input", pt2::tensor("flat")}, {"weight", pt2::tensor("p_head.weight")}},
                   "logits");
  program.returns("logits");
  return program.json();
}

TEST(Pt2FileTest, SubgraphsOfAutocastAndNoGradAreInlined) {
  const pt2::Program program = pt2::small_program();
  const auto read = [&](const std::string& target, const Json& settings) {
    return read_pt2(program.file(with_subgraph(target, settings)));
  };
  const Json cpu = {{"as_string", "cpu"}}, no = {{"as_bool", false}}, yes = {{"as_bool", true}};
  const Graph plain = read("wrap_with_autocast", {cpu, no, yes});
  ASSERT_EQ(plain.nodes.size(), 7u);
  EXPECT_EQ(plain.nodes[4].target, "aten.neg.default");
  EXPECT_EQ(plain.nodes[4].value("self"), plain.nodes[1].outputs.front());
  EXPECT_EQ(plain.nodes[5].value("self"), plain.nodes[4].outputs.front());
  std::set<std::string> names;
  for (const GraphValue& value : plain.values) EXPECT_TRUE(names.insert(value.name).second);
  EXPECT_EQ(read("wrap_with_set_grad_enabled", Json::array({yes})).nodes.size(), 7u);
  const Graph detached = read("wrap_with_set_grad_enabled", Json::array({no}));
  ASSERT_EQ(detached.nodes.size(), 8u);
  EXPECT_EQ(detached.nodes[5].target, "aten.detach.default");
  EXPECT_EQ(detached.nodes[6].value("self"), detached.nodes[5].outputs.front());
  EXPECT_EQ(detached.values[detached.nodes[5].outputs.front()].shape,
            (std::vector<int64_t>{-1, 2, 4, 4}));
  const auto fault = [&](const Json& json) -> std::string {
    try {
      read_pt2(program.file(json));
    } catch (const BadGraph& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(fault(with_subgraph("wrap_with_autocast", {cpu, yes, yes})),
              HasSubstr("module 'scope' computes in 16 bits (autocast)"));
  Json odd = with_subgraph("wrap_with_autocast", {cpu, no, yes});
  Json& node = odd["graph_module"]["graph"]["nodes"][4];
  Json& inputs = node["inputs"];
  inputs.push_back(inputs.back());
  EXPECT_THAT(fault(odd), HasSubstr("given another number of inputs"));
}

}  // namespace
}  // namespace qbitopt
