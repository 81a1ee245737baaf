#include "qbitopt/models/network.h"

#include <gmock/gmock.h>

namespace qbitopt {
namespace {

NetworkRegistry registry() {
  NetworkRegistry networks("model");
  register_networks(networks);
  return networks;
}

// Counts its calls and leaves the tensor as it is, up to the absorbed activation.
class CountingQuantizer : public Quantizer {
 public:
  CountingQuantizer(QuantizerSpec spec, std::vector<std::string>& calls)
      : Quantizer(std::move(spec)), calls_(calls) {}
  torch::Tensor forward(const torch::Tensor& x) override {
    calls_.push_back(spec().name);
    const torch::Tensor y = apply_activation(spec().absorbs, x);
    if (!spec().is_signed && !spec().has_offset) {
      EXPECT_GE(y.min().item<float>(), 0) << spec().name << " is declared unsigned";
    }
    return y;
  }
  int bits() const override { return 8; }
  void set_bits(int) override {}
  void begin_calibration() override {}
  void end_calibration() override {}

 private:
  std::vector<std::string>& calls_;
};

class EveryNetworkTest : public testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<Network> make(NetworkOptions options = {}) {
    return registry().make(GetParam(), options);
  }
  torch::Tensor images_ = torch::randn({3, 1, 28, 28});
};
INSTANTIATE_TEST_SUITE_P(Registered, EveryNetworkTest, testing::ValuesIn(registry().names()),
                         [](const auto& info) { return info.param; });

TEST_P(EveryNetworkTest, GivesLogitsForEveryClass) {
  EXPECT_EQ(make({.classes = 7})->forward(images_).sizes(), (std::vector<int64_t>{3, 7}));
}

TEST_P(EveryNetworkTest, QuantizersAreCalledOnceEachInTheOrderOfTheSites) {
  const auto network = make();
  network->eval();
  const torch::Tensor before = network->forward(images_);
  std::vector<std::string> calls;
  std::vector<std::string> names;
  for (QuantizerSite* site : network->sites()) {
    names.push_back(site->spec().name);
    site->attach(std::make_shared<CountingQuantizer>(site->spec(), calls));
  }
  EXPECT_TRUE(torch::equal(network->forward(images_), before));
  EXPECT_EQ(calls, names);

  for (QuantizerSite* site : network->sites()) site->detach();
  calls.clear();
  EXPECT_TRUE(torch::equal(network->forward(images_), before));
  EXPECT_THAT(calls, testing::IsEmpty());
}

TEST_P(EveryNetworkTest, MeasureFillsEverySiteAndChangesNothingElse) {
  const auto network = make();
  network->train();
  const auto running_means = [&] {
    std::vector<torch::Tensor> buffers;
    for (const auto& buffer : network->buffers()) buffers.push_back(buffer.clone());
    return buffers;
  };
  const auto before = running_means();
  network->measure({1, 28, 28});
  for (QuantizerSite* site : network->sites()) {
    EXPECT_GT(site->spec().elements, 0) << site->spec().name;
    EXPECT_GT(site->spec().macs, 0) << site->spec().name;
  }
  EXPECT_TRUE(network->is_training());
  const auto after = running_means();
  for (size_t i = 0; i < before.size(); ++i) EXPECT_TRUE(torch::equal(before[i], after[i]));
}

TEST_P(EveryNetworkTest, WeightsDependOnTheSeedAloneAndLeaveTheGlobalGeneratorAlone) {
  torch::manual_seed(1);
  const auto first = make({.seed = 5});
  const torch::Tensor drawn = torch::rand({3});
  torch::manual_seed(1);
  EXPECT_TRUE(torch::equal(torch::rand({3}), drawn));
  const auto second = make({.seed = 5});
  const auto other = make({.seed = 6});
  const auto parameters = first->named_parameters();
  for (const auto& parameter : second->named_parameters()) {
    EXPECT_TRUE(torch::equal(parameter.value(), parameters[parameter.key()])) << parameter.key();
  }
  EXPECT_FALSE(torch::equal(other->layer_sites()[0].latent, first->layer_sites()[0].latent));
}

TEST_P(EveryNetworkTest, EveryParameterGetsAGradient) {
  const auto network = make();
  network->train();
  network->forward(images_).square().sum().backward();
  for (const auto& parameter : network->named_parameters()) {
    EXPECT_TRUE(parameter.value().grad().defined()) << parameter.key();
  }
}

TEST(NetworkTest, OptionsSetCandidatesAndTheBitsOfTheEnds) {
  const auto network = registry().make(
      "resnet8", {.candidate_bits = {4, 8}, .first_last_bits = 6, .count_first_last = true});
  EXPECT_EQ(network->sites()[3]->spec().candidate_bits, (std::vector<int>{4, 8}));
  EXPECT_EQ(network->sites()[0]->spec().pinned_bits, 8);  // the image is never narrower
  EXPECT_EQ(network->sites()[1]->spec().pinned_bits, 6);
  EXPECT_EQ(network->sites().back()->spec().pinned_bits, 6);
  EXPECT_TRUE(network->sites().back()->spec().counted);
}

TEST(NetworkTest, FreeEndsAreCountedButTheImageStaysPinned) {
  const auto network = registry().make("resnet8", {.first_last_bits = 0});
  EXPECT_FALSE(network->sites().back()->spec().pinned_bits.has_value());
  EXPECT_TRUE(network->sites().back()->spec().counted);
  EXPECT_EQ(network->sites()[0]->spec().pinned_bits, 8);
  EXPECT_FALSE(network->sites()[0]->spec().counted);
}

TEST(NetworkTest, AnUnknownModelListsTheKnownOnes) {
  try {
    registry().make("resnet21", {});
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("unknown model 'resnet21'"));
    EXPECT_THAT(error.what(),
                testing::HasSubstr("mobilenet_v2_tiny, mobilenet_v3_small, resnet18, resnet20, "
                                   "resnet50, resnet8"));
  }
}

}  // namespace
}  // namespace qbitopt
