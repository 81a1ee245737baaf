#include "qbitopt/methods/allocation_method.h"

#include <gmock/gmock.h>

#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

// `freeze`: of batch norm; -1: never.
std::vector<int64_t> due(const ReallocationSchedule& schedule, int64_t total, int64_t freeze = -1) {
  std::vector<int64_t> steps;
  for (int64_t done = 1; done <= total; ++done) {
    if (schedule.is_due({done, total, freeze < 0 ? total : freeze})) steps.push_back(done);
  }
  return steps;
}

TEST(ReallocationScheduleTest, EveryTauStepsAsLongAsTauStepsRemain) {
  EXPECT_EQ(due({.tau = 40}, 400).size(), 9u);
  EXPECT_EQ(due({.tau = 40}, 400).back(), 360);
  EXPECT_THAT(due({.tau = 3}, 10), ::testing::ElementsAre(3, 6));
  EXPECT_TRUE(due({.tau = 250}, 400).empty());
}

TEST(ReallocationScheduleTest, EndsAtAFractionOfTheSteps) {
  EXPECT_EQ(due({.tau = 40, .until = 0.5}, 400).back(), 200);
  EXPECT_TRUE(due({.tau = 40, .until = 0}, 400).empty());
}

TEST(ReallocationScheduleTest, NoneOnceBatchNormIsFrozen) {
  EXPECT_THAT(due({.tau = 16}, 160, 112), ::testing::ElementsAre(16, 32, 48, 64, 80, 96));
  EXPECT_TRUE(due({.tau = 16}, 160, 0).empty());
  EXPECT_EQ(due({.tau = 16, .until = 1}, 160, 112).back(), 144);
}

TEST(ReallocationScheduleTest, NoneAtATinyLearningRate) {
  const ReallocationSchedule schedule{.tau = 10};
  EXPECT_TRUE(schedule.is_due({10, 100, 100, 0.05}));
  EXPECT_FALSE(schedule.is_due({10, 100, 100, 0.049}));
  const ReallocationSchedule to_the_end{.tau = 10, .until = 1};
  EXPECT_TRUE(to_the_end.is_due({90, 100, 100, 0.001}));
}

TEST(RegisterMethodsTest, RangesThatDependOnTheBitsAreForMethodsThatKeepThem) {
  MethodRegistry methods("method");
  register_methods(methods);
  try {
    methods.make("static_allocation", Parameters({{"sensitivity", "fit"},
                                                  {"solver", "exact"},
                                                  {"quantizers.range_init", "lsq"}}));
    FAIL() << "expected InputError";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("take mse, minmax or percentile"));
  }
}

TEST(RegisterMethodsTest, AnUnknownSolverListsTheKnownOnes) {
  MethodRegistry methods("method");
  register_methods(methods);
  try {
    methods.make("static_allocation", Parameters({{"sensitivity", "fit"}, {"solver", "gredy"}}));
    FAIL() << "expected InputError";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("known solvers: exact"));
  }
}

}  // namespace
}  // namespace qbitopt
