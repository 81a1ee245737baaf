#include "qbitopt/exporting/integer_file.h"

#include <gmock/gmock.h>

#include <fstream>

#include "exporting/networks.h"
#include "qbitopt/core/json.h"
#include "qbitopt/models/weight_bytes.h"
#include "qbitopt/models/weights.h"

namespace qbitopt {
namespace {

using exporting_tests::Subject;

class IntegerFileTest : public testing::Test {
 protected:
  void SetUp() override {
    if (exporting_tests::networks_folder().empty())
      GTEST_SKIP() << ".venv/bin/python with PyTorch is missing";
  }
  static Json metadata(const std::string& file) {
    uint64_t length = 0;
    for (size_t i = 8; i-- > 0;) length = length << 8 | static_cast<unsigned char>(file[i]);
    return Json::parse(file.substr(8, length)).at("__metadata__");
  }
  static StateDict tensors(const std::string& file) {
    const auto path = std::filesystem::path(testing::TempDir()) / "integers.safetensors";
    std::ofstream(path, std::ios::binary) << file;
    return read_weights(path);
  }
};

TEST_F(IntegerFileTest, ScaleTimesCodeIsWhatTheNetworkComputesWith) {
  Subject subject("attention");
  subject.quantize({.per_channel_weights = true});
  const torch::NoGradGuard no_grad;
  const StateDict before = state_of(*subject.network);
  const StateDict after = tensors(integer_file(subject.graph(), {}));
  EXPECT_EQ(after.at("patches.weight").scalar_type(), torch::kInt8);
  const torch::Tensor rebuilt = after.at("attention.in_proj_weight").to(torch::kFloat32) *
                                after.at("attention.in_proj.weight.scale").view({48, 1});
  EXPECT_TRUE(rebuilt.equal(
      subject.site("attention.in_proj.weight")(before.at("attention.in_proj_weight"))));
  EXPECT_TRUE(after.at("token").equal(before.at("token")));
  EXPECT_EQ(after.count("patches.weight_quantizer.range"), 0u);
  EXPECT_EQ(after.count("mlp.3.input.offset"), 1u);
  EXPECT_EQ(after.count("mlp.0.input.offset"), 0u);
}

TEST_F(IntegerFileTest, MetadataSayBitsAndThePackedSizeThatTablesShow) {
  Subject subject("mixer");  // two layers share a weight
  subject.quantize({.signed_grid = SignedGrid::kSymmetric});
  const Json said = metadata(integer_file(subject.graph(), {{"job", "abc"}}));
  EXPECT_EQ(said.at("job"), "abc");
  int64_t bits = 0;
  const Json quantizers = Json::parse(said.at("quantizers").get<std::string>());
  for (const QuantizerSite* site : subject.network->sites()) {
    const Json& one = quantizers.at(site->spec().name);
    const int of_site = site->quantizer()->bits();
    EXPECT_EQ(one.at("bits"), of_site);
    const bool is_weight = site->spec().kind == TensorKind::kWeight;
    if (is_weight) {
      EXPECT_EQ(one.at("highest"), (1 << (of_site - 1)) - 1);
    }
    if (site->spec().is_signed) {
      EXPECT_EQ(one.at("lowest"), 1 - (1 << (of_site - 1)));
    }
    if (is_weight) bits += of_site * site->spec().elements;
  }
  EXPECT_EQ(said.at("weight_bytes"), std::to_string((bits + 7) / 8));
  EXPECT_EQ(weight_bytes(*subject.network), (bits + 7) / 8);
}

}  // namespace
}  // namespace qbitopt
