#include "qbitopt/sweep/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qbitopt {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Plan plan_of(const std::vector<std::string>& keys) {
  Plan plan;
  for (const std::string& key : keys) plan.jobs.push_back(planned_job(Job{.key = key}));
  return plan;
}

TEST(DifferenceTest, SplitsKeysByWhereTheyAre) {
  const PlanDifference found = difference({"b", "x", "a"}, plan_of({"a", "c", "b"}));
  EXPECT_THAT(found.added, ElementsAre("c"));
  EXPECT_THAT(found.orphaned, ElementsAre("x"));
  EXPECT_THAT(found.kept, ElementsAre("a", "b"));
  EXPECT_THAT(difference({}, plan_of({"a"})).orphaned, IsEmpty());
}

TEST(PlannedJobTest, PutsItsValuesIntoItsShape) {
  auto shape = std::make_shared<JobShape>();
  shape->parameters = {{"method", "fp32"}, {"training.steps", 5}};
  shape->varying = {"seed", "budget.average_bits"};
  shape->axes = {"budget.average_bits", "method"};
  PlannedJob planned{.key = "k", .shape = shape, .values = {3, 2.5}};
  EXPECT_EQ(
      planned.job().parameters,
      Json({{"method", "fp32"}, {"training.steps", 5}, {"seed", 3}, {"budget.average_bits", 2.5}}));
  EXPECT_EQ(planned.axes(), Json({{"method", "fp32"}, {"budget.average_bits", 2.5}}));
  planned.values[1] = Json();
  EXPECT_FALSE(planned.job().parameters.contains("budget.average_bits"));
  EXPECT_EQ(planned.axes(), Json({{"method", "fp32"}}));
}

TEST(PlannedJobTest, AJobMadeByHandComesBackUnchanged) {
  const Job job{.key = "k",
                .config_key = "c",
                .parameters = {{"seed", 3}},
                .versions = {{"method:fp32", 2}},
                .needs = {{"start", "j"}},
                .guarantees_budget = false};
  const PlannedJob planned = planned_job(job, {{"start", "model"}});
  EXPECT_EQ(Json(planned.job()), Json(job));
  EXPECT_EQ(planned.artifacts().at("start"), "model");
}

TEST(JobCursorTest, SaysJobsAsTheySayThemselves) {
  auto shape = std::make_shared<JobShape>();
  shape->parameters = {{"method", "fp32"}};
  shape->varying = {"seed", "budget.average_bits"};
  auto other = std::make_shared<JobShape>();
  other->parameters = {{"method", "qbitopt"}, {"seed", 5}};
  const std::vector<PlannedJob> jobs = {
      {.key = "a", .config_key = std::string("c"), .shape = shape, .values = {3, 2.5}},
      {.key = "b",
       .config_key = std::string("c"),
       .needs = std::map<std::string, std::string>{{"start", "a"}},
       .shape = shape,
       .values = {4, Json()}},
      {.key = "d", .config_key = std::string("e"), .shape = shape, .values = {4, 2.0}},
      {.key = "f", .config_key = std::string("g"), .shape = other},
      {.key = "h", .config_key = std::string("c"), .shape = shape, .values = {1, 3}}};
  JobCursor cursor;
  for (const PlannedJob& job : jobs) EXPECT_EQ(Json(cursor.at(job)), Json(job.job())) << job.key;
}

TEST(PlanJsonTest, CountsCasesAndAxes) {
  auto shape = std::make_shared<JobShape>();
  shape->varying = {"solver"};
  shape->axes = {"solver"};
  Plan plan;
  for (const char* solver : {"exact", "milp", "milp"}) {
    plan.jobs.push_back({.key = solver, .case_name = "a", .shape = shape, .values = {solver}});
  }
  plan.jobs[2].requested = false;
  const Json json = to_json(plan);
  EXPECT_EQ(json["counts"],
            Json::parse(R"({"jobs": 3, "requested": 2, "needed": 1, "least": 3, "most": 3,
                            "cases": {"a": 2}, "axes": {"solver": {"exact": 1, "milp": 1}}})"));
  EXPECT_EQ(to_json(plan.jobs[1])["parameters"], Json({{"solver", "milp"}}));
  EXPECT_EQ(json["metric"]["name"], "top1");
}

}  // namespace
}  // namespace qbitopt
