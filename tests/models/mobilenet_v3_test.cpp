#include "qbitopt/models/mobilenet_v3.h"

#include <gmock/gmock.h>

#include <map>
#include <string>
#include <vector>

#include "qbitopt/quant/uniform_quantizer.h"

namespace qbitopt {
namespace {

std::map<std::string, QuantizerSpec> specs_at_224(Network& network) {
  network.measure({3, 224, 224});
  std::map<std::string, QuantizerSpec> specs;
  for (QuantizerSite* site : network.sites()) specs.emplace(site->spec().name, site->spec());
  return specs;
}

TEST(MobileNetV3Test, ASqueezeExciteUnitHasItsSitesBetweenDepthwiseAndProjection) {
  const auto network = make_mobilenet_v3_small({.image_channels = 3});
  std::vector<std::string> names;
  for (QuantizerSite* site : network->sites()) names.push_back(site->spec().name);
  names.resize(11);
  const std::string block = "features.1.block.";
  EXPECT_THAT(names, testing::ElementsAre(
                         "features.0.0.input", "features.0.0.weight", block + "0.0.input",
                         block + "0.0.weight", block + "1.fc1.input", block + "1.fc1.weight",
                         block + "1.fc2.input", block + "1.fc2.weight", block + "1.gate.input",
                         block + "2.0.input", block + "2.0.weight"));
}

TEST(MobileNetV3Test, HardSwishIsReadWithAnOffsetAndFactorsAreUnsigned) {
  const auto network = make_mobilenet_v3_small({.image_channels = 3});
  const auto specs = specs_at_224(*network);
  EXPECT_TRUE(specs.at("features.1.block.0.0.input").has_offset);
  EXPECT_EQ(specs.at("features.1.block.0.0.input").absorbs, Activation::kHardSwish);
  EXPECT_FALSE(specs.at("features.1.block.1.fc1.input").has_offset);  // this unit has ReLUs
  EXPECT_FALSE(specs.at("features.1.block.1.fc1.input").is_signed);
  EXPECT_TRUE(specs.at("features.4.block.2.fc1.input").has_offset);  // pooled hard-swish
  EXPECT_TRUE(specs.at("features.4.block.3.0.input").has_offset);    // scaled hard-swish
  EXPECT_TRUE(specs.at("features.5.block.0.0.input").is_signed);     // a projection's output
  EXPECT_TRUE(specs.at("classifier.0.input").has_offset);
  EXPECT_TRUE(specs.at("classifier.3.input").has_offset);
  for (const auto& [name, spec] : specs) {
    EXPECT_FALSE(spec.is_signed && spec.has_offset) << name;
    if (!name.ends_with(".gate.input")) continue;
    EXPECT_FALSE(spec.is_signed || spec.has_offset || spec.pinned_bits) << name;
  }
}

TEST(MobileNetV3Test, AFactorsMacsAreItsProducts) {
  const auto network = make_mobilenet_v3_small({.image_channels = 3});
  const auto specs = specs_at_224(*network);
  EXPECT_EQ(specs.at("features.1.block.1.gate.input").elements, 16);
  EXPECT_EQ(specs.at("features.1.block.1.gate.input").macs, 16 * 56 * 56);
  EXPECT_EQ(specs.at("features.1.block.1.fc1.weight").macs, 16 * 8);
}

TEST(MobileNetV3Test, At8BitsTheNetworkAnswersAlmostAsInFp32) {
  const torch::NoGradGuard no_grad;
  const auto network = make_mobilenet_v3_small({.classes = 10, .image_channels = 3});
  network->eval();
  const torch::Tensor images =
      torch::randn({4, 3, 64, 64}, at::detail::createCPUGenerator(3), torch::kFloat32);
  // Batch statistics, so that the untrained network has activations of an ordinary size.
  network->train();
  for (int i = 0; i < 200; ++i) network->forward(images);
  network->eval();
  const torch::Tensor before = network->forward(images);
  for (QuantizerSite* site : network->sites()) {
    site->attach(std::make_shared<UniformQuantizer>(site->spec()));
    site->quantizer()->begin_calibration();
  }
  EXPECT_TRUE(torch::equal(network->forward(images), before));
  for (QuantizerSite* site : network->sites()) site->quantizer()->end_calibration();
  const torch::Tensor error = network->forward(images) - before;
  EXPECT_LT(error.norm().item<double>(), 0.15 * before.norm().item<double>());
}

}  // namespace
}  // namespace qbitopt
