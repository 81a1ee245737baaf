// Networks of .pt2 files held against PyTorch, which exports them and says what it computes with
// them: see graph_networks.py.

#include "qbitopt/models/graph_network.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "graph/pt2.h"
#include "models/fixtures.h"
#include "qbitopt/core/error.h"
#include "qbitopt/core/json.h"
#include "qbitopt/models/batch_norm.h"
#include "qbitopt/models/weight_bytes.h"
#include "qbitopt/models/weights.h"
#include "qbitopt/quant/uniform_quantizer.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using torch::Tensor;

// Made once, by the Python that LibTorch comes from; empty if there is none.
const fs::path& small_networks() {
  static const fs::path folder = [] {
    const fs::path source = originals_folder().parent_path().parent_path().parent_path();
    const fs::path python = source / ".venv/bin/python";
    if (!fs::exists(python)) return fs::path();
    const fs::path made = fs::path(testing::TempDir()) / "graph_networks";
    const std::string command = "OMP_NUM_THREADS=1 " + python.string() + " -W ignore " +
                                (source / "tests/models/graph_networks.py").string() + " " +
                                made.string() + " >/dev/null";
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    return made;
  }();
  return folder;
}

// `make originals` says where they are.
fs::path original_networks() {
  const char* folder = std::getenv("QBITOPT_GRAPH_ORIGINALS");
  return folder ? folder : "";
}

struct Case {
  std::unique_ptr<Network> network;
  StateDict expected;
};

Case read_case(const fs::path& folder, const std::string& name, int64_t classes) {
  NetworkOptions options;
  options.classes = classes;
  return {read_graph_network(folder / (name + ".pt2"), options),
          read_weights(folder / (name + ".pth"))};
}

double difference(const Tensor& a, const Tensor& b) {
  return (a.to(torch::kFloat64) - b.to(torch::kFloat64)).abs().max().item<double>();
}

// In double precision, as PyTorch's numbers are. Returns what the test reports.
void expect_pytorchs_numbers(Case& of, double tolerance) {
  Network& network = *of.network;
  for (const std::vector<Tensor>& tensors : {network.parameters(), network.buffers()}) {
    for (const Tensor& tensor : tensors) {
      if (tensor.is_floating_point()) tensor.set_data(tensor.to(torch::kFloat64));
    }
  }
  const Tensor images = of.expected.at("images").to(torch::kFloat64);
  network.eval();
  const Tensor evaluation = network.forward(images).detach();
  const double in_evaluation = difference(evaluation, of.expected.at("check.evaluation"));
  EXPECT_LT(in_evaluation, tolerance);
  network.train();
  const Tensor training = network.forward(images);
  const double in_training = difference(training, of.expected.at("check.training"));
  EXPECT_LT(in_training, tolerance);
  torch::cross_entropy_loss(training, of.expected.at("labels")).backward();
  double of_gradients = 0, of_buffers = 0;
  size_t compared = 0;
  std::map<std::string, Tensor> gradients;
  for (const auto& item : network.named_parameters()) gradients[item.key()] = item.value().grad();
  const StateDict state = state_of(network);
  for (const auto& [name, expected] : of.expected) {
    if (name.starts_with("gradients.")) {
      const std::string own = name.substr(10);
      ASSERT_TRUE(gradients.count(own) && gradients[own].defined()) << own;
      const double error = difference(gradients[own], expected);
      EXPECT_LT(error, tolerance * std::max(1.0, expected.abs().max().item<double>())) << own;
      of_gradients = std::max(of_gradients, error);
      ++compared;
    } else if (name.starts_with("buffers.")) {
      const double error = difference(state.at(name.substr(8)), expected);
      EXPECT_LT(error, tolerance) << name;
      of_buffers = std::max(of_buffers, error);
    }
  }
  EXPECT_GT(compared, 0u);
  std::cout << "largest differences: logits " << in_evaluation << " in evaluation, " << in_training
            << " in training; gradients " << of_gradients << ", buffers " << of_buffers << "\n";
}

class SmallGraphNetworkTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (small_networks().empty()) GTEST_SKIP() << ".venv/bin/python with PyTorch is missing";
  }
};
INSTANTIATE_TEST_SUITE_P(Modules, SmallGraphNetworkTest,
                         testing::Values("attention", "branches", "mixer", "narrow",
                                         "own_attention", "subgraphs", "transposed"),
                         [](const auto& info) { return info.param; });

TEST_P(SmallGraphNetworkTest, LogitsAndGradientsArePyTorchs) {
  Case of = read_case(small_networks(), GetParam(), 5);
  of.network->measure({3, 16, 16});
  // In PyTorch's gradient of hard-sigmoid, 1 / 6 is a float32 even in double precision.
  expect_pytorchs_numbers(of, GetParam() == "branches" ? 1e-9 : 1e-12);
}

TEST_P(SmallGraphNetworkTest, QuantizersTrainEveryRange) {
  Case of = read_case(small_networks(), GetParam(), 5);
  of.network->measure({3, 16, 16});
  std::vector<std::shared_ptr<UniformQuantizer>> quantizers;
  for (QuantizerSite* site : of.network->sites()) {
    EXPECT_GT(site->spec().elements, 0) << site->spec().name;
    EXPECT_GT(site->spec().macs, 0) << site->spec().name;
    quantizers.push_back(std::make_shared<UniformQuantizer>(site->spec()));
    quantizers.back()->set_bits(4);
    site->attach(quantizers.back());
    quantizers.back()->begin_calibration();
  }
  const Tensor& images = of.expected.at("images");
  {
    const torch::NoGradGuard no_grad;
    of.network->forward(images);
  }
  for (const auto& quantizer : quantizers) quantizer->end_calibration();
  of.network->train();
  const Tensor quantized = of.network->forward(images);
  EXPECT_GT(difference(quantized, of.expected.at("check.training")), 1e-4);
  torch::cross_entropy_loss(quantized, of.expected.at("labels")).backward();
  for (const auto& item : of.network->named_parameters())
    EXPECT_TRUE(item.value().grad().defined()) << item.key();
}

class GraphNetworkTest : public testing::Test {
 protected:
  void SetUp() override {
    if (small_networks().empty()) GTEST_SKIP() << ".venv/bin/python with PyTorch is missing";
  }
  static std::unique_ptr<Network> make(const std::string& name, const NetworkOptions& options) {
    return read_graph_network(small_networks() / (name + ".pt2"), options);
  }
  template <typename Act>
  static std::string refusal(Act act) {
    try {
      act();
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  }
};

TEST_F(GraphNetworkTest, SitesSayWhatTheLayersRead) {
  const auto network = make("attention", {.classes = 5});
  network->measure({3, 16, 16});
  std::vector<std::string> names;
  std::map<std::string, QuantizerSpec> specs;
  for (const QuantizerSite* site : network->sites()) {
    names.push_back(site->spec().name);
    specs[names.back()] = site->spec();
  }
  EXPECT_THAT(names, ElementsAre("patches.input", "patches.weight", "attention.in_proj.input",
                                 "attention.in_proj.weight", "attention.out_proj.input",
                                 "attention.out_proj.weight", "mlp.0.input", "mlp.0.weight",
                                 "mlp.3.input", "mlp.3.weight", "head.input", "head.weight"));
  EXPECT_EQ(specs["patches.input"].elements, 3 * 16 * 16);
  EXPECT_EQ(specs["patches.weight"].elements, 16 * 3 * 16);
  EXPECT_EQ(specs["patches.weight"].macs, 16 * 16 * 3 * 16);
  EXPECT_EQ(specs["attention.in_proj.input"].elements, 17 * 16);
  EXPECT_EQ(specs["attention.in_proj.input"].macs, 17 * 16 * 48);
  EXPECT_EQ(specs["mlp.0.weight"].input, "mlp.0.input");
  EXPECT_TRUE(specs["mlp.0.input"].is_signed);
  EXPECT_TRUE(specs["mlp.3.input"].has_offset && !specs["mlp.3.input"].is_signed);
  for (const std::string pinned : {"patches.input", "patches.weight", "head.input", "head.weight"})
    EXPECT_EQ(specs[pinned].pinned_bits, 8) << pinned;
  EXPECT_FALSE(specs["mlp.0.weight"].pinned_bits.has_value());
}

TEST_F(GraphNetworkTest, AttentionsProductsAreQuantizedOnRequest) {
  for (const char* name : {"attention", "own_attention"}) {
    const auto plain = make(name, {.classes = 5});
    const auto network = make(name, {.classes = 5, .placement = {.products = true}});
    network->measure({3, 16, 16});
    const Tensor images = torch::randn({4, 3, 16, 16});
    plain->eval();
    network->eval();
    EXPECT_LT(difference(network->forward(images), plain->forward(images)), 1e-5) << name;
    std::map<std::string, QuantizerSpec> products;
    for (const QuantizerSite* site : network->sites()) {
      if (site->spec().name.find("matmul") != std::string::npos)
        products[site->spec().name] = site->spec();
    }
    EXPECT_GE(products.size(), 4u) << name;
    if (std::string(name) != "attention") continue;
    ASSERT_EQ(products.size(), 4u);
    // 4 heads of 17 tokens with 4 features each.
    EXPECT_EQ(products.at("attention.matmul.left.input").elements, 17 * 16);
    EXPECT_EQ(products.at("attention.matmul.left_2.input").elements, 4 * 17 * 17);
    EXPECT_EQ(products.at("attention.matmul.right.input").macs, 4 * 17 * 17 * 4);
    EXPECT_FALSE(products.at("attention.matmul.left_2.input").is_signed);
  }
}

TEST_F(GraphNetworkTest, QuantizersAreSkippedAndPinnedByName) {
  const auto network = make(
      "attention",
      {.classes = 5, .pinned = {"mlp.0.*"}, .placement = {.skip = {"attention.*", "head.weight"}}});
  network->measure({3, 16, 16});
  std::map<std::string, QuantizerSpec> specs;
  for (const QuantizerSite* site : network->sites()) specs[site->spec().name] = site->spec();
  EXPECT_EQ(specs.size(), 7u);
  EXPECT_EQ(specs.count("attention.in_proj.weight") + specs.count("head.weight"), 0u);
  EXPECT_EQ(specs.at("mlp.0.weight").pinned_bits, 8);
  EXPECT_FALSE(specs.at("mlp.0.input").counted);
  EXPECT_FALSE(specs.at("mlp.3.input").pinned_bits);
  EXPECT_EQ(specs.at("head.input").pinned_bits, 8);
  EXPECT_EQ(specs.at("head.input").macs, 16 * 5);
  EXPECT_EQ(network->layer_sites().back().weight, nullptr);
  // Weights that are skipped take 32 bits each.
  int64_t elements = 16 * 5 + 16 * 48 + 16 * 16;
  for (const auto& [name, spec] : specs)
    elements += spec.kind == TensorKind::kWeight ? spec.elements : 0;
  EXPECT_EQ(weight_bytes(*network), 4 * elements);
  EXPECT_THAT(refusal([] { make("attention", {.classes = 5, .pinned = {"mlp.4.*"}}); }),
              HasSubstr("quantizers.pin: 'mlp.4.*' fits no quantizer; near: mlp.0.input"));
  EXPECT_THAT(refusal([] { make("attention", {.classes = 5, .placement = {.skip = {"mpl"}}}); }),
              HasSubstr("attention.pt2 does not fit quantizers.skip: 'mpl' fits no quantizer"));
}

TEST_F(GraphNetworkTest, TransposedConvolutionsAndSharedWeightsAreCounted) {
  const auto transposed = make("transposed", {.classes = 5});
  transposed->measure({3, 16, 16});
  for (const QuantizerSite* site : transposed->sites()) {
    // Of each of 8x8 inputs with 6 channels 2 * 2 * 2 products.
    if (site->spec().name == "up.weight") {
      EXPECT_EQ(site->spec().macs, 8 * 8 * 6 * 2 * 2 * 2);
    }
  }
  const auto mixer = make("mixer", {.classes = 5});
  mixer->measure({3, 16, 16});
  std::map<std::string, int64_t> macs;
  for (const QuantizerSite* site : mixer->sites()) macs[site->spec().name] = site->spec().macs;
  EXPECT_EQ(macs["tokens.weight"], 2 * 8 * 16 * 16);
  EXPECT_EQ(macs["tokens.input"], 8 * 16 * 16);
  EXPECT_EQ(macs["tokens_2.input"], 8 * 16 * 16);
  EXPECT_EQ(macs["channels.weight"], 2 * 16 * 8 * 8);  // and those of `again`, which is tied to it
  EXPECT_EQ(macs.count("again.weight"), 0u);
}

TEST_F(GraphNetworkTest, BatchNormsAreFoundFrozenAndReestimated) {
  const auto network = make("branches", {.classes = 5});
  EXPECT_EQ(batch_norms(*network).size(), 2u);
  network->train();
  const Tensor images = torch::randn({4, 3, 16, 16});
  const auto mean = [&] { return state_of(*network).at("stem.1.running_mean").clone(); };
  const Tensor before = mean();
  freeze_batch_norm(*network);
  network->forward(images);
  EXPECT_TRUE(torch::equal(mean(), before));
  network->train();
  network->forward(images);
  EXPECT_FALSE(torch::equal(mean(), before));
  reestimate_batch_norm(*network, [&] { network->forward(images); });
  const Tensor once = mean();
  reestimate_batch_norm(*network, [&] {
    network->forward(images);
    network->forward(images);
  });
  EXPECT_LT(difference(mean(), once), 1e-6);
}

TEST_F(GraphNetworkTest, WhatDoesNotFitTheDataIsRefusedWithWhatToDo) {
  EXPECT_THAT(refusal([] { make("branches", {.classes = 10}); }),
              HasSubstr("has 5 classes, and the data set has 10"));
  EXPECT_THAT(refusal([] {
                make("branches", {.classes = 5})->measure({1, 28, 28});
              }),
              HasSubstr("branches.pt2 takes images of 3x16x16, and those of the data are "
                        "1x28x28; export it again with --input 1x28x28"));
  EXPECT_THAT(refusal([] { read_graph_network("nowhere.pt2", {}); }), HasSubstr("nowhere.pt2"));
}

TEST_F(GraphNetworkTest, LayersHandOutTheParametersThatAreTheirWeights) {
  for (const char* name : {"attention", "branches", "mixer", "transposed"}) {
    const auto network = make(name, {.classes = 5});
    std::map<std::string, Tensor> parameters;
    for (const auto& item : network->named_parameters()) parameters[item.key()] = item.value();
    for (const LayerSites& layer : network->layer_sites()) {
      std::string weight = layer.weight->spec().name;
      if (weight == "attention.in_proj.weight") weight = "attention.in_proj_weight";
      ASSERT_TRUE(layer.latent.defined()) << weight;
      EXPECT_TRUE(layer.latent.is_same(parameters.at(weight))) << weight;
    }
  }
}

TEST_F(GraphNetworkTest, ItsOwnStateGoesThereAndBack) {
  const auto network = make("branches", {.classes = 5}), other = make("branches", {.classes = 5});
  {
    const torch::NoGradGuard no_grad;
    for (Tensor& parameter : other->parameters()) parameter.zero_();
  }
  const fs::path file = fs::path(testing::TempDir()) / "graph_state.pth";
  write_file_atomically(file, to_state_file(state_of(*network)));
  load_state(*other, read_weights(file, *other), "own");
  for (const auto& [name, tensor] : state_of(*network))
    EXPECT_TRUE(torch::equal(tensor, state_of(*other).at(name))) << name;
}

// Of graphs that no export makes; the image of one channel and 4x4 pixels.
class OddGraphTest : public testing::Test {
 protected:
  static std::string refusal(const pt2::Program& program, const Json& json) {
    const fs::path file = fs::path(testing::TempDir()) / "odd.pt2";
    write_file_atomically(file, program.file(json));
    try {
      read_graph_network(file, {.classes = 3})->measure({1, 4, 4});
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  }
  // With another operator in the place of the ReLU.
  static std::string refusal_of(const std::string& target, const Json& more = Json::array()) {
    const pt2::Program program = pt2::small_program();
    Json json = program.json();
    Json& relu = json["graph_module"]["graph"]["nodes"][1];
    relu["target"] = "torch.ops.aten." + target;
    for (const Json& argument : more) relu["inputs"].push_back(argument);
    return refusal(program, json);
  }
};

TEST_F(OddGraphTest, OperatorsThatCannotBeRunOrTrainedAreNamed) {
  EXPECT_EQ(refusal_of("relu.default"), "");
  EXPECT_THAT(refusal_of("no_such.default"),
              HasSubstr("has no operator aten.no_such.default in module 'act'"));
  EXPECT_THAT(refusal_of("from_file.default"),
              HasSubstr("aten.from_file.default in module 'act' is no operator for networks"));
  EXPECT_THAT(refusal_of("relu.default", {{{"name", "slope"}, {"arg", {{"as_int", 1}}}}}),
              HasSubstr("operator aten.relu.default in module 'act' has no argument 'slope'"));
  EXPECT_THAT(refusal_of("leaky_relu.default",
                         {{{"name", "negative_slope"}, {"arg", {{"as_string", "steep"}}}}}),
              HasSubstr("has an argument 'negative_slope' that is no Scalar"));
  EXPECT_THAT(refusal_of("add.Tensor"), HasSubstr("misses its argument 'other'"));
  for (const auto& [target, argument] :
       {std::pair("heaviside.default", "values"), std::pair("igamma.default", "other")}) {
    const Json same = {{"name", argument}, {"arg", {{"as_tensor", {{"name", "conv2d"}}}}}};
    EXPECT_THAT(refusal_of(target, Json::array({same})),
                HasSubstr(std::string("knows no derivative of operator aten.") + target +
                          " in module 'act'"));
  }
  // What LibTorch refuses when it runs.
  EXPECT_THAT(refusal_of("view.default", {{{"name", "size"}, {"arg", pt2::ints({5, 7})}}}),
              testing::AllOf(HasSubstr("does not run on an image of 1x4x4"),
                             HasSubstr("aten.view.default in module 'act'")));
}

TEST_F(OddGraphTest, ANetworkWhoseParametersAreAllFrozenIsRefused) {
  pt2::Program program = pt2::small_program();
  for (auto& [name, entry] : program.config().items())
    entry["tensor_meta"]["requires_grad"] = false;
  EXPECT_THAT(refusal(program, program.json()), HasSubstr("no gradient reaches a weight"));
}

TEST_F(OddGraphTest, WeightsThatAreNoNumbersAreRefused) {
  auto entries = pt2::small_program().entries();
  entries["net/data/weights/weight_2"] = std::string("\x00\x00\xc0\x7f", 4) + std::string(8, '\0');
  const fs::path file = fs::path(testing::TempDir()) / "nan.pt2";
  write_file_atomically(file, weight_files::zip_file(entries));
  try {
    read_graph_network(file, {.classes = 3});
    ADD_FAILURE() << "read";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("'head.bias' holds NaN"));
  }
}

// Of torchvision and timm.
class OriginalGraphTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (original_networks().empty()) GTEST_SKIP() << "QBITOPT_GRAPH_ORIGINALS is not set";
  }
};
INSTANTIATE_TEST_SUITE_P(ImageNet, OriginalGraphTest,
                         testing::Values("convnext_tiny", "efficientnet_b0", "mobilenet_v2",
                                         "mobilenet_v3_large", "regnet_y_400mf", "resnet18",
                                         "timm_efficientnet_lite0", "timm_mobilenetv4_conv_small",
                                         "vit_b_16"),
                         [](const auto& info) { return info.param; });

TEST_P(OriginalGraphTest, LogitsAndGradientsArePyTorchs) {
  Case of = read_case(original_networks(), GetParam(), 1000);
  of.network->measure({3, 64, 64});
  expect_pytorchs_numbers(of, 1e-8);
}

class BuiltInGraphTest : public OriginalGraphTest {};
INSTANTIATE_TEST_SUITE_P(ImageNet, BuiltInGraphTest,
                         testing::Values("mobilenet_v2", "mobilenet_v3_small", "resnet18",
                                         "resnet50", "timm_efficientnet_lite0"),
                         [](const auto& info) { return info.param; });

TEST_P(BuiltInGraphTest, SitesAreThoseOfTheBuiltInNetwork) {
  NetworkRegistry registry("model");
  register_networks(registry);
  const std::string& file = GetParam();
  const std::string name = file.substr(file.starts_with("timm_") ? 5 : 0);
  const NetworkOptions options{.classes = 1000, .image_channels = 3};
  const auto graph = read_graph_network(original_networks() / (file + ".pt2"), options);
  const auto built_in = registry.make(name, options);
  for (Network* network : {graph.get(), built_in.get()}) network->measure({3, 64, 64});
  ASSERT_EQ(graph->sites().size(), built_in->sites().size());
  for (size_t i = 0; i < graph->sites().size(); ++i) {
    const QuantizerSpec &own = graph->sites()[i]->spec(), &expected = built_in->sites()[i]->spec();
    EXPECT_EQ(own.name, expected.name);
    EXPECT_EQ(own.kind, expected.kind) << own.name;
    EXPECT_EQ(own.input, expected.input) << own.name;
    EXPECT_EQ(own.is_signed, expected.is_signed) << own.name;
    EXPECT_EQ(own.has_offset, expected.has_offset) << own.name;
    EXPECT_EQ(own.absorbs, expected.absorbs) << own.name;
    EXPECT_EQ(own.elements, expected.elements) << own.name;
    EXPECT_EQ(own.channels, expected.channels) << own.name;
    EXPECT_EQ(own.macs, expected.macs) << own.name;
    EXPECT_EQ(own.pinned_bits, expected.pinned_bits) << own.name;
    EXPECT_EQ(own.counted, expected.counted) << own.name;
    EXPECT_EQ(own.candidate_bits, expected.candidate_bits) << own.name;
  }
}

}  // namespace
}  // namespace qbitopt
