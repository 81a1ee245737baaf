#include "qbitopt/quant/grid.h"

#include <gtest/gtest.h>

namespace qbitopt {
namespace {

struct Expected {
  int bits;
  bool is_signed;
  SignedGrid signed_grid;
  double n, p, K;
};

TEST(GridTest, CodesAndStepsAreThoseOfTheDefinition) {
  const Expected cases[] = {
      {1, false, SignedGrid::kFull, 0, 1, 1},        {2, false, SignedGrid::kFull, 0, 3, 3},
      {8, false, SignedGrid::kFull, 0, 255, 255},    {2, true, SignedGrid::kFull, -2, 1, 3},
      {4, true, SignedGrid::kFull, -8, 7, 15},       {8, true, SignedGrid::kFull, -128, 127, 255},
      {2, true, SignedGrid::kSymmetric, -1, 1, 2},   {4, true, SignedGrid::kSymmetric, -7, 7, 14},
      {4, false, SignedGrid::kSymmetric, 0, 15, 15},
  };
  for (const Expected& expected : cases) {
    const Grid grid = Grid::make(expected.bits, expected.is_signed, expected.signed_grid);
    EXPECT_EQ(grid.n, expected.n) << expected.bits;
    EXPECT_EQ(grid.p, expected.p) << expected.bits;
    EXPECT_EQ(grid.K, expected.K) << expected.bits;
    EXPECT_EQ(grid.p - grid.n, grid.K) << "the width reaches from the lowest to the highest code";
  }
}

TEST(GridTest, CoveringRangeReachesTheFartherEnd) {
  const Grid full = Grid::make(2, true);             // codes -2 .. 1
  EXPECT_DOUBLE_EQ(full.covering_range(-1, 1), 3);   // the upper end decides: s = 1
  EXPECT_DOUBLE_EQ(full.covering_range(-4, 1), 6);   // the lower end decides: s = 2
  EXPECT_DOUBLE_EQ(full.covering_range(0.5, 1), 3);  // 0 is always on the grid
  EXPECT_DOUBLE_EQ(Grid::make(3, false).covering_range(-9, 5), 5);
  EXPECT_DOUBLE_EQ(Grid::make(3, false).covering_range(-9, -1), 0);
}

}  // namespace
}  // namespace qbitopt
