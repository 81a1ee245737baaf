#include "qbitopt/schedule/job_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "qbitopt/core/error.h"
#include "schedule/map_store.h"

namespace qbitopt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::named_job;

Plan plan_of(const std::vector<Job>& jobs) {
  Plan plan;
  for (const Job& job : jobs) plan.jobs.push_back(planned_job(job));
  return plan;
}

std::vector<size_t> take_all(JobQueue& queue, int room = 100) {
  std::vector<size_t> taken;
  while (const auto job = queue.take([&](size_t job) { return queue.threads(job) <= room; })) {
    taken.push_back(*job);
  }
  return taken;
}

const Json kTwoThreads = {{"training.threads", 2}};

TEST(JobQueueTest, KeepsThePlansOrder) {
  const Plan plan = plan_of({named_job("a"), named_job("b"), named_job("c")});
  JobQueue queue(plan, std::vector<JobRecord>(3));
  EXPECT_THAT(take_all(queue), ElementsAre(0, 1, 2));
  EXPECT_FALSE(queue.has_ready());
}

TEST(JobQueueTest, AJobThatOthersNeedGoesFirstAndLetsThemFollow) {
  const Plan plan =
      plan_of({named_job("alone"), named_job("child", {}, {{"start", sha256("parent")}}),
               named_job("parent")});
  JobQueue queue(plan, std::vector<JobRecord>(3));
  EXPECT_THAT(take_all(queue), ElementsAre(2, 0));
  queue.finish(2);
  EXPECT_THAT(take_all(queue), ElementsAre(1));
}

TEST(JobQueueTest, MoreThreadsGoFirstAndNarrowJobsFillWhatIsLeft) {
  const Plan plan = plan_of({named_job("narrow"), named_job("wide", kTwoThreads)});
  {
    JobQueue queue(plan, std::vector<JobRecord>(2));
    EXPECT_THAT(take_all(queue), ElementsAre(1, 0));
  }
  JobQueue queue(plan, std::vector<JobRecord>(2));
  EXPECT_THAT(take_all(queue, /*room=*/1), ElementsAre(0));
}

TEST(JobQueueTest, AWideJobThatOthersNeedIsNotOvertaken) {
  const Plan plan = plan_of({named_job("narrow"), named_job("wide", kTwoThreads),
                             named_job("child", {}, {{"start", sha256("wide")}})});
  JobQueue queue(plan, std::vector<JobRecord>(3));
  EXPECT_THAT(take_all(queue, /*room=*/1), ElementsAre());
  EXPECT_THAT(take_all(queue, /*room=*/2), ElementsAre(1, 0));
}

TEST(JobQueueTest, WhateverNeedsAFailedJobIsBlocked) {
  const Plan plan = plan_of({named_job("a"), named_job("b", {}, {{"start", sha256("a")}}),
                             named_job("c", {}, {{"start", sha256("b")}}), named_job("d")});
  JobQueue queue(plan, std::vector<JobRecord>(4));
  ASSERT_EQ(queue.take([](size_t) { return true; }), 0u);
  EXPECT_THAT(queue.fail(0), ElementsAre(1, 2));
  EXPECT_THAT(take_all(queue), ElementsAre(3));
  EXPECT_EQ(queue.count(JobQueue::Status::kBlocked), 2u);
}

TEST(JobQueueTest, TakesTheRecordIntoAccount) {
  const Plan plan =
      plan_of({named_job("a"), named_job("b", {}, {{"start", sha256("a")}}), named_job("c"),
               named_job("d", {}, {{"start", sha256("c")}}), named_job("e")});
  std::vector<JobRecord> records(5);
  records[0].state = JobState::kFinished;
  records[2].state = JobState::kFailed;
  records[4].state = JobState::kRunning;
  JobQueue queue(plan, records);
  EXPECT_THAT(take_all(queue), ElementsAre(1));
  EXPECT_EQ(queue.status(3), JobQueue::Status::kBlocked);
  EXPECT_EQ(queue.status(4), JobQueue::Status::kTaken);
  queue.put_back(4);
  EXPECT_THAT(take_all(queue), ElementsAre(4));
}

TEST(JobQueueTest, RefusesANeedThatIsNotInThePlan) {
  const Plan plan = plan_of({named_job("b", {}, {{"start", std::string(64, '7')}})});
  try {
    JobQueue queue(plan, std::vector<JobRecord>(1));
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("needs job 7777777777 (start), which is not in the plan"));
  }
}

TEST(JobQueueTest, ThreadsComeFromTheRecipe) {
  EXPECT_EQ(threads_of(named_job("a")), 1);
  EXPECT_EQ(threads_of(named_job("a", {{"training.threads", 3}})), 3);
  EXPECT_EQ(threads_of(named_job("a", {{"pretraining.threads", 4}})), 4);
}

}  // namespace
}  // namespace qbitopt
