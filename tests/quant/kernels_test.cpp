#include "qbitopt/quant/kernels/kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "qbitopt/core/random.h"
#include "qbitopt/quant/grid.h"

namespace qbitopt::kernels {
namespace {

constexpr Activation kActivations[] = {Activation::kIdentity, Activation::kRelu,
                                       Activation::kRelu6};

Constants constants(const Grid& grid, float range) {
  const auto K = static_cast<float>(grid.K);
  return {range / K, K / range, static_cast<float>(grid.n), static_cast<float>(grid.p)};
}

std::vector<Grid> grids() {
  std::vector<Grid> grids;
  for (const int bits : {2, 3, 8}) {
    grids.push_back(Grid::make(bits, true));
    grids.push_back(Grid::make(bits, true, SignedGrid::kSymmetric));
    grids.push_back(Grid::make(bits, false));
  }
  return grids;
}

std::vector<float> normal_values(int64_t count, std::string_view purpose) {
  Random random(1, purpose);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(3 * random.normal());
  for (int64_t i = 0; i < count; i += 7)
    values[i] = static_cast<float>(i % 3);  // exact zeros, codes
  return values;
}

// The definition, element by element.
struct Plain {
  float out, dx;
  double range, square;
};
Plain plain(float x, float gradient, const Constants& c, Activation activation) {
  float a = x;
  bool open = true;
  if (activation != Activation::kIdentity) a = std::fmax(x, 0.0f), open = x > 0;
  if (activation == Activation::kRelu6) a = std::fmin(a, 6.0f), open = open && x < 6;
  const float v = a * c.inverse_scale;
  const bool inside = c.n <= v && v <= c.p;
  const float code = std::nearbyint(std::fmin(std::fmax(v, c.n), c.p));
  const bool counted = inside && (c.n < 0 || v > 0);
  return {c.scale * code, inside && open ? gradient : 0.0f,
          gradient * (inside ? code - v : (v < c.n ? c.n : c.p)),
          counted ? double{gradient * gradient} : 0.0};
}

TEST(KernelsTest, TheLastOneRunsEverywhere) {
  EXPECT_STREQ(available_kernels().back().name, "baseline");
}

TEST(KernelsTest, EveryInstructionSetEqualsThePlainLoop) {
  for (const Kernels& kernels : available_kernels()) {
    for (const int64_t count : {0, 1, 15, 16, 17, 33, 1023, 1024, 5001}) {
      const auto x = normal_values(count, "x"), gradient = normal_values(count, "gradient");
      for (const Grid& grid : grids()) {
        for (const Activation activation : kActivations) {
          SCOPED_TRACE(testing::Message()
                       << kernels.name << ", " << count << " elements, codes " << grid.n << " to "
                       << grid.p << ", activation " << static_cast<int>(activation));
          const Constants c = constants(grid, 5.3f);
          std::vector<float> out(count), dx(count);
          kernels.forward(x.data(), out.data(), count, c, activation);
          const GradientSums sums =
              kernels.backward(x.data(), gradient.data(), dx.data(), count, c, activation);
          double range = 0, magnitude = 1e-30, squares = 0;
          for (int64_t i = 0; i < count; ++i) {
            const Plain expected = plain(x[i], gradient[i], c, activation);
            ASSERT_EQ(out[i], expected.out) << "x = " << x[i];
            ASSERT_EQ(dx[i], expected.dx) << "x = " << x[i];
            range += expected.range;
            magnitude += std::abs(expected.range);
            squares += expected.square;
          }
          EXPECT_NEAR(sums.range, range, 2e-6 * magnitude);
          EXPECT_NEAR(sums.squares, squares, 2e-6 * squares);
          EXPECT_EQ(sums.skipped, 0);
        }
      }
    }
  }
}

TEST(KernelsTest, AllInstructionSetsGiveTheSameBits) {
  const int64_t count = 10007;
  const auto x = normal_values(count, "x"), gradient = normal_values(count, "gradient");
  for (const Grid& grid : grids()) {
    for (const Activation activation : kActivations) {
      const Constants c = constants(grid, 2.7f);
      std::vector<float> dx(count);
      const Kernels& plainest = available_kernels().back();
      const GradientSums expected =
          plainest.backward(x.data(), gradient.data(), dx.data(), count, c, activation);
      for (const Kernels& kernels : available_kernels()) {
        const GradientSums sums =
            kernels.backward(x.data(), gradient.data(), dx.data(), count, c, activation);
        EXPECT_EQ(sums.range, expected.range) << kernels.name;
        EXPECT_EQ(sums.squares, expected.squares) << kernels.name;
        EXPECT_EQ(kernels.squared_error(x.data(), count, c),
                  plainest.squared_error(x.data(), count, c))
            << kernels.name;
      }
    }
  }
}

TEST(KernelsTest, SquaredErrorIsThatOfForward) {
  const auto x = normal_values(3001, "x");
  for (const Kernels& kernels : available_kernels()) {
    for (const Grid& grid : grids()) {
      const Constants c = constants(grid, 4);
      double expected = 0;
      for (const float value : x) {
        const double error = value - plain(value, 0, c, Activation::kIdentity).out;
        expected += error * error;
      }
      EXPECT_NEAR(kernels.squared_error(x.data(), x.size(), c), expected, 2e-6 * expected);
    }
  }
}

TEST(KernelsTest, NonFiniteGradientsInsideTheGridAreLeftOutOfTheSquaresAndCounted) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> x(40, 0.5f), gradient(40, 1.0f), dx(40);
  x[0] = 100;  // outside: masked, whatever its gradient
  gradient[0] = nan;
  gradient[3] = nan;
  gradient[20] = -infinity;
  gradient[39] = 1e30f;  // finite, but its square is not
  for (const Kernels& kernels : available_kernels()) {
    const GradientSums sums =
        kernels.backward(x.data(), gradient.data(), dx.data(), 40,
                         constants(Grid::make(4, true), 4), Activation::kIdentity);
    EXPECT_EQ(sums.skipped, 3) << kernels.name;
    EXPECT_EQ(sums.squares, 36) << kernels.name;
    EXPECT_EQ(dx[0], 0);
    EXPECT_TRUE(std::isnan(dx[3]));
    EXPECT_EQ(dx[20], -infinity);
  }
}

TEST(KernelsTest, NanPassesThroughForward) {
  for (const Kernels& kernels : available_kernels()) {
    for (const Activation activation : kActivations) {
      std::vector<float> x(20, std::numeric_limits<float>::quiet_NaN()), out(20);
      kernels.forward(x.data(), out.data(), 20, constants(Grid::make(4, false), 4), activation);
      EXPECT_TRUE(std::isnan(out[0]) && std::isnan(out[19])) << kernels.name;
    }
  }
}

}  // namespace
}  // namespace qbitopt::kernels
