#include "qbitopt/models/image_convolution.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <vector>

namespace qbitopt {
namespace {

using torch::Tensor;

struct Case {
  int64_t batch, channels, size, out, kernel;
  ConvolutionGeometry geometry;
  bool has_bias;
};

const std::vector<Case> kCases = {
    {64, 1, 28, 16, 3, {{2, 2}, {1, 1}, {1, 1}}, false},
    {5, 3, 33, 8, 7, {{2, 1}, {3, 2}, {1, 2}}, true},
    {2, 4, 9, 3, 1, {{1, 1}, {0, 0}, {1, 1}}, true},
};

struct Inputs {
  explicit Inputs(const Case& c) {
    torch::manual_seed(3);
    images = torch::randn({c.batch, c.channels, c.size, c.size + 2})
                 .contiguous(at::MemoryFormat::ChannelsLast)
                 .requires_grad_();
    weight = torch::randn({c.out, c.channels, c.kernel, c.kernel}).requires_grad_();
    if (c.has_bias) bias = torch::randn({c.out}).requires_grad_();
  }
  std::vector<Tensor> all() const {
    return bias.defined() ? std::vector<Tensor>{images, weight, bias}
                          : std::vector<Tensor>{images, weight};
  }
  Tensor images, weight, bias;
};

Tensor convolve(const Inputs& inputs, const Case& c, bool as_image) {
  if (as_image) return convolve_image(inputs.images, inputs.weight, inputs.bias, c.geometry);
  return torch::conv2d(inputs.images, inputs.weight, inputs.bias, c.geometry.stride,
                       c.geometry.padding, c.geometry.dilation);
}

double distance(const Tensor& found, const Tensor& expected) {
  return ((found - expected).norm() / expected.norm()).item<double>();
}

TEST(ImageConvolutionTest, IsLibTorchsUpToRounding) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.kernel);
    const Inputs inputs(c);
    ASSERT_TRUE(is_image_convolution(inputs.images, inputs.weight));
    const auto run = [&](bool as_image) {
      const Tensor out = convolve(inputs, c, as_image);
      auto found = torch::autograd::grad({(out * out.cos()).sum()}, inputs.all());
      found.push_back(out);
      return found;
    };
    const auto expected = run(false), found = run(true);
    ASSERT_EQ(found.size(), expected.size());
    for (size_t i = 0; i < found.size(); ++i) {
      EXPECT_LT(distance(found[i], expected[i]), 1e-6) << i;
    }
    EXPECT_TRUE(torch::equal(found.back(), expected.back()));
  }
}

TEST(ImageConvolutionTest, HasASecondDerivative) {
  for (const Case& c : kCases) {
    const Inputs inputs(c);
    const auto run = [&](bool as_image) {
      const Tensor loss = convolve(inputs, c, as_image).pow(3).mean();
      const auto first = torch::autograd::grad({loss}, inputs.all(), {}, true, true);
      Tensor sum = torch::zeros({});
      for (const Tensor& gradient : first) sum = sum + gradient.square().sum();
      return torch::autograd::grad({sum}, inputs.all());
    };
    const auto expected = run(false), found = run(true);
    for (size_t i = 0; i < found.size(); ++i) EXPECT_LT(distance(found[i], expected[i]), 1e-5) << i;
  }
}

TEST(ImageConvolutionTest, TheImagesGradientDoesNotDependOnThreads) {
  const int before = at::get_num_threads();
  for (const Case& c : kCases) {
    const Inputs inputs(c);
    const auto run = [&](int threads) {
      at::set_num_threads(threads);
      return torch::autograd::grad({convolve(inputs, c, true).sum()}, {inputs.images})[0];
    };
    EXPECT_TRUE(torch::equal(run(1), run(2)));
  }
  at::set_num_threads(before);
}

TEST(ImageConvolutionTest, LeavesTheRestToLibTorch) {
  const Inputs inputs(kCases[0]);
  EXPECT_FALSE(is_image_convolution(inputs.images.detach(), inputs.weight));
  EXPECT_FALSE(is_image_convolution(inputs.images.to(torch::kBFloat16), inputs.weight));
  EXPECT_FALSE(
      is_image_convolution(torch::ones({1, 8, 5, 5}).requires_grad_(), torch::ones({2, 8, 3, 3})));
  EXPECT_FALSE(is_image_convolution(torch::ones({1, 4, 5, 5}).requires_grad_(),
                                    torch::ones({4, 1, 3, 3})));  // groups
}

}  // namespace
}  // namespace qbitopt
