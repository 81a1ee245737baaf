#include "qbitopt/sweep/selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qbitopt {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> keys(const Plan& plan) {
  std::vector<std::string> keys;
  for (const PlannedJob& job : plan.jobs) keys.push_back(job.key);
  return keys;
}

Plan chain() {
  Plan plan;
  plan.sweep_name = "s";
  for (const char* key : {"a", "b", "c", "d"}) plan.jobs.push_back(planned_job(Job{.key = key}));
  plan.jobs[1].needs = std::map<std::string, std::string>{{"start", "a"}};
  plan.jobs[2].needs = std::map<std::string, std::string>{{"start", "b"}, {"teacher", "elsewhere"}};
  return plan;
}

TEST(SelectionTest, TakesWhatTheChosenNeedInTheOrderOfThePlan) {
  const auto only = [](const std::string& key) {
    return selected(chain(), [&](const PlannedJob& job) { return job.key == key; });
  };
  EXPECT_THAT(keys(only("c")), ElementsAre("a", "b", "c"));
  EXPECT_THAT(keys(only("d")), ElementsAre("d"));
  EXPECT_THAT(keys(only("e")), IsEmpty());
  EXPECT_EQ(only("d").sweep_name, "s");
}

TEST(SelectionTest, ListsCasesOnce) {
  Plan plan = chain();
  plan.jobs[0].case_name = "two";
  plan.jobs[1].case_name = "one";
  plan.jobs[1].other_cases = {"two", "three"};
  EXPECT_THAT(case_names(plan), ElementsAre("two", "one", "three"));
  EXPECT_THAT(case_names(chain()), IsEmpty());
}

}  // namespace
}  // namespace qbitopt
