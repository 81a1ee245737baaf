#include "qbitopt/models/mobilenet_v2.h"

#include <gmock/gmock.h>

#include <map>
#include <string>
#include <vector>

namespace qbitopt {
namespace {

using testing::ElementsAre;

std::unique_ptr<Network> tiny() { return make_mobilenet_v2(mobilenet_v2_tiny_shape(), {}); }

std::map<std::string, QuantizerSpec> measured_specs(Network& network) {
  network.measure({1, 28, 28});
  std::map<std::string, QuantizerSpec> specs;
  for (QuantizerSite* site : network.sites()) specs.emplace(site->spec().name, site->spec());
  return specs;
}

TEST(MobileNetV2Test, ParametersHaveTorchvisionsNames) {
  std::vector<std::string> expected;
  const auto add = [&](const std::string& convolution, const std::string& batch_norm) {
    expected.insert(expected.end(),
                    {convolution + ".weight", batch_norm + ".weight", batch_norm + ".bias"});
  };
  add("features.0.0", "features.0.1");
  add("features.1.conv.0.0", "features.1.conv.0.1");  // t = 1: no expansion
  add("features.1.conv.1", "features.1.conv.2");
  for (int i = 2; i <= 7; ++i) {
    const std::string conv = "features." + std::to_string(i) + ".conv.";
    add(conv + "0.0", conv + "0.1");
    add(conv + "1.0", conv + "1.1");
    add(conv + "2", conv + "3");
  }
  add("features.8.0", "features.8.1");
  expected.insert(expected.end(), {"classifier.1.weight", "classifier.1.bias"});

  EXPECT_THAT(tiny()->named_parameters().keys(), testing::UnorderedElementsAreArray(expected));
}

TEST(MobileNetV2Test, TinyHas23QuantizedLayersAndAsManyInputs) {
  int weights = 0;
  int activations = 0;
  const auto network = tiny();
  for (QuantizerSite* site : network->sites()) {
    ++(site->spec().kind == TensorKind::kWeight ? weights : activations);
  }
  EXPECT_EQ(weights, 23);
  EXPECT_EQ(activations, 23);
}

TEST(MobileNetV2Test, TinyHasTheParametersThatItsShapeSays) {
  // Block of t, in, out: expansion in * t*in, depthwise 9 * t*in, projection t*in * out; two
  // numbers a batch-norm channel.
  const auto block = [](int64_t t, int64_t in, int64_t out) {
    const int64_t hidden = t * in;
    return (t > 1 ? in * hidden + 2 * hidden : 0) + 9 * hidden + 2 * hidden + hidden * out +
           2 * out;
  };
  const int64_t expected = (9 * 16 + 2 * 16) + block(1, 16, 16) + block(4, 16, 24) +
                           block(4, 24, 24) + block(4, 24, 32) + block(4, 32, 32) +
                           block(4, 32, 48) + block(4, 48, 48) + (48 * 128 + 2 * 128) +
                           (128 * 10 + 10);
  int64_t count = 0;
  for (const auto& parameter : tiny()->parameters()) count += parameter.numel();
  EXPECT_EQ(count, expected);
}

TEST(MobileNetV2Test, ElementsAndMacsAreThoseCountedByHand) {
  const auto network = tiny();
  const auto specs = measured_specs(*network);
  EXPECT_EQ(specs.at("features.0.0.input").elements, 28 * 28);
  EXPECT_EQ(specs.at("features.0.0.weight").elements, 9 * 16);
  EXPECT_EQ(specs.at("features.0.0.weight").macs, 14 * 14 * 16 * 9);
  // The first unit of stage 3: 24 -> 96 channels at 14x14, then stride 2.
  EXPECT_EQ(specs.at("features.4.conv.0.0.input").elements, 24 * 14 * 14);
  EXPECT_EQ(specs.at("features.4.conv.0.0.weight").macs, 14 * 14 * 24 * 96);
  EXPECT_EQ(specs.at("features.4.conv.1.0.input").elements, 96 * 14 * 14);
  EXPECT_EQ(specs.at("features.4.conv.1.0.weight").macs, 7 * 7 * 96 * 9);
  EXPECT_EQ(specs.at("features.4.conv.2.weight").macs, 7 * 7 * 96 * 32);
  EXPECT_EQ(specs.at("classifier.1.input").elements, 128);
  EXPECT_EQ(specs.at("classifier.1.weight").macs, 128 * 10);
}

TEST(MobileNetV2Test, OnlyBottleneckOutputsAndTheImageAreSigned) {
  const auto network = tiny();
  const auto specs = measured_specs(*network);
  for (const auto& [name, spec] : specs) {
    if (spec.kind == TensorKind::kWeight) continue;
    const bool reads_bottleneck =
        name == "features.8.0.input" ||
        (name != "features.1.conv.0.0.input" && name.ends_with(".conv.0.0.input"));
    EXPECT_EQ(spec.is_signed, reads_bottleneck || name == "features.0.0.input") << name;
  }
}

TEST(MobileNetV2Test, ReLU6IsAbsorbedWhereItsOutputHasNoOtherReader) {
  const auto network = tiny();
  const auto specs = measured_specs(*network);
  for (const auto& [name, spec] : specs) {
    const bool follows_relu6_alone =
        (name.ends_with(".conv.1.0.input") || name.ends_with(".conv.2.input") ||
         name == "features.1.conv.1.input");
    EXPECT_EQ(spec.absorbs, follows_relu6_alone ? Activation::kRelu6 : Activation::kIdentity)
        << name;
  }
  // The first unit adds its input to its output, so that the stem's output stays there in fp32.
  EXPECT_FALSE(specs.at("features.1.conv.0.0.input").is_signed);
}

TEST(MobileNetV2Test, FirstAndLastLayerArePinnedAndNotCounted) {
  const auto network = tiny();
  for (QuantizerSite* site : network->sites()) {
    const std::string& name = site->spec().name;
    const bool is_end = name.starts_with("features.0.0.") || name.starts_with("classifier.1.");
    EXPECT_EQ(site->spec().pinned_bits, is_end ? std::optional<int>(8) : std::nullopt) << name;
    EXPECT_EQ(site->spec().counted, !is_end) << name;
  }
}

}  // namespace
}  // namespace qbitopt
