#include "qbitopt/schedule/rhythm.h"

#include <gtest/gtest.h>

namespace qbitopt {
namespace {

TEST(RhythmTest, IsPatientForTenTimesTheLongestPause) {
  Rhythm rhythm;
  for (const double time : {100.0, 101.0, 131.0, 132.0}) rhythm.hear(time);
  EXPECT_EQ(rhythm.last(), 132);
  EXPECT_EQ(rhythm.longest(), 30);
  EXPECT_EQ(rhythm.patience(), 300);
}

TEST(RhythmTest, IsPatientForTwoMinutesAtLeast) {
  Rhythm rhythm;
  EXPECT_EQ(rhythm.patience(), 120);
  for (const double time : {100.0, 100.1, 100.2}) rhythm.hear(time);
  EXPECT_EQ(rhythm.patience(), 120);
}

}  // namespace
}  // namespace qbitopt
