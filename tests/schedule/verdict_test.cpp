#include "qbitopt/schedule/verdict.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstring>
#include <fstream>

namespace qbitopt {
namespace {

TEST(VerdictTest, TheEventsCountMoreThanTheWorkersEnd) {
  Evidence evidence;
  evidence.is_finished = true;
  Outcome killed{"key"};
  killed.signal = SIGKILL;
  const AttemptEnd end = judge(evidence, killed);
  EXPECT_EQ(end.state, JobState::kFinished);
  EXPECT_EQ(end.signal, SIGKILL);
}

TEST(VerdictTest, AFailedEventGivesClassAndText) {
  Evidence evidence;
  evidence.failed = Failed{"non_finite", "the loss is nan"};
  Outcome outcome{"key", "failed"};
  outcome.exit_code = 1;
  const AttemptEnd end = judge(evidence, outcome);
  EXPECT_EQ(end.state, JobState::kFailed);
  EXPECT_EQ(end.error_class, "non_finite");
  EXPECT_EQ(end.text, "the loss is nan");
  EXPECT_EQ(end.exit_code, 1);
}

TEST(VerdictTest, AKilledWorkerIsLostAndMayResume) {
  Outcome outcome{"key"};
  outcome.signal = SIGKILL;
  const AttemptEnd end = judge({}, outcome);
  EXPECT_EQ(end.error_class, "lost");
  EXPECT_EQ(end.text, "the worker was killed by signal 9 (Killed)");
}

TEST(VerdictTest, AWorkerThatDiesOfItsOwnMistakeHasCrashed) {
  Outcome outcome{"key"};
  outcome.signal = SIGSEGV;
  const AttemptEnd end = judge({}, outcome);
  EXPECT_EQ(end.error_class, "crashed");
  EXPECT_EQ(end.text, "the worker was killed by signal 11 (Segmentation fault)");
}

TEST(VerdictTest, AnExitWithoutAWordIsReportedWithTheWorkersLastWords) {
  Outcome outcome{"key"};
  outcome.exit_code = 3;
  outcome.last_words = "terminate called";
  EXPECT_EQ(judge({}, outcome).text, "the worker ended with exit status 3: terminate called");
}

TEST(VerdictTest, WhoIsAskedToStopIsInterruptedHoweverHeGoes) {
  Evidence evidence;
  evidence.asked_to_stop = StopLevel::kKill;
  Outcome outcome{"key"};
  outcome.signal = SIGKILL;
  EXPECT_EQ(judge(evidence, outcome).state, JobState::kInterrupted);
  EXPECT_EQ(judge(evidence, outcome).error_class, "");
}

TEST(VerdictTest, AnUnreadableSpoolIsAFailureThoughTheDriverStopsTheWorker) {
  Evidence evidence;
  evidence.spool_error = "events.jsonl:4: type must be number, but is null";
  evidence.asked_to_stop = StopLevel::kKill;
  Outcome outcome{"key"};
  outcome.signal = SIGKILL;
  const AttemptEnd end = judge(evidence, outcome);
  EXPECT_EQ(end.state, JobState::kFailed);
  EXPECT_EQ(end.error_class, "spool");
  EXPECT_EQ(end.text, evidence.spool_error);
}

TEST(VerdictTest, AnUnreadableSpoolOfADeadDriversWorkerIsAnInterruption) {
  Evidence evidence;
  evidence.spool_error = "events.jsonl:4: not an event";
  evidence.is_adopted = true;
  EXPECT_EQ(judge(evidence, {"key"}).state, JobState::kInterrupted);
}

TEST(VerdictTest, WhatTheQueueLostIsJudgedByItsWordUnlessTheSpoolSaysMore) {
  Outcome outcome{"key"};
  outcome.loss = Loss{"lost", "job 3_1 of Slurm is gone from the queue: NODE_FAIL"};
  EXPECT_EQ(judge({}, outcome).state, JobState::kFailed);
  EXPECT_EQ(judge({}, outcome).error_class, "lost");
  EXPECT_EQ(judge({}, outcome).text, outcome.loss->text);
  outcome.loss->error_class = "preempted";
  EXPECT_EQ(judge({}, outcome).state, JobState::kInterrupted);
  outcome.loss->error_class = "";
  EXPECT_EQ(judge({}, outcome).state, JobState::kInterrupted);
  EXPECT_EQ(judge({}, outcome).error_class, "");
  Evidence evidence;
  evidence.is_finished = true;
  EXPECT_EQ(judge(evidence, outcome).state, JobState::kFinished);
}

TEST(VerdictTest, AnAttemptWhoseFolderIsGoneIsLost) {
  Evidence evidence;
  evidence.folder = "/nowhere/1";
  const AttemptEnd end = judge(evidence, {"key", "failed"});
  EXPECT_EQ(end.error_class, "lost");
  EXPECT_EQ(end.text, "/nowhere/1 is missing: the attempt's folder was deleted");
}

TEST(VerdictTest, AFolderThatCannotBeWrittenIsNamedByTheWorkersLastWords) {
  Outcome outcome{"key", "failed"};
  outcome.last_words = "/data/1/lock: Permission denied";
  const AttemptEnd end = judge({}, outcome);
  EXPECT_EQ(end.error_class, "folder");
  EXPECT_EQ(end.text, "/data/1/lock: Permission denied");
}

TEST(VerdictTest, WhoIsInterruptedByOthersIsPreempted) {
  const AttemptEnd end = judge({}, {"key", "interrupted"});
  EXPECT_EQ(end.state, JobState::kInterrupted);
  EXPECT_EQ(end.error_class, "preempted");
}

TEST(VerdictTest, ATimeoutIsAFailureThatMayResume) {
  Evidence evidence;
  evidence.asked_to_stop = StopLevel::kTerminate;
  evidence.timeout_seconds = 1.5;
  const AttemptEnd end = judge(evidence, {"key", "interrupted"});
  EXPECT_EQ(end.state, JobState::kFailed);
  EXPECT_EQ(end.error_class, "timeout");
  EXPECT_EQ(end.text, "exceeded the time limit of 1.5 s (run.timeout)");
}

TEST(VerdictTest, AnAttemptOfADeadDriverIsInterrupted) {
  Evidence evidence;
  evidence.is_adopted = true;
  EXPECT_EQ(judge(evidence, {"key"}).state, JobState::kInterrupted);
}

TEST(VerdictTest, AFullDiskInterruptsAndIsFoundInTheLog) {
  Evidence evidence;
  evidence.folder = ::testing::TempDir();
  std::ofstream(evidence.folder + "/log.txt")
      << "/data/events.jsonl: " << std::strerror(ENOSPC) << "\n\n";
  const AttemptEnd end = judge(evidence, {"key", "failed"});
  EXPECT_EQ(end.state, JobState::kInterrupted);
  EXPECT_EQ(end.error_class, "disk_full");
  EXPECT_EQ(end.text, "/data/events.jsonl: No space left on device");
}

TEST(VerdictTest, AWordWithoutItsEventIsAMistakeOfOurs) {
  const AttemptEnd end = judge({}, {"key", "finished"});
  EXPECT_EQ(end.state, JobState::kFailed);
  EXPECT_EQ(end.error_class, "internal");
  EXPECT_EQ(end.text, "the worker reported that it finished, but its spool has no such event");
}

TEST(VerdictTest, WhoDidNothingWrongGoesOnFromTheCheckpoint) {
  JobRecord record;
  EXPECT_FALSE(may_resume(record));
  record.state = JobState::kInterrupted;
  EXPECT_TRUE(may_resume(record));
  record.state = JobState::kFailed;
  EXPECT_FALSE(may_resume(record));
  for (const char* error_class : {"lost", "timeout"}) {
    record.error_class = error_class;
    EXPECT_TRUE(may_resume(record)) << error_class;
  }
  record.error_class = "non_finite";
  EXPECT_FALSE(may_resume(record));
}

}  // namespace
}  // namespace qbitopt
