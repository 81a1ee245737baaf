// Our models held against torchvision's and timm's; see originals.py.

#include <gmock/gmock.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "models/fixtures.h"
#include "qbitopt/models/efficientnet_lite.h"
#include "qbitopt/models/mobilenet_v2.h"
#include "qbitopt/models/mobilenet_v3.h"
#include "qbitopt/models/network.h"
#include "qbitopt/models/resnet.h"
#include "qbitopt/models/weights.h"

namespace qbitopt {
namespace {

using torch::Tensor;

struct Fixture {
  std::map<std::string, std::vector<int64_t>> tensors;
  int64_t parameters = 0;
  std::map<int64_t, double> logits;
};

Fixture read_fixture(const std::string& model) {
  std::ifstream file(originals_folder() / (model + ".txt"));
  Fixture fixture;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string kind, name;
    words >> kind;
    if (kind == "tensor") {
      words >> name;
      auto& shape = fixture.tensors[name];
      for (int64_t size = 0; words >> size;) shape.push_back(size);
    } else if (kind == "parameters") {
      words >> fixture.parameters;
    } else {
      int64_t index = 0;
      words >> index >> fixture.logits[index];
    }
  }
  return fixture;
}

// Without dropout, so that training mode can be compared.
std::unique_ptr<Network> make_original(const std::string& model) {
  const NetworkOptions options{.classes = 1000, .image_channels = 3};
  if (model == "efficientnet_lite0") return make_efficientnet_lite0(options);
  if (model == "mobilenet_v3_small") return make_mobilenet_v3_small(options, /*dropout=*/0);
  if (model == "mobilenet_v2") {
    MobileNetV2Shape shape = mobilenet_v2_shape();
    shape.dropout = 0;
    return make_mobilenet_v2(shape, options);
  }
  return make_resnet(model == "resnet18" ? resnet18_shape() : resnet50_shape(), options);
}

// formula_values() of originals.py.
Tensor formula_values(int64_t count, int64_t sequence) {
  const Tensor i = torch::arange(1, count + 1, torch::kFloat64);
  return torch::frac(i * 0.6180339887498949 + static_cast<double>(sequence) * 0.7548776662466927);
}

void fill_by_formula(Network& network) {
  const torch::NoGradGuard no_grad;
  int64_t sequence = -1;
  for (auto& [name, tensor] : state_of(network)) {
    ++sequence;
    if (!tensor.is_floating_point()) continue;
    const Tensor u = formula_values(tensor.numel(), sequence).view(tensor.sizes());
    Tensor value = (2 * u - 1) / 10;
    if (tensor.dim() > 1) {
      const int64_t fan_in = tensor.numel() / tensor.size(0);
      value = (2 * u - 1) * std::sqrt(6 / static_cast<double>(fan_in));
    } else if (name.ends_with("running_var")) {
      value = 0.5 + u;
    } else if (name.ends_with("weight")) {
      value = 0.75 + u / 2;
    }
    tensor.copy_(value);
  }
}

class OriginalsTest : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(ImageNet, OriginalsTest,
                         testing::Values("efficientnet_lite0", "mobilenet_v2", "mobilenet_v3_small",
                                         "resnet18", "resnet50"),
                         [](const auto& info) { return info.param; });

TEST_P(OriginalsTest, NamesShapesAndCountsArePublished) {
  const Fixture fixture = read_fixture(GetParam());
  const auto network = make_original(GetParam());
  std::map<std::string, std::vector<int64_t>> tensors;
  for (const auto& [name, tensor] : state_of(*network)) tensors[name] = tensor.sizes().vec();
  EXPECT_EQ(tensors, fixture.tensors);
  int64_t parameters = 0;
  for (const Tensor& parameter : network->parameters()) parameters += parameter.numel();
  EXPECT_EQ(parameters, fixture.parameters);
  EXPECT_EQ(parameters, (std::map<std::string, int64_t>{{"efficientnet_lite0", 4652008},
                                                        {"mobilenet_v2", 3504872},
                                                        {"mobilenet_v3_small", 2542856},
                                                        {"resnet18", 11689512},
                                                        {"resnet50", 25557032}})[GetParam()]);
}

TEST_P(OriginalsTest, LogitsOfTheFormulaWeightsAreTheOriginals) {
  const Fixture fixture = read_fixture(GetParam());
  const auto network = make_original(GetParam());
  network->eval();
  fill_by_formula(*network);
  const torch::NoGradGuard no_grad;
  const Tensor image =
      (2 * formula_values(int64_t{3} * 64 * 64, -1) - 1).view({1, 3, 64, 64}).to(torch::kFloat32);
  const Tensor logits = network->forward(image)[0];
  ASSERT_EQ(fixture.logits.size(), 8u);
  for (const auto& [index, value] : fixture.logits) {
    EXPECT_NEAR(logits[index].item<double>(), value, 1e-4 * std::max(1.0, std::abs(value)))
        << index;
  }
}

// Needs the cases that `make originals` writes: too large to commit.
TEST_P(OriginalsTest, LogitsAndGradientsOfRandomWeightsAreTheOriginals) {
  const char* folder = std::getenv("QBITOPT_ORIGINALS");
  if (folder == nullptr) GTEST_SKIP() << "QBITOPT_ORIGINALS is not set: see originals.py";
  const std::filesystem::path file = std::filesystem::path(folder) / GetParam();
  const StateDict expected = read_weights(file.string() + ".safetensors");
  const auto network = make_original(GetParam());
  load_state(*network, read_weights(file.string() + ".pth"), "the original");
  for (const auto& [name, tensor] : state_of(*network)) {
    EXPECT_TRUE(torch::equal(tensor, expected.at("weights." + name))) << name;
  }

  network->eval();
  const Tensor logits = network->forward(expected.at("images"));
  const double scale = std::max(1.0, expected.at("logits").abs().max().item<double>());
  const double difference = (logits - expected.at("logits")).abs().max().item<double>();
  EXPECT_LT(difference, 1e-4 * scale);

  network->train();
  network->to(torch::kFloat64);
  const Tensor images = expected.at("images").to(torch::kFloat64);
  torch::cross_entropy_loss(network->forward(images), expected.at("labels")).backward();
  // In PyTorch's gradient of hard-sigmoid, 1 / 6 is a float32 even in double precision.
  const double tolerance = GetParam() == "mobilenet_v3_small" ? 1e-7 : 1e-9;
  double furthest = 0;
  for (const auto& item : network->named_parameters()) {
    const Tensor gradient = expected.at("gradients." + item.key());
    const double error = (item.value().grad() - gradient).norm().item<double>();
    const double size = gradient.norm().item<double>();
    EXPECT_LT(error, tolerance * size + 1e-12) << item.key();
    furthest = std::max(furthest, error / (size + 1e-3));  // some are 0
  }
  std::cout << "largest differences: logits " << difference / scale
            << " of the largest one, in float32; gradients " << furthest
            << " of their norm, in double precision\n";
}

}  // namespace
}  // namespace qbitopt
