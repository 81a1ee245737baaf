#include "qbitopt/weights/wrappers.h"

#include <gmock/gmock.h>

namespace qbitopt {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> unwrapped(const std::vector<std::string>& names) {
  TensorIndex tensors;
  for (const std::string& name : names) tensors[name] = {};
  std::vector<std::string> own;
  for (const auto& [name, tensor] : without_wrappers(tensors)) own.push_back(name);
  return own;
}

TEST(WrappersTest, PrefixesOfWrappersAreDroppedInAnyCombination) {
  for (const char* prefix : {"", "module.", "_orig_mod.", "model.", "_orig_mod.module.",
                             "module._orig_mod.", "model.net.", "backbone.", "model.module."}) {
    EXPECT_THAT(unwrapped({std::string(prefix) + "conv1.weight", std::string(prefix) + "fc.bias"}),
                ElementsAre("conv1.weight", "fc.bias"))
        << prefix;
  }
}

TEST(WrappersTest, ALayerIsNoWrapper) {
  EXPECT_THAT(unwrapped({"fc.bias", "fc.weight"}), ElementsAre("fc.bias", "fc.weight"));
  EXPECT_THAT(unwrapped({"module.fc.bias", "module.fc.weight"}),
              ElementsAre("fc.bias", "fc.weight"));
}

TEST(WrappersTest, WrappersWithinANameAreDropped) {
  EXPECT_THAT(unwrapped({"conv1.weight", "layer1.0._checkpoint_wrapped_module.conv1.weight",
                         "layer2._orig_mod.0.bn1.bias"}),
              ElementsAre("conv1.weight", "layer1.0.conv1.weight", "layer2.0.bn1.bias"));
}

TEST(WrappersTest, WhatAWrapperCountsGoesWithIt) {
  EXPECT_THAT(unwrapped({"module.conv1.weight", "module.fc.bias", "n_averaged"}),
              ElementsAre("conv1.weight", "fc.bias"));
  EXPECT_THAT(unwrapped({"conv1.weight", "fc.bias", "n_averaged"}),
              ElementsAre("conv1.weight", "fc.bias", "n_averaged"));
}

TEST(WrappersTest, NamesThatWouldFallTogetherStay) {
  EXPECT_THAT(unwrapped({"a.0.weight", "a.module.0.weight", "b.0.weight"}),
              ElementsAre("a.0.weight", "a.module.0.weight", "b.0.weight"));
}

}  // namespace
}  // namespace qbitopt
