#include <gtest/gtest.h>

#include "qbitopt/sensitivity/sensitivity.h"

namespace qbitopt {
namespace {

TEST(CostTableTest, IsZeroOnlyWhereNothingCostsAnything) {
  EXPECT_TRUE((CostTable{{{0, 0, 0}, {0}}}.is_zero()));
  EXPECT_FALSE((CostTable{{{0, 0, 0}, {1e-300}}}.is_zero()));
  EXPECT_FALSE((CostTable{{{-1e-9, 0, 0}, {0}}}.is_zero()));
}

}  // namespace
}  // namespace qbitopt
