#include "qbitopt/quant/range_search.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace qbitopt {
namespace {

using torch::Tensor;

Tensor normal_sample(at::IntArrayRef shape, uint64_t seed) {
  auto generator = at::detail::createCPUGenerator(seed);
  return torch::randn(shape, generator, torch::kFloat32);
}

double range_of(const Tensor& x, RangeInit init, const Grid& grid) {
  RangeObserver observer(1);
  observer.observe(x);
  return observer.range(init, grid).item<double>();
}

TEST(RangeSearchTest, MseRangeBeatsAFineSearch) {
  const Tensor x = normal_sample({4000}, 1);
  for (const int bits : {2, 3, 4, 8}) {
    for (const bool is_signed : {true, false}) {
      const Grid grid = Grid::make(bits, is_signed);
      const Tensor values = is_signed ? x : x.relu();
      const double found = mse_range(values, grid);
      const double error = mean_squared_error(values, found, grid);
      const double cover =
          grid.covering_range(values.min().item<double>(), values.max().item<double>());
      for (int i = 1; i <= 1000; ++i) {
        EXPECT_LE(error, 1.002 * mean_squared_error(values, cover * i / 1000, grid))
            << bits << " " << i;
      }
    }
  }
}

// Max (1960): the best uniform quantizers of a Gaussian have steps .9957 (4 levels), .5860 (8) and
// .3352 (16) when their levels lie symmetrically; ours has a level at 0 and one code more below it.
TEST(RangeSearchTest, GaussianRangesAreNearThoseOfMax) {
  EXPECT_NEAR(gaussian_range(Grid::make(3, true)) / 7, 0.5860, 0.08);
  EXPECT_NEAR(gaussian_range(Grid::make(4, true)) / 15, 0.3352, 0.02);
  // The error-optimal widths of 2 and 8 bits differ by about 2.5 times.
  EXPECT_NEAR(gaussian_range(Grid::make(8, true)) / gaussian_range(Grid::make(2, true)), 2.5, 0.3);
}

TEST(RangeSearchTest, MinMaxJustCoversAllBatches) {
  RangeObserver observer(1);
  observer.observe(torch::tensor({-1.0f, 2.0f}));
  observer.observe(torch::tensor({-6.0f, 1.0f}));
  const Grid grid = Grid::make(4, true);  // -8 .. 7
  EXPECT_NEAR(observer.range(RangeInit::kMinMax, grid).item<double>(), 15 * 6.0 / 8, 1e-5);
  EXPECT_NEAR(range_of(torch::tensor({0.0f, 3.0f}), RangeInit::kMinMax, Grid::make(2, false)), 3,
              1e-6);
}

TEST(RangeSearchTest, PercentileLeavesOutTheOutliers) {
  Tensor x = torch::linspace(0, 1, 10000);
  x[9999] = 1000;
  EXPECT_NEAR(range_of(x, RangeInit::kPercentile, Grid::make(8, false)), 0.999, 1e-3);
  const Grid grid = Grid::make(8, true);
  const Tensor both = torch::linspace(-1, 1, 10001);
  EXPECT_NEAR(range_of(both, RangeInit::kPercentile, grid), 0.999 * grid.K / grid.p, 1e-2);
}

TEST(RangeSearchTest, LsqIsItsFormula) {
  const Tensor x = normal_sample({1000}, 2);
  const Grid grid = Grid::make(3, true);
  const double s = 2 * x.abs().mean().item<double>() / std::sqrt(3.0);
  EXPECT_NEAR(range_of(x, RangeInit::kLsq, grid), 7 * s, 1e-5);
}

TEST(RangeSearchTest, ChannelsAreIndependent) {
  const Tensor x = normal_sample({3, 200}, 3) * torch::tensor({1.0f, 10.0f, 0.1f}).view({3, 1});
  RangeObserver observer(3);
  observer.observe(x);
  const Grid grid = Grid::make(4, true);
  const Tensor ranges = observer.range(RangeInit::kMse, grid);
  for (int64_t c = 0; c < 3; ++c) {
    EXPECT_NEAR(ranges[c].item<double>(), mse_range(x[c], grid), 1e-5) << c;
  }
}

TEST(RangeSearchTest, ATensorOfZerosGetsWidthOne) {
  for (const auto init :
       {RangeInit::kMse, RangeInit::kMinMax, RangeInit::kPercentile, RangeInit::kLsq}) {
    EXPECT_EQ(range_of(torch::zeros({10}), init, Grid::make(4, true)), 1);
  }
}

TEST(RangeSearchTest, NonFiniteValuesAreIgnored) {
  Tensor x = normal_sample({1000}, 4);
  x[0] = 0;
  Tensor spoilt = x.clone();
  spoilt[0] = std::numeric_limits<float>::infinity();
  const Grid grid = Grid::make(4, true);
  for (const auto init :
       {RangeInit::kMse, RangeInit::kMinMax, RangeInit::kPercentile, RangeInit::kLsq}) {
    EXPECT_EQ(range_of(spoilt, init, grid), range_of(x, init, grid));
  }
}

TEST(RangeSearchTest, ASampleVisitsAllChannelsOfAChannelsLastTensorAlike) {
  const Tensor channel =
      torch::arange(64).view({1, 64, 1, 1}).expand({8, 64, 32, 32}).to(torch::kFloat32);
  const Tensor sample = spread_sample(channel.contiguous(at::MemoryFormat::ChannelsLast), 6400);
  EXPECT_LE(sample.numel(), 6400);
  EXPECT_GE(sample.numel(), 3000);
  const Tensor counts = torch::bincount(sample.to(torch::kInt64), {}, 64);
  EXPECT_LE((counts.max() - counts.min()).item<int64_t>(), 1);
}

}  // namespace
}  // namespace qbitopt
