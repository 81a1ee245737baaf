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

}  // namespace
}  // namespace qbitopt
