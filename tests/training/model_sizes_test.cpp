#include <gtest/gtest.h>

#include "qbitopt/config/catalog.h"
#include "qbitopt/models/network.h"

namespace qbitopt {
namespace {

TEST(ModelSizesTest, ManifestsSayWhatTheNetworksHave) {
  NetworkRegistry registry("model");
  register_networks(registry);
  for (const std::string& name : registry.names()) {
    const Manifest& manifest = builtin_catalog().get("model", name);
    const int64_t size = manifest.image_size, channels = manifest.facts.at("channels");
    const auto network =
        registry.make(name, {.classes = manifest.facts.at("classes"), .image_channels = channels});
    network->measure({channels, size, size});
    int64_t weights = 0, macs = 0;
    for (const torch::Tensor& parameter : network->parameters()) weights += parameter.numel();
    for (const QuantizerSite* site : network->sites())
      macs += site->spec().kind == TensorKind::kWeight ? site->spec().macs : 0;
    EXPECT_EQ(manifest.weights, weights) << name;
    EXPECT_EQ(manifest.macs, macs) << name;
    int64_t inner_weights = 0, inner_macs = 0;
    const std::vector<LayerSites> layers = network->layer_sites();
    for (size_t i = 1; i + 1 < layers.size(); ++i) {
      inner_weights += layers[i].latent.numel();
      inner_macs += layers[i].macs;
    }
    EXPECT_EQ(manifest.inner_weights, inner_weights) << name;
    EXPECT_EQ(manifest.inner_macs, inner_macs) << name;
    const std::string head = manifest.contents.empty() ? "" : manifest.head + ".weight";
    EXPECT_EQ(head, manifest.contents.empty() ? "" : layers.back().weight->spec().name);
  }
}

}  // namespace
}  // namespace qbitopt
