#include <gtest/gtest.h>

#include "qbitopt/config/catalog.h"
#include "qbitopt/models/network.h"

namespace qbitopt {
namespace {

bool is_for_small_images(const std::string& model) {
  return model.ends_with("_tiny") || model == "resnet8" || model == "resnet20";
}

TEST(ModelSizesTest, ManifestsSayWhatTheNetworksHave) {
  NetworkRegistry registry("model");
  register_networks(registry);
  for (const std::string& name : registry.names()) {
    const bool is_small = is_for_small_images(name);
    const std::vector<int64_t> image =
        is_small ? std::vector<int64_t>{1, 28, 28} : std::vector<int64_t>{3, 224, 224};
    const auto network =
        registry.make(name, {.classes = is_small ? 10 : 1000, .image_channels = image[0]});
    network->measure(image);
    int64_t weights = 0, macs = 0;
    for (const torch::Tensor& parameter : network->parameters()) weights += parameter.numel();
    for (const QuantizerSite* site : network->sites())
      macs += site->spec().kind == TensorKind::kWeight ? site->spec().macs : 0;
    const Manifest& manifest = builtin_catalog().get("model", name);
    EXPECT_EQ(manifest.weights, weights) << name;
    EXPECT_EQ(manifest.macs, macs) << name;
    int64_t inner_weights = 0, inner_macs = 0;
    for (size_t i = 1; i + 1 < network->layers().size(); ++i) {
      inner_weights += network->layers()[i]->weight.numel();
      inner_macs += network->layers()[i]->macs();
    }
    EXPECT_EQ(manifest.inner_weights, inner_weights) << name;
    EXPECT_EQ(manifest.inner_macs, inner_macs) << name;
    EXPECT_EQ(manifest.image_size, image[1]) << name;
    EXPECT_EQ(manifest.head, manifest.contents.empty() ? "" : network->layers().back()->path());
  }
}

}  // namespace
}  // namespace qbitopt
