#include "qbitopt/core/random.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace qbitopt {
namespace {

TEST(RandomTest, DependsOnEveryPartOfTheKey) {
  const uint64_t base = Random(1, "order", 2, 3).next();
  EXPECT_EQ(base, Random(1, "order", 2, 3).next());
  EXPECT_NE(base, Random(2, "order", 2, 3).next());
  EXPECT_NE(base, Random(1, "augment", 2, 3).next());
  EXPECT_NE(base, Random(1, "order", 3, 3).next());
  EXPECT_NE(base, Random(1, "order", 2, 4).next());
  EXPECT_NE(Random(1, "order", 2, 3).next(), Random(1, "order", 3, 2).next());
}

TEST(RandomTest, UniformAndNormalHaveTheirMoments) {
  Random random(7, "moments");
  constexpr int kDraws = 200000;
  double mean = 0, square = 0, normal_mean = 0, normal_square = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double u = random.uniform(), z = random.normal();
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    mean += u, square += u * u, normal_mean += z, normal_square += z * z;
  }
  EXPECT_NEAR(mean / kDraws, 0.5, 0.005);
  EXPECT_NEAR(square / kDraws, 1.0 / 3, 0.005);
  EXPECT_NEAR(normal_mean / kDraws, 0, 0.01);
  EXPECT_NEAR(normal_square / kDraws, 1, 0.02);
}

TEST(RandomTest, APermutationHoldsEveryIndexOnce) {
  std::vector<int64_t> order = Random(3, "order").permutation(1000);
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
  std::sort(order.begin(), order.end());
  for (int64_t i = 0; i < 1000; ++i) ASSERT_EQ(order[i], i);
}

}  // namespace
}  // namespace qbitopt
