#include "qbitopt/sweep/sobol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace qbitopt {
namespace {

using ::testing::ElementsAre;

std::vector<double> point(uint32_t index, int dimensions) {
  std::vector<double> point;
  for (int d = 0; d < dimensions; ++d) point.push_back(sobol(d, index) * 0x1p-32);
  return point;
}

// The first ten points in three dimensions that Joe and Kuo publish with their direction numbers
// (web.maths.unsw.edu.au/~fkuo/sobol).
TEST(SobolTest, FirstPointsAreThePublishedOnes) {
  EXPECT_THAT(point(0, 3), ElementsAre(0, 0, 0));
  EXPECT_THAT(point(1, 3), ElementsAre(0.5, 0.5, 0.5));
  EXPECT_THAT(point(2, 3), ElementsAre(0.75, 0.25, 0.25));
  EXPECT_THAT(point(3, 3), ElementsAre(0.25, 0.75, 0.75));
  EXPECT_THAT(point(4, 3), ElementsAre(0.375, 0.375, 0.625));
  EXPECT_THAT(point(5, 3), ElementsAre(0.875, 0.875, 0.125));
  EXPECT_THAT(point(6, 3), ElementsAre(0.625, 0.125, 0.875));
  EXPECT_THAT(point(7, 3), ElementsAre(0.125, 0.625, 0.375));
  EXPECT_THAT(point(8, 3), ElementsAre(0.1875, 0.3125, 0.9375));
  EXPECT_THAT(point(9, 3), ElementsAre(0.6875, 0.8125, 0.4375));
}

// torch.quasirandom.SobolEngine(16), in 64ths: the direction numbers of all dimensions.
TEST(SobolTest, LaterPointsAreThoseOfPyTorchInAllDimensions) {
  const auto in_64ths = [](uint32_t index) {
    std::vector<uint32_t> point;
    for (int d = 0; d < kSobolDimensions; ++d) point.push_back(sobol(d, index) >> 26);
    return point;
  };
  EXPECT_THAT(in_64ths(10),
              ElementsAre(60, 4, 44, 12, 20, 36, 12, 12, 12, 36, 28, 52, 44, 44, 4, 44));
  EXPECT_THAT(in_64ths(33),
              ElementsAre(35, 49, 13, 3, 41, 27, 19, 11, 31, 35, 57, 29, 61, 31, 31, 39));
  EXPECT_THAT(in_64ths(63),
              ElementsAre(1, 51, 23, 29, 55, 9, 37, 9, 53, 37, 27, 43, 35, 49, 21, 49));
}

TEST(SobolTest, EveryIntervalOfEveryCoordinateHoldsOnePoint) {
  for (int d = 0; d < kSobolDimensions; ++d) {
    std::set<uint32_t> intervals;
    for (uint32_t i = 0; i < 1024; ++i) intervals.insert(sobol(d, i) >> 22);
    EXPECT_EQ(intervals.size(), 1024u) << "dimension " << d;
  }
}

}  // namespace
}  // namespace qbitopt
