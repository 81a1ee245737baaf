#include "qbitopt/quant/site.h"

#include <gtest/gtest.h>
#include <torch/nn/modules/linear.h>

namespace qbitopt {
namespace {

TEST(QuantizerSiteTest, WithoutAQuantizerItAppliesTheActivationAlone) {
  torch::nn::Linear layer(2, 2);
  const torch::Tensor x = torch::tensor({-1.0f, 3.0f, 7.0f});
  const auto site = [&](Activation activation) {
    QuantizerSpec spec{.name = "fc.input", .kind = TensorKind::kActivation, .absorbs = activation};
    return QuantizerSite(*layer, spec)(x);
  };
  EXPECT_TRUE(torch::equal(site(Activation::kIdentity), x));
  EXPECT_TRUE(torch::equal(site(Activation::kRelu), torch::tensor({0.0f, 3.0f, 7.0f})));
  EXPECT_TRUE(torch::equal(site(Activation::kRelu6), torch::tensor({0.0f, 3.0f, 6.0f})));
}

// Tells what type of tensor it was given.
class Witness : public Quantizer {
 public:
  Witness(QuantizerSpec spec, bool takes) : Quantizer(std::move(spec)), takes_(takes) {}
  torch::Tensor forward(const torch::Tensor& x) override {
    seen = x.scalar_type();
    return x;
  }
  bool takes_sixteen_bits(const torch::Tensor&) const override { return takes_; }
  int bits() const override { return 8; }
  void set_bits(int) override {}
  void begin_calibration() override {}
  void end_calibration() override {}
  torch::ScalarType seen = torch::kFloat64;

 private:
  bool takes_;
};

TEST(QuantizerSiteTest, SixteenBitsAreWidenedForQuantizersThatDoNotTakeThem) {
  for (const bool takes : {false, true}) {
    torch::nn::Linear layer(2, 2);
    QuantizerSpec spec{.name = "fc.input", .kind = TensorKind::kActivation};
    QuantizerSite site(*layer, spec);
    const auto witness = std::make_shared<Witness>(spec, takes);
    site.attach(witness);
    for (const torch::ScalarType type : {torch::kFloat16, torch::kBFloat16}) {
      site(torch::ones({2}, type));
      EXPECT_EQ(witness->seen, takes ? type : torch::kFloat32);
    }
    site(torch::ones({2}));
    EXPECT_EQ(witness->seen, torch::kFloat32);
  }
}

}  // namespace
}  // namespace qbitopt
