// What the GPU answers, against the CPU. Skipped where LibTorch sees no GPU.
#include <gtest/gtest.h>

#include <limits>

#include "qbitopt/quant/fake_quantize.h"

namespace qbitopt {
namespace {

using torch::Tensor;

class CudaTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!torch::cuda::is_available()) GTEST_SKIP() << "no GPU";
  }
};

struct Answer {
  Tensor out, dx, dr, state;
};

Answer answer(const Tensor& x_value, const Tensor& range_value, const Tensor& gradient,
              const Grid& grid, Activation activation, torch::Device device) {
  const Tensor x = x_value.to(device).detach().requires_grad_();
  const Tensor range = range_value.to(device).detach().requires_grad_();
  const auto fisher = std::make_shared<FisherEstimate>(range.numel());
  fisher->state() = fisher->state().to(device);
  const Tensor out = fake_quantize(x, range, grid, activation, fisher);
  out.backward(gradient.to(device));
  fisher->end_step(x.size(0));
  return {out.detach().cpu(), x.grad().cpu(), range.grad().cpu(), fisher->state().cpu()};
}

void expect_like_the_cpu(const Tensor& x, const Tensor& range, const Tensor& gradient,
                         const Grid& grid, Activation activation) {
  const Answer cpu = answer(x, range, gradient, grid, activation, torch::kCPU);
  const Answer gpu = answer(x, range, gradient, grid, activation, torch::kCUDA);
  const Answer again = answer(x, range, gradient, grid, activation, torch::kCUDA);
  const std::string text = "bits " + std::to_string(grid.bits) + ", n " + std::to_string(grid.n) +
                           ", activation " + std::to_string(static_cast<int>(activation));
  EXPECT_TRUE(torch::equal(gpu.out, cpu.out)) << text;
  EXPECT_TRUE(torch::equal(gpu.dx, cpu.dx)) << text;
  EXPECT_EQ(gpu.out.strides(), cpu.out.strides()) << text;
  const Tensor size = gradient.abs().nan_to_num(0, 0, 0).sum().clamp_min(1) * grid.p;
  EXPECT_LE(((gpu.dr - cpu.dr).abs() / size).max().item<double>(), 1e-6) << text;
  EXPECT_TRUE(torch::allclose(gpu.state, cpu.state, 1e-6, 0)) << text << gpu.state << cpu.state;
  EXPECT_TRUE(torch::equal(gpu.dr, again.dr) && torch::equal(gpu.state, again.state)) << text;
}

TEST_F(CudaTest, EveryGridAndActivationIsTheCpus) {
  torch::manual_seed(1);
  for (const int64_t width : {16, 17, 3}) {  // by fours, and not
    const Tensor x =
        3 * torch::randn({8, 16, width, width}).contiguous(at::MemoryFormat::ChannelsLast);
    const Tensor gradient = torch::randn_like(x);
    for (const int bits : {2, 3, 4, 8}) {
      for (const Activation activation :
           {Activation::kIdentity, Activation::kRelu, Activation::kRelu6, Activation::kHardSwish}) {
        const bool is_signed = activation == Activation::kIdentity;
        expect_like_the_cpu(x, torch::full({1}, 2.5), gradient, Grid::make(bits, is_signed),
                            activation);
      }
      expect_like_the_cpu(x, torch::full({1}, 2.5), gradient, Grid::make(bits, false),
                          Activation::kIdentity);
    }
  }
}

// The answers for the widened x, rounded to sixteen bits; the sums do not see the rounding.
TEST_F(CudaTest, SixteenBitsAreWidenedAndTheAnswerRounded) {
  torch::manual_seed(6);
  const Tensor range = torch::full({1}, 2.5);
  for (const torch::ScalarType type : {torch::kFloat16, torch::kBFloat16}) {
    for (const int64_t width : {16, 17, 3}) {  // by packs, and not
      const Tensor x = (3 * torch::randn({8, 16, width, width}))
                           .contiguous(at::MemoryFormat::ChannelsLast)
                           .to(type);
      const Tensor gradient = torch::randn_like(x);
      for (const Activation activation :
           {Activation::kIdentity, Activation::kRelu, Activation::kRelu6}) {
        const Grid grid = Grid::make(3, activation == Activation::kIdentity);
        const Answer narrow = answer(x, range, gradient, grid, activation, torch::kCUDA);
        const Answer wide = answer(x.to(torch::kFloat32), range, gradient.to(torch::kFloat32), grid,
                                   activation, torch::kCUDA);
        ASSERT_EQ(narrow.out.scalar_type(), type);
        EXPECT_EQ(narrow.out.strides(), wide.out.strides());
        EXPECT_TRUE(torch::equal(narrow.out, wide.out.to(type)));
        EXPECT_TRUE(torch::equal(narrow.dx, wide.dx.to(type)));
        EXPECT_TRUE(torch::allclose(narrow.dr, wide.dr, 1e-5, 1e-4));
        EXPECT_TRUE(torch::allclose(narrow.state, wide.state, 1e-6, 0));
      }
    }
  }
}

TEST_F(CudaTest, OneRangeAChannelIsTheCpus) {
  torch::manual_seed(2);
  for (const int64_t channels : {1, 6, 300}) {
    const Tensor x = torch::randn({channels, 5, 3, 3}).contiguous(at::MemoryFormat::ChannelsLast);
    expect_like_the_cpu(x, torch::rand({channels}) + 0.5, torch::randn_like(x), Grid::make(3, true),
                        Activation::kIdentity);
  }
}

TEST_F(CudaTest, LargeTensorsFillEveryBlock) {
  torch::manual_seed(3);
  const Tensor x = torch::randn({64, 32, 112, 112}).contiguous(at::MemoryFormat::ChannelsLast);
  expect_like_the_cpu(x, torch::full({1}, 2.0), torch::randn_like(x), Grid::make(4, false),
                      Activation::kRelu6);
}

TEST_F(CudaTest, NonFiniteGradientsAreCountedAndLeaveTheStepOut) {
  torch::manual_seed(4);
  const Tensor x = torch::rand({4, 100});
  Tensor gradient = torch::randn_like(x);
  gradient[1][3] = std::numeric_limits<float>::infinity();
  gradient[2][5] = 1e30f;  // its square is not finite
  const Answer gpu = answer(x, torch::full({1}, 2.0), gradient, Grid::make(4, false),
                            Activation::kIdentity, torch::kCUDA);
  EXPECT_EQ(gpu.state[-1].item<double>(), 2);
  EXPECT_EQ(gpu.state[-2].item<double>(), 0);
}

TEST_F(CudaTest, EmptyAndTinyTensors) {
  for (const int64_t count : {0, 1, 5}) {
    expect_like_the_cpu(torch::randn({1, count}), torch::full({1}, 1.0), torch::randn({1, count}),
                        Grid::make(4, true), Activation::kIdentity);
  }
}

TEST_F(CudaTest, FisherEstimatesOverSeveralPassesAreTheCpus) {
  torch::manual_seed(5);
  const Tensor gradients = torch::randn({4, 6, 40});
  const auto state = [&](FisherWeights weights, int passes, torch::Device device) {
    FisherEstimate fisher(6);
    fisher.set_weights(weights, passes);
    fisher.state() = fisher.state().to(device);
    for (int step = 0; step < 3; ++step) {
      for (int pass = 0; pass < passes; ++pass) {
        const Tensor gradient = gradients[pass];
        const Tensor sums = torch::cat({(gradient * gradient).sum(1, false, torch::kFloat64),
                                        torch::zeros({1}, torch::kFloat64)});
        fisher.add(sums.to(device), gradient.to(device));
      }
      fisher.end_step(32, 2);
    }
    return fisher.state().cpu();
  };
  for (const FisherWeights weights : {FisherWeights::kBatch, FisherWeights::kSplit}) {
    for (const int passes : {2, 4}) {
      EXPECT_TRUE(torch::allclose(state(weights, passes, torch::kCUDA),
                                  state(weights, passes, torch::kCPU), 1e-9, 0))
          << passes;
    }
  }
}

}  // namespace
}  // namespace qbitopt
