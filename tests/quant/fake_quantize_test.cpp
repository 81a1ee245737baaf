#include "qbitopt/quant/fake_quantize.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>

#include <atomic>
#include <cmath>
#include <limits>

#include "qbitopt/quant/site.h"

namespace qbitopt {
namespace {

using torch::Tensor;

std::vector<Grid> grids() {
  std::vector<Grid> grids;
  for (const int bits : {2, 3, 4, 8}) {
    grids.push_back(Grid::make(bits, true));
    grids.push_back(Grid::make(bits, true, SignedGrid::kSymmetric));
    grids.push_back(Grid::make(bits, false));
  }
  return grids;
}

Tensor normal(at::IntArrayRef shape, uint64_t seed, torch::Dtype type = torch::kFloat64) {
  auto generator = at::detail::createCPUGenerator(seed);
  return torch::randn(shape, generator, type);
}

struct Outcome {
  Tensor out, dx, dr;
  double squares = 0;
};

// Forward and backward with a given incoming gradient; `fused`: the activation inside the
// quantizer.
Outcome quantize_once(const Tensor& x_value, double range_value, const Grid& grid,
                      const Tensor& gradient, Activation activation = Activation::kIdentity,
                      bool fused = true) {
  const Tensor x = x_value.detach().clone().requires_grad_();
  const Tensor range = torch::full({1}, range_value, x.options().requires_grad(true));
  const auto fisher = std::make_shared<FisherEstimate>(1);
  const Tensor out = fused ? fake_quantize(x, range, grid, activation, fisher)
                           : fake_quantize(apply_activation(activation, x), range, grid,
                                           Activation::kIdentity, fisher);
  out.backward(gradient);
  fisher->end_step(1);
  return {out.detach(), x.grad(), range.grad(), fisher->steps() ? fisher->trace()[0] : 0};
}

// LSQ's surrogate, whose true derivative the backward pass is: what rounding adds is a constant.
Tensor surrogate(const Tensor& x, const Tensor& range, const Grid& grid, const Tensor& rounding) {
  const Tensor s = range / grid.K;
  return s * ((x / s).clamp(grid.n, grid.p) + rounding);
}

TEST(FakeQuantizeTest, ForwardIsTheFormula) {
  const Tensor x = 2 * normal({500}, 1);
  for (const Grid& grid : grids()) {
    const double r = 3.7, s = r / grid.K;
    const Tensor out = fake_quantize(x, torch::full({1}, r, torch::kFloat64), grid);
    for (int64_t i = 0; i < x.numel(); ++i) {
      const double v = x[i].item<double>() / s;
      const double expected = s * std::nearbyint(std::min(std::max(v, grid.n), grid.p));
      ASSERT_NEAR(out[i].item<double>(), expected, 1e-12) << grid.bits << " bits, v = " << v;
    }
  }
}

TEST(FakeQuantizeTest, TiesGoToTheEvenCode) {
  const Grid grid = Grid::make(4, true);
  for (const auto type : {torch::kFloat32, torch::kFloat64}) {
    const Tensor x = torch::tensor({-2.5, -1.5, -0.5, 0.5, 1.5, 2.5}, type);
    const Tensor expected = torch::tensor({-2, -2, 0, 0, 2, 2}, type);
    EXPECT_TRUE(torch::equal(fake_quantize(x, torch::full({1}, 15, type), grid), expected));
  }
}

TEST(FakeQuantizeTest, GradientsAreTheFormulas) {
  const Tensor x = 2 * normal({500}, 2), gradient = normal({500}, 3);
  for (const Grid& grid : grids()) {
    const double r = 2.9, s = r / grid.K;
    const Outcome actual = quantize_once(x, r, grid, gradient);
    double ds = 0, squares = 0;
    for (int64_t i = 0; i < x.numel(); ++i) {
      const double v = x[i].item<double>() / s, g = gradient[i].item<double>();
      const bool inside = grid.n <= v && v <= grid.p;
      ASSERT_EQ(actual.dx[i].item<double>(), inside ? g : 0) << grid.bits << " bits, v = " << v;
      ds += g * (inside ? std::nearbyint(v) - v : v < grid.n ? grid.n : grid.p);
      if (inside && (grid.is_signed() || v > 0)) squares += g * g;
    }
    EXPECT_NEAR(actual.dr.item<double>(), ds / grid.K, 1e-12 * std::abs(ds)) << grid.bits;
    EXPECT_NEAR(actual.squares, squares, 1e-12 * squares) << grid.bits;
  }
}

TEST(FakeQuantizeTest, GradientsAreFiniteDifferencesAwayFromTheKinks) {
  const Tensor gradient = normal({300}, 4);
  for (const Grid& grid : grids()) {
    const double r = 2.5, s = r / grid.K, h = 1e-6;
    Tensor v = grid.K * normal({300}, 5);
    v = torch::where(((v - grid.n).abs() < 1e-3).logical_or((v - grid.p).abs() < 1e-3), v + 0.01,
                     v);
    const Tensor x = v * s;
    const Tensor clamped = v.clamp(grid.n, grid.p);
    const Tensor rounding = clamped.round() - clamped;
    const auto loss = [&](const Tensor& at, double range) {
      return (gradient * surrogate(at, torch::full({1}, range, torch::kFloat64), grid, rounding));
    };
    const Outcome actual = quantize_once(x, r, grid, gradient);
    EXPECT_TRUE(
        torch::allclose(actual.dx, (loss(x + h, r) - loss(x - h, r)) / (2 * h), 1e-7, 1e-7));
    const double dr = ((loss(x, r + h) - loss(x, r - h)).sum() / (2 * h)).item<double>();
    EXPECT_NEAR(actual.dr.item<double>(), dr, 1e-6 * (1 + std::abs(dr))) << grid.bits;
  }
}

TEST(FakeQuantizeTest, Float32EqualsFloat64) {
  const Tensor x = 2 * normal({4, 8, 5, 5}, 6, torch::kFloat32);
  const Tensor gradient = normal({4, 8, 5, 5}, 7, torch::kFloat32);
  for (const Grid& grid : grids()) {
    for (const auto activation : {Activation::kIdentity, Activation::kRelu, Activation::kRelu6}) {
      const Outcome single = quantize_once(x, 3.3, grid, gradient, activation);
      const Outcome twice =
          quantize_once(x.to(torch::kFloat64), 3.3, grid, gradient.to(torch::kFloat64), activation);
      EXPECT_TRUE(torch::allclose(single.out.to(torch::kFloat64), twice.out, 1e-5, 1e-5));
      EXPECT_TRUE(torch::allclose(single.dx.to(torch::kFloat64), twice.dx, 1e-6, 1e-6));
      EXPECT_NEAR(single.dr.item<double>(), twice.dr.item<double>(), 1e-4);
      EXPECT_NEAR(single.squares, twice.squares, 1e-5 * twice.squares);
    }
  }
}

// PyTorch's own operator masks after rounding: values half a step beyond an end count as inside.
TEST(FakeQuantizeTest, MaskIsOnTheUnroundedValueUnlikeThatOfAten) {
  const Tensor x = normal({18432}, 8, torch::kFloat32);
  const Tensor ones = torch::ones_like(x);
  for (const int bits : {2, 3, 8}) {
    const Grid grid = Grid::make(bits, true);
    const double scale = 2 * x.abs().mean().item<double>() / std::sqrt(grid.p);
    const Outcome ours = quantize_once(x, scale * grid.K, grid, ones);

    const Tensor theirs_x = x.clone().requires_grad_();
    const Tensor theirs_scale = torch::full({1}, scale).requires_grad_();
    at::_fake_quantize_learnable_per_tensor_affine(theirs_x, theirs_scale, torch::zeros({1}),
                                                   static_cast<int64_t>(grid.n),
                                                   static_cast<int64_t>(grid.p), 1.0)
        .backward(ones);
    const int64_t different = (ours.dx != theirs_x.grad()).sum().item<int64_t>();
    const double ds_ours = ours.dr.item<double>() * grid.K;
    const double ds_theirs = theirs_scale.grad().item<double>();
    if (bits == 8) {
      EXPECT_EQ(different, 0);
      EXPECT_NEAR(ds_ours, ds_theirs, 1e-3 * std::abs(ds_theirs));
    } else {
      // Exactly those whose rounded value is a code and whose unrounded one lies beyond it.
      const Tensor v = x / scale;
      const Tensor outside = (v < grid.n).logical_or(v > grid.p);
      const Tensor beyond =
          outside.logical_and(v.round() >= grid.n).logical_and(v.round() <= grid.p);
      EXPECT_GT(different, 10) << bits;
      EXPECT_NEAR(static_cast<double>(different), beyond.sum().item<double>(), 1) << bits;
      EXPECT_GT(std::abs(ds_ours - ds_theirs), 0.05 * std::abs(ds_ours)) << bits;
    }
  }
}

TEST(FakeQuantizeTest, FusedAndSeparateActivationsAgree) {
  Tensor x = 4 * normal({2000}, 9, torch::kFloat32);
  x.slice(0, 0, 100).fill_(0);
  x.slice(0, 100, 200).fill_(6);
  const Tensor gradient = normal({2000}, 10, torch::kFloat32);
  for (const int bits : {2, 4, 8}) {
    for (const double range : {3.0, 6.0, 9.0}) {
      for (const auto activation : {Activation::kRelu, Activation::kRelu6}) {
        const Grid grid = Grid::make(bits, false);
        const Outcome fused = quantize_once(x, range, grid, gradient, activation, /*fused=*/true);
        const Outcome separate =
            quantize_once(x, range, grid, gradient, activation, /*fused=*/false);
        EXPECT_TRUE(torch::equal(fused.out, separate.out));
        EXPECT_TRUE(torch::equal(fused.dx, separate.dx));
        EXPECT_TRUE(torch::equal(fused.dr, separate.dr));
        EXPECT_EQ(fused.squares, separate.squares);
      }
    }
  }
}

TEST(FakeQuantizeTest, ARangePerChannelEqualsOneCallAChannel) {
  const Tensor weight = normal({6, 4, 3, 3}, 11, torch::kFloat32).requires_grad_();
  const Tensor gradient = normal({6, 4, 3, 3}, 12, torch::kFloat32);
  const Tensor ranges = torch::linspace(0.5, 4, 6).requires_grad_();
  const auto fisher = std::make_shared<FisherEstimate>(6);
  const Grid grid = Grid::make(3, true);
  const Tensor out = fake_quantize(weight, ranges, grid, Activation::kIdentity, fisher);
  out.backward(gradient);
  fisher->end_step(1);
  for (int64_t c = 0; c < 6; ++c) {
    const Outcome one = quantize_once(weight[c], ranges[c].item<double>(), grid, gradient[c]);
    EXPECT_TRUE(torch::equal(out[c], one.out));
    EXPECT_TRUE(torch::equal(weight.grad()[c], one.dx));
    EXPECT_EQ(ranges.grad()[c].item<double>(), one.dr.item<double>());
    EXPECT_EQ(fisher->trace()[c], one.squares);
  }
}

TEST(FakeQuantizeTest, MemoryFormatsAreKeptAndGiveTheSameValues) {
  const Grid grid = Grid::make(4, false);
  const Tensor x = 3 * normal({3, 16, 9, 9}, 13, torch::kFloat32);
  const Tensor gradient = normal({3, 16, 9, 9}, 14, torch::kFloat32);
  const Outcome expected = quantize_once(x, 4, grid, gradient, Activation::kRelu);
  const auto last = at::MemoryFormat::ChannelsLast;
  const Tensor strided = torch::empty({3, 16, 9, 18}).slice(3, 0, 18, 2).copy_(x);
  struct Case {
    const char* name;
    Tensor x, gradient;
  };
  const Case cases[] = {{"channels-last", x.contiguous(last), gradient.contiguous(last)},
                        {"mixed", x.contiguous(last), gradient},
                        {"transposed", x.transpose(0, 3).contiguous().transpose(0, 3), gradient},
                        {"with gaps", strided, gradient}};
  for (const Case& c : cases) {
    const Tensor leaf = c.x.detach().requires_grad_();
    const Tensor range = torch::full({1}, 4.0f).requires_grad_();
    const Tensor out = fake_quantize(leaf, range, grid, Activation::kRelu);
    out.backward(c.gradient);
    EXPECT_TRUE(torch::equal(out, expected.out)) << c.name;
    EXPECT_TRUE(torch::equal(leaf.grad(), expected.dx)) << c.name;
    EXPECT_NEAR(range.grad().item<double>(), expected.dr.item<double>(), 1e-4) << c.name;
    if (c.x.is_non_overlapping_and_dense()) {
      EXPECT_EQ(out.strides(), c.x.strides()) << c.name;
    }
  }
}

TEST(FakeQuantizeTest, ThreadsDoNotChangeABit) {
  const Tensor x = normal({300007}, 15, torch::kFloat32);
  const Tensor gradient = normal({300007}, 16, torch::kFloat32);
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const Outcome alone = quantize_once(x, 3, Grid::make(4, true), gradient);
  at::set_num_threads(2);
  const Outcome together = quantize_once(x, 3, Grid::make(4, true), gradient);
  std::atomic<int> chunks = 0;
  at::parallel_for(0, 2, 1, [&](int64_t, int64_t) { ++chunks; });
  at::set_num_threads(before);
  EXPECT_EQ(chunks, 2) << "at::parallel_for is serial: OpenMP is missing";
  EXPECT_TRUE(torch::equal(alone.out, together.out));
  EXPECT_TRUE(torch::equal(alone.dx, together.dx));
  EXPECT_TRUE(torch::equal(alone.dr, together.dr));
  EXPECT_EQ(alone.squares, together.squares);
}

TEST(FakeQuantizeTest, EmptyTensorsPassThrough) {
  for (const auto type : {torch::kFloat32, torch::kFloat64}) {
    const Tensor x = torch::empty({0, 3, 4, 4}, type);
    const Outcome empty =
        quantize_once(x, 2, Grid::make(4, false), torch::empty_like(x), Activation::kRelu);
    EXPECT_EQ(empty.out.sizes(), x.sizes());
    EXPECT_EQ(empty.dx.sizes(), x.sizes());
    EXPECT_EQ(empty.dr.item<double>(), 0);
  }
}

TEST(FakeQuantizeTest, ANegativeOrZeroRangeCountsAsTheFloor) {
  const Tensor x = normal({100}, 17, torch::kFloat32), gradient = torch::ones_like(x);
  const Grid grid = Grid::make(4, true);
  const Outcome floor = quantize_once(x, kRangeFloor, grid, gradient);
  for (const double range : {0.0, -1.0}) {
    const Outcome actual = quantize_once(x, range, grid, gradient);
    EXPECT_TRUE(torch::equal(actual.out, floor.out));
    EXPECT_TRUE(torch::equal(actual.dr, floor.dr));
    EXPECT_TRUE(actual.out.isfinite().all().item<bool>());
  }
}

TEST(FakeQuantizeTest, NonFiniteGradientsAreSkippedAndCounted) {
  for (const auto type : {torch::kFloat32, torch::kFloat64}) {
    const Tensor x = torch::full({30}, 0.3, type).requires_grad_();
    const Tensor range = torch::ones({1}, type).requires_grad_();
    const auto fisher = std::make_shared<FisherEstimate>(1);
    Tensor gradient = torch::ones({30}, type);
    gradient[4] = std::numeric_limits<double>::quiet_NaN();
    gradient[5] = std::numeric_limits<double>::infinity();
    const Tensor out = fake_quantize(x, range, Grid::make(4, true), Activation::kIdentity, fisher);
    out.backward(gradient);
    fisher->end_step(8);
    EXPECT_EQ(fisher->skipped(), 2);
    EXPECT_EQ(fisher->steps(), 0) << "a partial sum is no estimate";
  }
}

TEST(FakeQuantizeTest, SecondDerivativesAreThoseOfTheStraightThroughGradient) {
  // loss = sum(x_hat^3): with the straight-through mask, d2/dx2 = 6 x_hat inside.
  const Grid grid = Grid::make(4, true);
  for (const auto type : {torch::kFloat32, torch::kFloat64}) {
    const Tensor x = normal({200}, 18, type).requires_grad_();
    const Tensor range = torch::full({1}, 3, type).requires_grad_();
    const Tensor out = fake_quantize(x, range, grid);
    const auto first =
        torch::autograd::grad({out.pow(3).sum()}, {x}, {}, true, /*create_graph=*/true);
    const auto second = torch::autograd::grad({first[0].sum()}, {x});
    const Tensor v = x / (3 / grid.K);
    const Tensor inside = (v >= grid.n).logical_and(v <= grid.p);
    EXPECT_TRUE(torch::allclose(second[0], torch::where(inside, 6 * out, torch::zeros_like(x))));
  }
}

TEST(FakeQuantizeTest, WrongNumberOfRangesIsRefused) {
  try {
    fake_quantize(torch::ones({4, 2}), torch::ones({3}), Grid::make(4, true));
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(
        error.what(),
        "fake_quantize: range has 3 elements; expected 1, or one for each of dimension 0 of x");
  }
}

}  // namespace
}  // namespace qbitopt
