#include "qbitopt/schedule/worker_count.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace qbitopt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Lets workers run as `counted` allows, each at so many steps per second, until a number is chosen
// or `seconds` have passed. Returns the limits that it went through.
std::vector<int> limits_of(WorkerCount& counted, const std::function<double(int workers)>& speed,
                           std::string& decision, double seconds = 1000) {
  std::vector<int> limits;
  double now = 1000;
  std::map<int, double> steps;
  for (const double end = now + seconds; now < end; now += 1) {
    const int workers = counted.limit();
    if (limits.empty() || limits.back() != workers) limits.push_back(workers);
    counted.set_running(workers, now);
    for (int worker = 0; worker < workers; ++worker) {
      steps[worker] += speed(workers);
      counted.hear(std::to_string(worker), "kind",
                   {1, now, Metrics{static_cast<int64_t>(steps[worker]), "train", {}}});
    }
    if (const auto text = counted.take_decision()) {
      decision = *text;
      break;
    }
  }
  return limits;
}

TEST(WorkerCountTest, BeginsWithHalfOfThemAndKeepsAllIfThatIsFastest) {
  WorkerCount counted(4);
  std::string decision;
  EXPECT_THAT(limits_of(
                  counted, [](int workers) { return 8.0 - workers; }, decision),
              ElementsAre(2, 3, 4));
  EXPECT_EQ(counted.limit(), 4);
  EXPECT_EQ(decision,
            "4 jobs at a time: training steps per second, all together: 12 with 2, 15 with 3, 16 "
            "with 4");
}

TEST(WorkerCountTest, KeepsFewerIfTheyAreFasterTogether) {
  WorkerCount counted(4);
  std::string decision;
  limits_of(
      counted, [](int workers) { return workers == 4 ? 4.0 : 8.0; }, decision);
  EXPECT_EQ(counted.limit(), 3);
  EXPECT_THAT(decision, HasSubstr("3 jobs at a time, which is faster than more"));
  EXPECT_THAT(decision, HasSubstr("16 with 2, 24 with 3, 16 with 4"));
}

TEST(WorkerCountTest, ASmallDifferenceMayBeNoise) {
  WorkerCount counted(2);
  std::string decision;
  limits_of(
      counted, [](int workers) { return workers == 1 ? 100.0 : 49.5; }, decision);
  EXPECT_EQ(counted.limit(), 2);
}

TEST(WorkerCountTest, JobsOfDifferentKindsAreNotCompared) {
  WorkerCount counted(2, {.seconds = 1, .steps = 1});
  for (int workers = 1; workers <= 2; ++workers) {
    counted.set_running(workers, 100.0 * workers);
    for (int step = 1; step <= 10; ++step) {
      for (int worker = 0; worker < workers; ++worker)
        counted.hear(
            std::to_string(worker), std::to_string(workers),
            {1, 100.0 * workers + step, Metrics{workers == 1 ? 50 * step : step, "train", {}}});
    }
  }
  EXPECT_FALSE(counted.take_decision());
  EXPECT_EQ(counted.limit(), 2);
}

TEST(WorkerCountTest, StepsAcrossAChangeOfTheirNumberDoNotCount) {
  WorkerCount counted(2, {.seconds = 5, .steps = 1});
  counted.set_running(1, 10);
  counted.hear("a", "", {1, 11, Metrics{1, "train", {}}});
  counted.set_running(2, 12);
  counted.set_running(1, 13);
  counted.hear("a", "", {2, 20, Metrics{2, "train", {}}});
  EXPECT_EQ(counted.limit(), 1) << "nine seconds passed, but not with one worker all the time";
  counted.hear("a", "", {3, 26, Metrics{3, "train", {}}});
  EXPECT_EQ(counted.limit(), 2);
}

TEST(WorkerCountTest, AnEvaluationBetweenTwoStepsDoesNotCount) {
  WorkerCount counted(2, {.seconds = 5, .steps = 1});
  counted.set_running(1, 10);
  counted.hear("a", "", {1, 11, Metrics{1, "train", {}}});
  counted.hear("a", "", {2, 12, Metrics{1, "validation", {}}});
  counted.hear("a", "", {3, 20, Metrics{2, "train", {}}});
  EXPECT_EQ(counted.limit(), 1);
}

TEST(WorkerCountTest, JobsTooShortToBeMeasuredRunAllAtOnce) {
  WorkerCount counted(2);
  for (int job = 0; job < 2 * 1 + 1; ++job) counted.hear_end(std::to_string(job));
  EXPECT_EQ(counted.limit(), 2);
  for (int job = 0; job < 2 * 2 + 1; ++job) counted.hear_end(std::to_string(job));
  EXPECT_EQ(counted.limit(), 2);
  EXPECT_FALSE(counted.take_decision());
}

}  // namespace
}  // namespace qbitopt
