#include "qbitopt/models/resnet.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace qbitopt {
namespace {

TEST(ResNetTest, ParametersHaveTorchvisionsNames) {
  const auto network = make_resnet(resnet8_shape(), {});
  EXPECT_THAT(
      network->named_parameters().keys(),
      testing::UnorderedElementsAre(
          "conv1.weight", "bn1.weight", "bn1.bias", "layer1.0.conv1.weight", "layer1.0.bn1.weight",
          "layer1.0.bn1.bias", "layer1.0.conv2.weight", "layer1.0.bn2.weight", "layer1.0.bn2.bias",
          "layer2.0.conv1.weight", "layer2.0.bn1.weight", "layer2.0.bn1.bias",
          "layer2.0.conv2.weight", "layer2.0.bn2.weight", "layer2.0.bn2.bias",
          "layer2.0.downsample.0.weight", "layer2.0.downsample.1.weight",
          "layer2.0.downsample.1.bias", "layer3.0.conv1.weight", "layer3.0.bn1.weight",
          "layer3.0.bn1.bias", "layer3.0.conv2.weight", "layer3.0.bn2.weight", "layer3.0.bn2.bias",
          "layer3.0.downsample.0.weight", "layer3.0.downsample.1.weight",
          "layer3.0.downsample.1.bias", "fc.weight", "fc.bias"));
  EXPECT_TRUE(network->named_buffers().contains("layer2.0.downsample.1.running_mean"));
}

TEST(ResNetTest, SitesStandInTheOrderOfExecutionAndTheBlockInputIsShared) {
  const auto network = make_resnet(resnet8_shape(), {});
  std::vector<std::string> names;
  for (QuantizerSite* site : network->sites()) names.push_back(site->spec().name);
  EXPECT_THAT(names, testing::ElementsAre("conv1.input", "conv1.weight", "layer1.0.conv1.input",
                                          "layer1.0.conv1.weight", "layer1.0.conv2.input",
                                          "layer1.0.conv2.weight", "layer2.0.conv1.input",
                                          "layer2.0.conv1.weight", "layer2.0.conv2.input",
                                          "layer2.0.conv2.weight", "layer2.0.downsample.0.weight",
                                          "layer3.0.conv1.input", "layer3.0.conv1.weight",
                                          "layer3.0.conv2.input", "layer3.0.conv2.weight",
                                          "layer3.0.downsample.0.weight", "fc.input", "fc.weight"));
}

TEST(ResNetTest, ResNet20Has22QuantizedLayersAnd271690Parameters) {
  const auto network = make_resnet(resnet20_shape(), {.classes = 10, .image_channels = 3});
  EXPECT_EQ(network->layer_sites().size(), 22u);
  int64_t count = 0;
  for (const auto& parameter : network->parameters()) count += parameter.numel();
  // 269,722 with parameter-free shortcuts (He et al., 2016: 0.27M), and two 1x1 convolutions with
  // batch norm.
  EXPECT_EQ(count, 269722 + (16 * 32 + 2 * 32) + (32 * 64 + 2 * 64));
}

TEST(ResNetTest, ASharedInputCountsTheMacsOfAllItsReaders) {
  const auto network = make_resnet(resnet8_shape(), {});
  network->measure({1, 28, 28});
  const int64_t convolution = 14 * 14 * 32 * 16 * 9;
  const int64_t downsample = 14 * 14 * 32 * 16;
  for (QuantizerSite* site : network->sites()) {
    if (site->spec().name == "layer2.0.conv1.input") {
      EXPECT_EQ(site->spec().elements, 28 * 28 * 16);
      EXPECT_EQ(site->spec().macs, convolution + downsample);
      EXPECT_EQ(site->spec().absorbs, Activation::kRelu);
    }
    if (site->spec().name == "layer1.0.conv1.input") {
      EXPECT_EQ(site->spec().absorbs, Activation::kIdentity);  // the shortcut reads it too
    }
    if (site->spec().kind == TensorKind::kActivation && site->spec().name != "conv1.input") {
      EXPECT_FALSE(site->spec().is_signed) << site->spec().name;
    }
  }
}

TEST(ResNetTest, ForwardEqualsTheFormulaOfABasicBlock) {
  auto network =
      make_resnet({.stem_channels = 4, .stage_channels = {4, 6}, .stage_blocks = {1, 1}}, {});
  network->eval();
  const auto parameters = network->named_parameters();
  const auto convolve = [&](const torch::Tensor& x, const std::string& name, int64_t stride,
                            int64_t padding) {
    // A fresh batch norm in evaluation: running mean 0 and variance 1.
    return torch::conv2d(x, parameters[name + ".weight"], {}, stride, padding) /
           std::sqrt(1.0 + 1e-5);
  };
  const torch::Tensor images = torch::randn({2, 1, 8, 8});
  torch::Tensor x = torch::relu(convolve(images, "conv1", 1, 1));
  x = torch::relu(
      convolve(torch::relu(convolve(x, "layer1.0.conv1", 1, 1)), "layer1.0.conv2", 1, 1) + x);
  x = torch::relu(
      convolve(torch::relu(convolve(x, "layer2.0.conv1", 2, 1)), "layer2.0.conv2", 1, 1) +
      convolve(x, "layer2.0.downsample.0", 2, 0));
  x = torch::linear(x.mean({2, 3}), parameters["fc.weight"], parameters["fc.bias"]);
  EXPECT_TRUE(torch::allclose(network->forward(images), x, 1e-4, 1e-5));
}

}  // namespace
}  // namespace qbitopt
