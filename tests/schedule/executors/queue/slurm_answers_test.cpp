#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "qbitopt/schedule/executors/queue/batch_system.h"

namespace qbitopt {
namespace {

CallResult answer(const std::string& out, int exit_code = 0, const std::string& err = "") {
  CallResult result;
  result.out = out;
  result.err = err;
  result.exit_code = exit_code;
  return result;
}

TEST(SlurmAnswersTest, LimitsAreThoseOfItsConfiguration) {
  const auto limits = make_slurm({})->limits(answer(
      "MaxArraySize            = 5\nMaxJobCount             = 10000\nMinJobAge = 300 sec\n"));
  EXPECT_EQ(limits.array, 5);
  EXPECT_EQ(limits.queued, 1000) << "nobody has more than that in the queue without need";
}

// As squeue of Slurm 22.05 prints them.
TEST(SlurmAnswersTest, JobsAreReadWithTheirTasksAndReasons) {
  const auto status = make_slurm({})->status(
      answer("3_2|PENDING|Resources|qbitopt-1\n1|CANCELLED|JobArrayTaskLimit|job.sh\n"
             "3_1|RUNNING|None|qbitopt-1\n3_0|COMPLETED|None|qbitopt-1\n9|RUNNING|None|a|b c\n"),
      {"3"});
  ASSERT_TRUE(status);
  EXPECT_TRUE(status->rows.at({"3", 2}).is_pending);
  EXPECT_EQ(status->rows.at({"3", 2}).reason, "Resources");
  EXPECT_EQ(status->rows.at({"3", 1}).state, "RUNNING");
  EXPECT_FALSE(status->rows.at({"3", 1}).is_over);
  EXPECT_TRUE(status->rows.at({"3", 0}).is_over);
  EXPECT_EQ(status->ids.at("qbitopt-1"), "3");
  EXPECT_EQ(status->ids.at("a|b c"), "9");
}

TEST(SlurmAnswersTest, WhatIsNotAListOfJobsIsNoAnswer) {
  const auto slurm = make_slurm({});
  EXPECT_TRUE(slurm->status(answer("\n"), {})) << "no jobs";
  EXPECT_FALSE(slurm->status(answer("slurm_load_jobs error\n"), {}));
  EXPECT_FALSE(slurm->status(answer("3_1|RUNNING|None|a\n3_2|RUNN"), {})) << "cut short";
  EXPECT_FALSE(slurm->status(answer("", 1), {}));
  CallResult late = answer("");
  late.timed_out = true;
  EXPECT_FALSE(slurm->status(late, {}));
}

TEST(SlurmAnswersTest, SubmissionsAreAcceptedRefusedHeldBackOrUnclear) {
  using Kind = SubmitAnswer::Kind;
  const auto slurm = make_slurm({});
  EXPECT_EQ(slurm->submitted(answer("1234\n")).id, "1234");
  EXPECT_EQ(slurm->submitted(answer("1234;cluster\n")).id, "1234");
  EXPECT_EQ(slurm->submitted(answer("Submitted, perhaps\n")).kind, Kind::kUnclear);
  const std::pair<const char*, Kind> errors[] = {
      {"Batch job submission failed: Invalid partition name specified", Kind::kRefused},
      {"Batch job submission failed: Invalid job array specification", Kind::kRefused},
      {"AssocMaxSubmitJobLimit\nBatch job submission failed: Job violates accounting/QOS policy "
       "(job "
       "submit limit, user's size and/or time limits)",
       Kind::kFull},
      {"QOSMaxSubmitJobPerUserLimit", Kind::kFull},
      {"Slurm temporarily unable to accept job, sleeping and retrying", Kind::kFull},
      {"Unable to contact slurm controller (connect failure)", Kind::kUnclear},
      {"Socket timed out on send/recv operation", Kind::kUnclear},
  };
  for (const auto& [text, kind] : errors)
    EXPECT_EQ(slurm->submitted(answer("", 1, std::string("sbatch: error: ") + text)).kind, kind)
        << text;
}

TEST(SlurmAnswersTest, SacctExplainsIfItCan) {
  const auto slurm = make_slurm({});
  EXPECT_EQ(slurm->explanation(answer("NODE_FAIL\n")), "NODE_FAIL");
  EXPECT_EQ(slurm->explanation(answer("CANCELLED by 1000\n")), "CANCELLED by 1000");
  EXPECT_EQ(slurm->explanation(answer("RUNNING\n")), "");
  EXPECT_EQ(slurm->explanation(answer("", 1, "Slurm accounting storage is disabled")), "");
}

TEST(SlurmAnswersTest, TheLimitsOfTheChosenPartitionAreRead) {
  const std::string text =
      "MaxArraySize            = 1001\nMaxJobCount             = 500\n"
      "PartitionName=day Default=YES DefaultTime=01:00:00 MaxTime=1-00:00:00 State=UP\n"
      "PartitionName=free Default=NO DefaultTime=NONE MaxTime=UNLIMITED State=UP\n";
  const auto limits_of = [&](const std::string& partition, std::vector<std::string> options = {}) {
    return make_slurm({.partition = partition, .options = std::move(options)})
        ->limits(answer(text));
  };
  const BatchSystem::Limits day = limits_of("");
  EXPECT_EQ(day.array, 1001);
  EXPECT_EQ(day.queued, 500);
  EXPECT_EQ(day.partition, "day");
  EXPECT_EQ(day.minutes, 24 * 60);
  EXPECT_EQ(day.default_minutes, 60);
  EXPECT_EQ(limits_of("free").partition, "free");
  EXPECT_EQ(limits_of("free").minutes, 0);
  EXPECT_EQ(limits_of("free").default_minutes, 0);
  EXPECT_EQ(limits_of("day,free").minutes, 0) << "either may be meant";
  EXPECT_EQ(limits_of("", {"--partition=free"}).minutes, 0);
}

TEST(SlurmAnswersTest, TheSignalComesWithinTheTimeThatAJobHas) {
  QueueBatch batch;
  batch.tasks.resize(2);
  const auto header = [&](int64_t minutes) {
    BatchNeeds needs;
    needs.minutes = needs.granted_minutes = minutes;
    return make_slurm({})->header(batch, needs);
  };
  EXPECT_THAT(header(0), ::testing::HasSubstr("--signal=B:USR1@300\n"));
  EXPECT_THAT(header(60), ::testing::HasSubstr("--signal=B:USR1@300\n"));
  EXPECT_THAT(header(8), ::testing::HasSubstr("--signal=B:USR1@120\n"));
}

}  // namespace
}  // namespace qbitopt
