// The scheduler with real processes: a worker without tensors that does as it is told.
#include "qbitopt/sweep/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <fstream>

#include "qbitopt/sweep/executors/local.h"
#include "sweep/map_store.h"
#include "sweep/temporary_folder.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::MapStore;
using testing::named_job;

Json rule(const std::string& job, Json what) {
  what["where"] = {{"name", job}};
  return what;
}

class SchedulerTest : public ::testing::Test, public RunObserver {
 protected:
  SchedulerTest() {
    fs::remove_all(runs_);
    fs::create_directories(runs_);
    options_.runs_folder = runs_;
    local_.worker = QBITOPT_FAKE_WORKER;
    local_.lock_file = runs_ / "workers.lock";
    local_.cores = 2;
    local_.grace = std::chrono::milliseconds(300);
  }
  ~SchedulerTest() override { ::unsetenv("FAKE_WORKER"); }

  void add(const Job& job, const std::map<std::string, std::string>& artifacts = {}) {
    plan_.jobs.push_back(planned_job(job, artifacts));
  }
  template <typename... Rules>
  RunSummary run(const Rules&... rule) {
    Json rules = Json::array();
    (rules.push_back(rule), ...);
    ::setenv("FAKE_WORKER", rules.dump().c_str(), 1);
    LocalExecutor executor(local_);
    return Scheduler(plan_, executor, store_, *this, options_).run();
  }
  const AttemptEnd& last_end(const std::string& name) {
    return store_.ends.at(sha256(name)).back();
  }

  void on_started(const PlannedJob& job, const Attempt&) override {
    most_at_once_ = std::max(most_at_once_, ++at_once_);
  }
  void on_ended(const PlannedJob&, const Attempt&, const AttemptEnd&, bool) override { --at_once_; }

  const TemporaryFolder temporary_;
  fs::path runs_ = temporary_.path();
  Plan plan_;
  MapStore store_;
  SchedulerOptions options_;
  LocalExecutorOptions local_;
  int at_once_ = 0;
  int most_at_once_ = 0;
};

TEST_F(SchedulerTest, RunsEveryJobOnceAndThenFindsAllOfThemCached) {
  for (const char* name : {"a", "b", "c", "d"}) add(named_job(name));
  const RunSummary first = run();
  EXPECT_EQ(first.finished, 4u);
  EXPECT_EQ(first.unfinished, 0u);
  EXPECT_EQ(store_.begun.size(), 4u);
  EXPECT_EQ(most_at_once_, 2);
  for (const auto& [key, events] : store_.events) {
    for (size_t i = 0; i < events.size(); ++i)
      EXPECT_EQ(events[i].number, static_cast<int64_t>(i) + 1);
    EXPECT_TRUE(std::holds_alternative<Finished>(events.back().body));
  }
  const RunSummary second = run();
  EXPECT_EQ(second.cached, 4u);
  EXPECT_EQ(second.finished, 0u);
  EXPECT_EQ(store_.begun.size(), 4u);
}

TEST_F(SchedulerTest, RunsTheJobsThatFollowFromFinishedOnes) {
  add(named_job("a"));
  plan_.searches.resize(1);
  options_.replan = [&] {
    Plan grown;
    for (const char* name : {"a", "b", "c"}) {
      grown.jobs.push_back(
          planned_job(named_job(name, {}, {{"start", sha256("a")}}), {{"start", "model"}}));
      if (store_.jobs[sha256(name)].state != JobState::kFinished) break;
    }
    grown.searches.resize(1);
    if (grown.jobs.size() == 3) grown.searches[0].status = SearchState::Status::kFound;
    return grown;
  };
  const RunSummary summary = run();
  EXPECT_EQ(summary.finished, 3u);
  EXPECT_EQ(summary.unfinished, 0u);
  EXPECT_EQ(store_.begun.size(), 3u);
  EXPECT_EQ(store_.begun[2].inputs.at("start"), store_.begun[0].folder + "/model");
  EXPECT_EQ(plan_.jobs.size(), 3u);
}

TEST_F(SchedulerTest, APlanWithoutASearchThatGoesOnIsNotAskedAgain) {
  add(named_job("a"));
  plan_.searches.resize(1);
  plan_.searches[0].status = SearchState::Status::kMissed;
  options_.replan = [&]() -> Plan { throw std::logic_error("asked"); };
  EXPECT_EQ(run().finished, 1u);
}

TEST_F(SchedulerTest, HandsTheFileOfANeededJobToTheJobThatNeedsIt) {
  add(named_job("child", {}, {{"start", sha256("parent")}}), {{"start", "model"}});
  add(named_job("parent"));
  EXPECT_EQ(run().finished, 2u);
  ASSERT_EQ(store_.begun.size(), 2u);
  EXPECT_EQ(store_.begun[0].job.key, sha256("parent"));
  EXPECT_EQ(store_.begun[1].inputs.at("start"), store_.begun[0].folder + "/model");
}

TEST_F(SchedulerTest, AMissingFileOfANeededJobFailsTheJobWithItsName) {
  add(named_job("child", {}, {{"start", sha256("parent")}}), {{"start", "allocation"}});
  add(named_job("parent"));  // leaves no allocation
  const RunSummary summary = run();
  EXPECT_EQ(summary.failed, 1u);
  EXPECT_EQ(last_end("child").error_class, "missing_input");
  EXPECT_THAT(last_end("child").text, HasSubstr("allocation is gone"));
}

TEST_F(SchedulerTest, AFailedJobBlocksWhatNeedsItAndTheOthersGoOn) {
  add(named_job("parent"));
  add(named_job("child", {}, {{"start", sha256("parent")}}), {{"start", "model"}});
  add(named_job("other"));
  const RunSummary summary =
      run(rule("parent", {{"do", "fail"}, {"class", "data"}, {"text", "no such image"}}));
  EXPECT_EQ(summary.failed, 1u);
  EXPECT_EQ(summary.blocked, 1u);
  EXPECT_EQ(summary.finished, 1u);
  EXPECT_EQ(last_end("parent").error_class, "data");
  EXPECT_EQ(last_end("parent").text, "no such image");
  EXPECT_EQ(last_end("parent").exit_code, 1);
  const RunSummary again = run();
  EXPECT_EQ(again.failed_before, 1u);
  EXPECT_EQ(again.blocked, 1u);
  EXPECT_EQ(again.finished, 0u);
}

TEST_F(SchedulerTest, ACrashIsRecordedWithItsSignal) {
  add(named_job("a"));
  add(named_job("b"));
  const RunSummary summary = run(rule("a", {{"do", "crash"}, {"signal", SIGSEGV}}));
  EXPECT_EQ(summary.failed, 1u);
  EXPECT_EQ(summary.finished, 1u);
  EXPECT_EQ(last_end("a").signal, SIGSEGV);
  EXPECT_EQ(last_end("a").error_class, "crashed");
  EXPECT_EQ(store_.ends.at(sha256("a")).size(), 1u);
}

TEST_F(SchedulerTest, AKilledWorkersJobIsTriedAgain) {
  add(named_job("a"));
  const RunSummary summary = run(rule("a", {{"do", "crash"}, {"signal", SIGKILL}, {"attempt", 1}}));
  EXPECT_EQ(summary.finished, 1u);
  EXPECT_EQ(summary.failed, 0u);
  ASSERT_EQ(store_.ends.at(sha256("a")).size(), 2u);
  EXPECT_EQ(store_.ends.at(sha256("a"))[0].error_class, "lost");
  EXPECT_EQ(last_end("a").state, JobState::kFinished);
}

TEST_F(SchedulerTest, RetriesAreCountedPerClass) {
  add(named_job("a"));
  options_.retries = {{"data", 2}, {"other", 0}};
  EXPECT_EQ(run(rule("a", {{"do", "fail"}, {"class", "data"}})).failed, 1u);
  EXPECT_EQ(store_.begun.size(), 3u);
  add(named_job("b"));
  EXPECT_EQ(run(rule("b", {{"do", "fail"}, {"class", "internal"}})).failed, 1u);
  EXPECT_EQ(store_.begun.size(), 4u);
}

TEST_F(SchedulerTest, AJobThatHangsIsKilledAfterItsTimeout) {
  add(named_job("a"));
  add(named_job("b"));
  options_.timeout_seconds = 0.3;
  const RunSummary summary = run(rule("a", {{"do", "hang"}}));
  EXPECT_EQ(summary.failed, 1u);
  EXPECT_EQ(summary.finished, 1u);
  EXPECT_EQ(last_end("a").error_class, "timeout");
  EXPECT_EQ(last_end("a").signal, SIGKILL);
}

TEST_F(SchedulerTest, AStopRequestCheckpointsAndTheNextRunGoesOnFromThere) {
  add(named_job("a"));
  add(named_job("b"));
  add(named_job("c"));
  int requests = 0;
  options_.stop_requests = [&] { return store_.events.empty() ? 0 : (requests = 1); };
  const RunSummary stopped = run(Json{{"step_seconds", 0.2}, {"steps", 5}});
  EXPECT_EQ(requests, 1);
  EXPECT_EQ(stopped.unfinished, 3u);
  EXPECT_EQ(last_end("a").state, JobState::kInterrupted);
  EXPECT_EQ(store_.begun.size(), 2u);

  options_.stop_requests = [] { return 0; };
  EXPECT_EQ(run().finished, 3u);
  EXPECT_EQ(store_.begun[2].resume_from, store_.begun[0].folder + "/checkpoint");
}

TEST_F(SchedulerTest, TheThirdStopRequestKillsAWorkerThatIsDeaf) {
  add(named_job("a"));
  local_.grace = std::chrono::minutes(5);
  int calls = 0;
  options_.stop_requests = [&] { return std::min(++calls / 3, 3); };
  EXPECT_EQ(run(rule("a", {{"do", "hang"}})).unfinished, 1u);
  EXPECT_EQ(last_end("a").state, JobState::kInterrupted);
  EXPECT_EQ(last_end("a").signal, SIGKILL);
}

TEST_F(SchedulerTest, FailFastStopsAfterTheFirstFailure) {
  local_.jobs = 1;
  for (const char* name : {"a", "b", "c"}) add(named_job(name));
  options_.max_failures = 1;
  const RunSummary summary = run(rule("a", {{"do", "fail"}}));
  EXPECT_EQ(summary.failed, 1u);
  EXPECT_EQ(summary.unfinished, 2u);
  EXPECT_EQ(summary.stopped_by, "1 failed (--fail-fast)");
}

TEST_F(SchedulerTest, AFullDiskStopsTheRunAndTheNextOneGoesOn) {
  local_.jobs = 1;
  for (const char* name : {"a", "b"}) add(named_job(name));
  const RunSummary summary = run(rule("a", {{"do", "full"}}));
  EXPECT_THAT(summary.stopped_by, HasSubstr("No space left on device"));
  EXPECT_EQ(summary.failed, 0u);
  EXPECT_EQ(summary.unfinished, 2u);
  EXPECT_EQ(run().finished, 2u);
}

TEST_F(SchedulerTest, IngestsWhatADeadDriversWorkerHasFinished) {
  add(named_job("a"));
  EXPECT_EQ(run().finished, 1u);
  // As if the driver had died before its last commit.
  store_.jobs[sha256("a")].state = JobState::kRunning;
  store_.events.clear();
  const RunSummary summary = run();
  EXPECT_EQ(summary.finished, 1u);
  EXPECT_EQ(store_.begun.size(), 1u);
  EXPECT_FALSE(store_.events[sha256("a")].empty());
}

TEST_F(SchedulerTest, RunsAgainWhatADeadDriversWorkerHasNotFinished) {
  add(named_job("a"));
  JobRecord& record = store_.jobs[sha256("a")];
  record.state = JobState::kRunning;
  record.attempts = 1;
  record.folder = (runs_ / sha256("a").substr(0, 10) / "1").string();
  fs::create_directories(record.folder);
  EXPECT_EQ(run().finished, 1u);
  EXPECT_EQ(store_.ends.at(sha256("a"))[0].state, JobState::kInterrupted);
  EXPECT_EQ(store_.begun.at(0).number, 2);
}

TEST_F(SchedulerTest, AWorkerThatCannotStartEndsTheRunWithItsWords) {
  add(named_job("a"));
  const fs::path broken = runs_ / "broken";
  std::ofstream(broken)
      << "#!/bin/sh\necho 'libtorch.so: cannot open shared object file' >&2\nexit 127\n";
  fs::permissions(broken, fs::perms::owner_all);
  local_.worker = broken;
  try {
    run();
    FAIL();
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(),
                 "no worker can be started: libtorch.so: cannot open shared object file");
  }
}

TEST_F(SchedulerTest, AJobOfTwoThreadsHasTwoCoresForItself) {
  add(named_job("wide", {{"training.threads", 2}}));
  add(named_job("a"));
  add(named_job("b"));
  EXPECT_EQ(run().finished, 3u);
  const auto started = std::get<Started>(store_.events.at(sha256("wide")).front().body);
  EXPECT_EQ(started.threads, 2);
  EXPECT_EQ(std::get<Started>(store_.events.at(sha256("a")).front().body).threads, 1);
  EXPECT_EQ(most_at_once_, 2);
}

}  // namespace
}  // namespace qbitopt
