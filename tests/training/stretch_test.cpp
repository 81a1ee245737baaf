#include "qbitopt/training/stretch.h"

#include <gtest/gtest.h>

#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

TEST(StretchTest, ASchedulePassesThroughPhasesUnlessOneRestartsIt) {
  const auto stretches = lay_out(
      {{"search", 10}, {"freeze", 20}, {.name = "finetune", .steps = 30, .restart_schedule = true}},
      60);
  ASSERT_EQ(stretches.size(), 3u);
  EXPECT_EQ(stretches[1].begin, 10);
  EXPECT_EQ(stretches[1].schedule_begin, 0);
  EXPECT_EQ(stretches[1].schedule_steps, 30);
  EXPECT_EQ(stretches[2].schedule_begin, 30);
  EXPECT_EQ(stretches[2].schedule_steps, 30);
  EXPECT_EQ(stretch_at(stretches, 0).phase.name, "search");
  EXPECT_EQ(stretch_at(stretches, 9).phase.name, "search");
  EXPECT_EQ(stretch_at(stretches, 10).phase.name, "freeze");
  EXPECT_EQ(stretch_at(stretches, 59).phase.name, "finetune");
}

TEST(StretchTest, PhasesOfAnotherLengthThanTheRecipeAreRefused) {
  EXPECT_THROW(lay_out({{"train", 9}}, 10), JobError);
}

}  // namespace
}  // namespace qbitopt
