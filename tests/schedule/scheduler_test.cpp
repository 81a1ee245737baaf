// The scheduler with real processes: a worker without tensors that does as it is told.
#include "qbitopt/schedule/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <utility>

#include "core/temporary_folder.h"
#include "qbitopt/schedule/executors/local.h"
#include "schedule/map_store.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
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
  void on_events(const Attempt& attempt, const std::vector<Event>& events) override {
    if (on_first_events_) std::exchange(on_first_events_, nullptr)(attempt, events);
  }
  void on_silence(const PlannedJob& job, const std::optional<Silence>& silence) override {
    silences_.push_back(silence);
    if (silence && silence->is_stopped) ::kill(silence->pid, SIGCONT);
  }
  void on_wait(const std::string& wait) override { waits_.push_back(wait); }
  void on_decision(const std::string& text) override { decisions_.push_back(text); }

  const TemporaryFolder temporary_;
  fs::path runs_ = temporary_.path();
  Plan plan_;
  MapStore store_;
  SchedulerOptions options_;
  LocalExecutorOptions local_;
  std::function<void(const Attempt&, const std::vector<Event>&)> on_first_events_;
  std::vector<std::optional<Silence>> silences_;
  std::vector<std::string> waits_, decisions_;
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

TEST_F(SchedulerTest, MeasuresHowManyJobsAtATimeFinishSoonest) {
  for (int i = 0; i < 16; ++i) add(named_job(std::to_string(i)));
  options_.worker_count = WorkerCountOptions{.seconds = 0.2, .steps = 2};
  run(Json{{"steps", 20}, {"step_seconds", 0.02}});
  EXPECT_EQ(most_at_once_, 2);
  ASSERT_EQ(decisions_.size(), 1u);
  EXPECT_THAT(decisions_[0], HasSubstr("2 jobs at a time"));  // they do not get in each other's way
  EXPECT_EQ(store_.notes, decisions_);
  const std::string second = store_.begun.at(1).job.key;
  EXPECT_GT(store_.events.at(second).front().unix_seconds,
            store_.events.at(store_.begun[0].job.key).front().unix_seconds + 0.2)
      << "begins after one was measured alone";
}

TEST_F(SchedulerTest, DoesNotMeasureForAFewJobs) {
  for (int i = 0; i < 15; ++i) add(named_job(std::to_string(i)));
  options_.worker_count = WorkerCountOptions{.seconds = 0.1, .steps = 1};
  run(Json{{"steps", 20}, {"step_seconds", 0.02}});
  EXPECT_EQ(most_at_once_, 2);
  EXPECT_TRUE(decisions_.empty());
}

// Takes some attempts at a time, all of which fail at the next poll.
class BatchExecutor : public Executor {
 public:
  BatchExecutor(const MapStore& store, size_t room) : store_(store), room_(room) {}
  std::string description() const override { return ""; }
  double share(int) const override { return 0; }
  bool has_room(int) const override { return outcomes_.size() < room_; }
  size_t room_for_batch() const override { return std::max<size_t>(1, room_ - outcomes_.size()); }
  bool is_busy() const override { return !outcomes_.empty(); }
  void submit(const Attempt& attempt, int) override {
    on_record.push_back(store_.committed);
    outcomes_.push_back(Outcome{attempt.job.key, "failed", 1});
  }
  void reattach(const Attempt&) override {}
  void cancel(const std::string&, StopLevel) override {}
  std::vector<Outcome> poll(std::chrono::milliseconds) override {
    return std::exchange(outcomes_, {});
  }

  std::vector<size_t> on_record;  // attempts, at each call of submit()

 private:
  const MapStore& store_;
  size_t room_;
  std::vector<Outcome> outcomes_;
};

TEST_F(SchedulerTest, AttemptsAreOnRecordBeforeTheFirstOfThemIsSubmitted) {
  for (const char* name : {"a", "b", "c", "d", "e"}) add(named_job(name));
  BatchExecutor executor(store_, 3);
  EXPECT_EQ(Scheduler(plan_, executor, store_, *this, options_).run().failed, 5u);
  EXPECT_THAT(executor.on_record, ElementsAre(3, 3, 3, 5, 5));
}

TEST_F(SchedulerTest, AttemptsOfABatchThatIsStoppedAreNotSubmitted) {
  for (const char* name : {"a", "b", "c"}) add(named_job(name));
  std::ofstream(runs_ / short_key(sha256("a"))) << "in the way";
  options_.max_failures = 1;
  BatchExecutor executor(store_, 3);
  const RunSummary summary = Scheduler(plan_, executor, store_, *this, options_).run();
  EXPECT_EQ(summary.failed, 1u);
  EXPECT_EQ(summary.unfinished, 2u);
  EXPECT_TRUE(executor.on_record.empty());
  EXPECT_EQ(at_once_, 0);
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

TEST_F(SchedulerTest, ADamagedFileOfANeededJobFailsTheJobInAClassOfItsOwn) {
  class DamagedStore : public MapStore {
   public:
    std::string artifact(const std::string&, const std::string& name) override {
      throw JobError("damaged_input", name + " was changed");
    }
  } store;
  add(named_job("child", {}, {{"start", sha256("parent")}}), {{"start", "model"}});
  add(named_job("parent"));
  LocalExecutor executor(local_);
  EXPECT_EQ(Scheduler(plan_, executor, store, *this, options_).run().failed, 1u);
  EXPECT_EQ(store.ends.at(sha256("child")).at(0).error_class, "damaged_input");
  EXPECT_EQ(store.ends.at(sha256("child")).at(0).text, "model was changed");
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

TEST_F(SchedulerTest, AWorkerThatNeitherReportsNorComputesIsNoticedOnce) {
  add(named_job("a"));
  options_.silence_seconds = 0.2;
  options_.timeout_seconds = 1;
  EXPECT_EQ(run(rule("a", {{"do", "hang"}})).failed, 1u);
  ASSERT_EQ(silences_.size(), 1u);
  EXPECT_GE(silences_[0]->seconds, 0.2);
  EXPECT_GT(silences_[0]->pid, 0);
  EXPECT_FALSE(silences_[0]->is_stopped);
}

TEST_F(SchedulerTest, AStoppedWorkerIsNoticedAndHeardOfAgainWhenItGoesOn) {
  add(named_job("a"));
  options_.silence_seconds = 0.5;
  on_first_events_ = [](const Attempt&, const std::vector<Event>& events) {
    ::kill(static_cast<pid_t>(std::get<Started>(events.at(0).body).pid), SIGSTOP);
  };
  EXPECT_EQ(run(Json{{"step_seconds", 0.05}, {"steps", 8}}).finished, 1u);
  ASSERT_EQ(silences_.size(), 2u);
  EXPECT_TRUE(silences_[0]->is_stopped);
  EXPECT_FALSE(silences_[1]);
}

TEST_F(SchedulerTest, AWorkerThatStallsIsKilledAndItsJobTriedAgain) {
  add(named_job("a"));
  options_.stall_seconds = 0.4;
  const RunSummary summary = run(Json{{"attempt", 1}, {"step_seconds", 30}}, Json{{"steps", 3}});
  EXPECT_EQ(summary.finished, 1u);
  ASSERT_EQ(store_.begun.size(), 2u);
  const AttemptEnd& end = store_.ends.at(sha256("a")).front();
  EXPECT_EQ(end.error_class, "stalled");
  EXPECT_EQ(end.text, "sent no event for 0.4 s (run.stall_timeout)");
}

TEST_F(SchedulerTest, AWorkerThatStallsBeforeItsFirstEventIsKilledToo) {
  add(named_job("a"));
  options_.stall_seconds = 0.4;
  EXPECT_EQ(run(Json{{"attempt", 1}, {"do", "hang"}}, Json{{"steps", 3}}).finished, 1u);
  EXPECT_EQ(store_.ends.at(sha256("a")).front().error_class, "stalled");
}

TEST_F(SchedulerTest, AJobWaitsWhileTheMemoryThatItTakesIsNotFree) {
  for (const char* name : {"a", "b", "c"}) add(named_job(name));
  options_.memory_bytes = [](const Job&) { return int64_t{6'000'000'000}; };
  options_.free_memory_bytes = [] { return int64_t{10'000'000'000}; };
  EXPECT_EQ(run(Json{{"step_seconds", 0.02}}).finished, 3u);
  EXPECT_EQ(most_at_once_, 1) << "what the first is about to take is not free";
  ASSERT_EQ(waits_.size(), 1u);
  EXPECT_THAT(waits_[0], HasSubstr("the next one took up to 6.0 GB when it ran before, and 4."));
}

TEST_F(SchedulerTest, AJobThatNeverFitsRunsAlone) {
  for (const char* name : {"a", "b"}) add(named_job(name));
  options_.memory_bytes = [](const Job&) { return int64_t{6'000'000'000}; };
  options_.free_memory_bytes = [] { return int64_t{0}; };
  EXPECT_EQ(run().finished, 2u);
  EXPECT_EQ(most_at_once_, 1);
}

TEST_F(SchedulerTest, AHopelessRunIsStoppedAndALaterDriverLetsItRest) {
  plan_.stop = StopRule{.after = 0.3, .peers = 2};
  for (const char* name : {"a", "b"}) add(named_job(name));
  EXPECT_EQ(run(Json{{"validation_loss", 0.4}, {"steps", 20}}).finished, 2u);
  add(named_job("c"));
  add(named_job("d"));
  const Json bad = rule("c", {{"validation_loss", 4}, {"step_seconds", 0.2}, {"steps", 20}});
  const Json good = {{"validation_loss", 0.3}, {"steps", 20}};
  const RunSummary summary = run(bad, good);
  EXPECT_EQ(summary.finished, 1u);
  EXPECT_EQ(summary.stopped, 1u);
  EXPECT_EQ(summary.failed, 0u);
  EXPECT_EQ(summary.unfinished, 0u);
  EXPECT_EQ(last_end("c").state, JobState::kStopped);
  EXPECT_EQ(last_end("c").error_class, "stopped");
  EXPECT_THAT(last_end("c").text, HasSubstr("best validation loss 4."));

  const RunSummary again = run(bad, good);
  EXPECT_EQ(again.stopped, 1u);
  EXPECT_EQ(again.failed_before, 0u);
  EXPECT_EQ(store_.begun.size(), 4u);
}

TEST_F(SchedulerTest, AStoppedWorkerIsKilledAfterItsTimeout) {
  add(named_job("a"));
  options_.timeout_seconds = 0.5;
  on_first_events_ = [](const Attempt&, const std::vector<Event>& events) {
    ::kill(static_cast<pid_t>(std::get<Started>(events.at(0).body).pid), SIGSTOP);
  };
  EXPECT_EQ(run(Json{{"step_seconds", 0.05}, {"steps", 100}}).failed, 1u);
  EXPECT_EQ(last_end("a").error_class, "timeout");
  EXPECT_EQ(last_end("a").signal, SIGKILL);
}

TEST_F(SchedulerTest, AJobWhoseFolderIsDeletedWhileItRunsIsTriedAgain) {
  add(named_job("a"));
  on_first_events_ = [](const Attempt& attempt, const std::vector<Event>&) {
    fs::remove_all(attempt.folder);
  };
  EXPECT_EQ(run(Json{{"step_seconds", 0.1}, {"steps", 5}}).finished, 1u);
  EXPECT_EQ(store_.ends.at(sha256("a")).at(0).error_class, "lost");
}

TEST_F(SchedulerTest, AFolderThatCannotBeMadeFailsTheJob) {
  add(named_job("a"));
  std::ofstream(runs_ / sha256("a").substr(0, 10)) << "in the way";
  EXPECT_EQ(run().failed, 1u);
  EXPECT_EQ(last_end("a").error_class, "folder");
  EXPECT_THAT(last_end("a").text, HasSubstr("Not a directory"));
}

// Files of this process and its workers may not grow, as on a full disk.
TEST_F(SchedulerTest, NoRoomForTheFilesOfAJobStopsTheRunAndTheNextOneGoesOn) {
  add(named_job("a"));
  struct rlimit before {};
  ::getrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit none = before;
  none.rlim_cur = 0;
  ::setrlimit(RLIMIT_FSIZE, &none);
  const RunSummary full = run();
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_THAT(full.stopped_by, HasSubstr("job.json: File too large"));
  EXPECT_EQ(full.unfinished, 1u);
  EXPECT_EQ(last_end("a").error_class, "disk_full");
  EXPECT_EQ(last_end("a").state, JobState::kInterrupted);
  EXPECT_EQ(run().finished, 1u);
}

// Another program has locked the database until two workers have gone through their steps.
TEST_F(SchedulerTest, WhileTheStoreWaitsJobsGoOnAndStopRequestsAreHeard) {
  class WaitingStore : public MapStore {
   public:
    Meanwhile set_meanwhile(Meanwhile meanwhile) override {
      return std::exchange(meanwhile_, std::move(meanwhile));
    }
    void ingest(const Attempt& attempt, const std::vector<Event>& events) override {
      if (!has_waited_) {
        has_waited_ = true;
        EXPECT_TRUE(meanwhile_("locked"));
        while (newest_checkpoint(begun.at(0)).empty() && meanwhile_("")) {
        }
      }
      MapStore::ingest(attempt, events);
    }
    // Of the attempt itself: the fake worker's.
    static fs::path newest_checkpoint(const Attempt& attempt) {
      const fs::path file = fs::path(attempt.folder) / "checkpoint";
      return fs::exists(file) ? file : fs::path();
    }

   private:
    Meanwhile meanwhile_;
    bool has_waited_ = false;
  } store;
  add(named_job("a"));
  ::setenv("FAKE_WORKER", R"([{"step_seconds": 0.05, "steps": 1000}])", 1);
  options_.stop_requests = [&] { return waits_.empty() ? 0 : 1; };
  LocalExecutor executor(local_);
  const RunSummary summary = Scheduler(plan_, executor, store, *this, options_).run();
  EXPECT_EQ(summary.unfinished, 1u);
  EXPECT_THAT(waits_, ::testing::ElementsAre("locked"));
  EXPECT_EQ(store.ends.at(sha256("a")).at(0).state, JobState::kInterrupted);
}

TEST_F(SchedulerTest, EventsThatTheStoreRefusesFailTheJobAndTheOthersGoOn) {
  class RefusingStore : public MapStore {
   public:
    void ingest(const Attempt& attempt, const std::vector<Event>& events) override {
      if (attempt.job.key == sha256("a")) throw InputError("no such kind of quantizer");
      MapStore::ingest(attempt, events);
    }
  } store;
  add(named_job("a"));
  add(named_job("b"));
  LocalExecutor executor(local_);
  const RunSummary summary = Scheduler(plan_, executor, store, *this, options_).run();
  EXPECT_EQ(summary.failed, 1u);
  EXPECT_EQ(summary.finished, 1u);
  EXPECT_EQ(store.ends.at(sha256("a")).at(0).error_class, "spool");
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

TEST_F(SchedulerTest, ACancelledJobWritesACheckpointAndIsNotTriedAgain) {
  add(named_job("a"));
  add(named_job("b"));
  options_.retries = {{"other", -1}};
  options_.cancel_requests = [&] {
    return store_.events[sha256("a")].empty() ? std::vector<std::string>{}
                                              : std::vector{sha256("a")};
  };
  const RunSummary summary = run(rule("a", {{"step_seconds", 0.2}, {"steps", 50}}));
  EXPECT_EQ(summary.cancelled, 1u);
  EXPECT_EQ(summary.finished, 1u);
  EXPECT_EQ(summary.failed, 0u);
  EXPECT_EQ(last_end("a").state, JobState::kFailed);
  EXPECT_EQ(last_end("a").error_class, "cancelled");
  EXPECT_TRUE(fs::exists(store_.jobs[sha256("a")].folder + "/checkpoint"));

  options_.cancel_requests = [] { return std::vector<std::string>{}; };
  EXPECT_EQ(run().failed_before, 1u);  // only `retry` runs it again
  store_.jobs[sha256("a")].state = JobState::kNew;
  store_.jobs[sha256("a")].error_class = "cancelled";
  EXPECT_EQ(run().finished, 1u);
  EXPECT_EQ(store_.begun.back().resume_from, store_.begun[0].folder + "/checkpoint");
}

TEST_F(SchedulerTest, AJobThatIsCancelledBeforeItsTurnIsRecordedAndBlocksThoseThatNeedIt) {
  local_.jobs = 1;
  add(named_job("a"));
  add(named_job("parent"));
  add(named_job("child", {}, {{"start", sha256("parent")}}), {{"start", "model"}});
  add(named_job("z"));
  options_.cancel_requests = [&] { return std::vector{sha256("parent"), sha256("nobody's")}; };
  const RunSummary summary = run();
  EXPECT_EQ(summary.cancelled, 1u);
  EXPECT_EQ(summary.blocked, 1u);
  EXPECT_EQ(summary.finished, 2u);
  EXPECT_EQ(last_end("parent").error_class, "cancelled");
  EXPECT_FALSE(fs::exists(store_.jobs[sha256("parent")].folder));
}

TEST_F(SchedulerTest, ADeafWorkerIsKilledWhenItIsCancelledForTheThirdTime) {
  add(named_job("a"));
  local_.grace = std::chrono::minutes(5);
  options_.cancel_requests = [&] {
    return store_.begun.empty() ? std::vector<std::string>{} : std::vector{sha256("a")};
  };
  EXPECT_EQ(run(rule("a", {{"do", "hang"}})).cancelled, 1u);
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

// Going on from its checkpoint would leave out the points that cannot be read.
TEST_F(SchedulerTest, BeginsAgainWhereADeadDriversSpoolCannotBeRead) {
  add(named_job("a"));
  JobRecord& record = store_.jobs[sha256("a")];
  record.state = JobState::kRunning;
  record.attempts = 1;
  record.folder = (runs_ / sha256("a").substr(0, 10) / "1").string();
  fs::create_directories(record.folder);
  std::ofstream(record.folder + "/events.jsonl") << "garbage\n";
  std::ofstream(record.folder + "/checkpoint") << "5 " << sha256("5") << "\n";
  EXPECT_EQ(run().finished, 1u);
  EXPECT_EQ(store_.begun.at(0).resume_from, "");
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
