// The scheduler with a cluster's queue: scripts stand in for its commands, a worker without tensors
// for the worker.
#include "qbitopt/schedule/executors/queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "core/errors.h"
#include "core/temporary_folder.h"
#include "qbitopt/core/text_file.h"
#include "qbitopt/job/spool.h"
#include "qbitopt/schedule/attempt_folder.h"
#include "qbitopt/schedule/scheduler.h"
#include "schedule/map_store.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::MapStore;
using testing::named_job;
using ::testing::Not;

class QueueTest : public ::testing::Test, public RunObserver {
 protected:
  QueueTest() {
    const char* path = std::getenv("PATH");
    path_ = path == nullptr ? "" : path;
    fs::create_directories(folder_ / "bin");
    fs::create_directories(slurm_);
    for (const char* name : {"sbatch", "squeue", "scancel", "scontrol", "sacct"})
      fs::create_symlink(QBITOPT_FAKE_SLURM, folder_ / "bin" / name);
    ::setenv("PATH", ((folder_ / "bin").string() + ":" + path_).c_str(), 1);
    ::setenv("FAKE_SLURM", slurm_.c_str(), 1);
    options_.worker = QBITOPT_FAKE_WORKER;
    options_.runs_folder = folder_ / "a b.runs";
    options_.settings = {{"collect_seconds", 0.05},
                         {"poll_seconds", 0.1},
                         {"grace_seconds", 0.5},
                         {"patience_seconds", 2}};
    fs::create_directories(options_.runs_folder);
    schedule_.runs_folder = options_.runs_folder;
  }
  ~QueueTest() override {
    // What is still in the queue would run for ever.
    for (const std::string& job : jobs()) {
      pid_t group = 0;
      if (std::ifstream(slurm_ / "pids" / job) >> group) ::kill(-group, SIGKILL);
    }
    ::setenv("PATH", path_.c_str(), 1);
    for (const char* name : {"FAKE_SLURM", "FAKE_WORKER", "FAKE_SLURM_ARRAY"}) ::unsetenv(name);
  }

  void add(std::initializer_list<const char*> names) {
    for (const char* name : names) plan_.jobs.push_back(planned_job(named_job(name)));
  }
  // What a command of the queue does first.
  void script(const std::string& command, const std::string& lines) {
    std::ofstream(slurm_ / "new") << lines << "\n";
    fs::rename(slurm_ / "new", slurm_ / command);
  }
  void rules(const Json& rules) { ::setenv("FAKE_WORKER", rules.dump().c_str(), 1); }

  std::unique_ptr<Executor> executor() const { return make_executor(executor_, options_); }
  RunSummary run() {
    const auto queue = executor();
    queue_ = queue.get();
    const RunSummary summary = Scheduler(plan_, *queue, store_, *this, schedule_).run();
    queue_ = nullptr;
    return summary;
  }
  void on_tick() override {
    const std::string obstacle = queue_->obstacle();
    if (obstacles_.find(obstacle) == std::string::npos) obstacles_ += obstacle + "\n";
    for (const std::string& note : queue_->take_notes()) notes_ += note + "\n";
    if (at_tick_) at_tick_();
  }

  std::vector<std::string> calls(const std::string& command) const {
    std::vector<std::string> calls;
    std::ifstream file(slurm_ / "calls");
    for (std::string line; std::getline(file, line);) {
      if (line.rfind(command, 0) == 0) calls.push_back(line);
    }
    return calls;
  }
  std::vector<std::string> jobs() const {
    std::vector<std::string> jobs;
    std::error_code none;
    for (const auto& file : fs::directory_iterator(slurm_ / "jobs", none))
      jobs.push_back(file.path().filename());
    std::sort(jobs.begin(), jobs.end());
    return jobs;
  }
  // Each job was begun once, finished, and no event is stored twice.
  void expect_nothing_doubled() {
    EXPECT_EQ(store_.begun.size(), plan_.jobs.size());
    expect_finished();
  }
  void expect_finished() {
    for (const PlannedJob& job : plan_.jobs) {
      EXPECT_EQ(store_.jobs[job.key].state, JobState::kFinished);
      int finished = 0;
      for (const Event& event : store_.events[job.key])
        finished += std::holds_alternative<Finished>(event.body);
      EXPECT_EQ(finished, 1);
    }
  }
  Attempt attempt(const std::string& name) {
    const Attempt attempt = plan_attempt(options_.runs_folder, named_job(name), 1);
    make_folder(attempt);
    return attempt;
  }
  static void wait_until(const std::function<bool()>& is_true) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!is_true()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "waited in vain";
      std::this_thread::sleep_for(milliseconds(5));
    }
  }
  static Outcome next_outcome(Executor& executor) {
    for (int i = 0; i < 600; ++i) {
      const auto outcomes = executor.poll(milliseconds(100));
      if (!outcomes.empty()) return outcomes.front();
    }
    ADD_FAILURE() << "no outcome";
    return {};
  }
  // Turns until something is so.
  static void poll_until(Executor& executor, const std::function<bool()>& is_true) {
    wait_until([&] {
      EXPECT_TRUE(executor.poll(milliseconds(5)).empty());
      return is_true();
    });
  }

  const TemporaryFolder folder_;
  const fs::path slurm_ = folder_ / "slurm";
  std::string path_;
  std::string executor_ = "slurm";
  ExecutorOptions options_;
  SchedulerOptions schedule_;
  Plan plan_;
  MapStore store_;
  Executor* queue_ = nullptr;
  std::function<void()> at_tick_;
  std::string obstacles_, notes_;  // all that were told
};

TEST_F(QueueTest, JobsGoAsArraysThatTheQueueAccepts) {
  ::setenv("FAKE_SLURM_ARRAY", "3", 1);
  add({"a", "b", "c", "d", "e"});
  EXPECT_EQ(run().finished, 5u);
  expect_nothing_doubled();
  EXPECT_EQ(calls("sbatch").size(), 2u);
  EXPECT_THAT(read_text(slurm_ / "scripts/101"), HasSubstr("#SBATCH --array=0-2\n"));
  EXPECT_THAT(read_text(slurm_ / "scripts/102"), HasSubstr("#SBATCH --array=0-1\n"));
  EXPECT_TRUE(calls("scancel").empty());
}

TEST_F(QueueTest, TheStoreIsToldTheIdsOfJobsAlsoByALaterDriver) {
  std::ofstream(slurm_ / "hold");
  schedule_.detach = true;
  add({"a", "b"});
  run();
  EXPECT_THAT(store_.queue_ids.at(sha256("b")), ElementsAre("101_1"));
  schedule_.detach = false;
  fs::remove(slurm_ / "hold");
  run();
  EXPECT_THAT(store_.queue_ids.at(sha256("a")), ElementsAre("101_0", "101_0"));
}

TEST_F(QueueTest, ShortJobsFollowEachOtherInOneJobOfTheQueue) {
  add({"a", "b", "c", "d"});
  options_.estimate = [](const Job&) { return JobEstimate{800, int64_t{1} << 30}; };
  EXPECT_EQ(run().finished, 4u);
  expect_nothing_doubled();
  const std::string script = read_text(slurm_ / "scripts/101");
  EXPECT_THAT(script, HasSubstr("#SBATCH --array=0-1\n")) << "half an hour each";
  EXPECT_THAT(script, HasSubstr("#SBATCH --time=64\n")) << "twice 1600 s and ten minutes";
  EXPECT_THAT(script, HasSubstr("#SBATCH --mem=2048M\n")) << "one and a half times, and 512 MB";
}

TEST_F(QueueTest, AJobThatNeedsAnotherIsSubmittedOnceThatHasFinished) {
  plan_.jobs.push_back(
      planned_job(named_job("child", {}, {{"start", sha256("parent")}}), {{"start", "model"}}));
  plan_.jobs.push_back(planned_job(named_job("parent")));
  EXPECT_EQ(run().finished, 2u);
  EXPECT_EQ(calls("sbatch").size(), 2u);
  expect_nothing_doubled();
}

TEST_F(QueueTest, AtTheLimitOfTheQueueTheOthersWait) {
  script("sbatch", R"(more=$(sed -n 's/^#SBATCH --array=0-//p' "$2")
if [ $(($(queued) + more + 1)) -gt 2 ]; then
  echo 'sbatch: error: AssocMaxSubmitJobLimit' >&2
  echo 'sbatch: error: Batch job submission failed: Job violates accounting/QOS policy' >&2
  exit 1
fi)");
  add({"a", "b", "c", "d", "e"});
  EXPECT_EQ(run().finished, 5u);
  expect_nothing_doubled();
  EXPECT_THAT(obstacles_, HasSubstr("Slurm takes no more jobs now (sbatch: error: Batch job "
                                    "submission failed: Job violates accounting/QOS policy)"));
}

TEST_F(QueueTest, NoMoreJobsThanAskedForAreInTheQueue) {
  options_.jobs = 2;
  add({"a", "b", "c", "d", "e"});
  size_t most = 0;
  at_tick_ = [&] { most = std::max(most, jobs().size()); };
  rules({{{"step_seconds", 0.02}}});
  EXPECT_EQ(run().finished, 5u);
  EXPECT_EQ(most, 2u);
}

TEST_F(QueueTest, AsManyJobsAsAskedForGoAtOnceEvenIfTheQueueIsUsuallySmaller) {
  script("scontrol", "echo 'MaxArraySize = 1001'; echo 'MaxJobCount = 2'; exit 0");
  options_.settings["max_queued"] = 5;
  options_.settings["collect_seconds"] = 0.3;
  add({"a", "b", "c", "d", "e"});
  EXPECT_EQ(run().finished, 5u);
  EXPECT_EQ(calls("sbatch").size(), 1u);
}

TEST_F(QueueTest, ASubmissionThatTimedOutAndSucceededIsNotRepeated) {
  options_.settings["patience_seconds"] = 0.5;
  script("sbatch", "submit \"$2\"; sleep 30");
  rules({{{"step_seconds", 0.2}}});
  add({"a", "b", "c"});
  EXPECT_EQ(run().finished, 3u);
  EXPECT_EQ(calls("sbatch").size(), 1u);
  expect_nothing_doubled();
}

TEST_F(QueueTest, AfterASubmissionThatFailedTheQueueIsAskedFirst) {
  script("sbatch", R"([ -e "$s/again" ] || { touch "$s/again"
  echo 'sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)' >&2
  exit 1; })");
  add({"a", "b"});
  EXPECT_EQ(run().finished, 2u);
  expect_nothing_doubled();
  std::vector<std::string> order;
  for (const std::string& call : calls("s")) {
    const std::string command = call.substr(0, call.find(' '));
    if (order.empty() || order.back() != command) order.push_back(command);
  }
  ASSERT_GE(order.size(), 4u);
  order.resize(4);
  EXPECT_THAT(order, ElementsAre("scontrol", "sbatch", "squeue", "sbatch"));
}

TEST_F(QueueTest, WhatTheQueueRefusesStopsTheRunWithItsWords) {
  script("sbatch", R"(echo 'sbatch: error: invalid partition specified: gpuu' >&2
echo 'sbatch: error: Batch job submission failed: Invalid partition name specified' >&2; exit 1)");
  add({"a", "b"});
  EXPECT_THAT(input_error([&] { run(); }),
              HasSubstr("sbatch refused the jobs: sbatch: error: Batch job submission failed: "
                        "Invalid partition name specified; its script is "));
  fs::remove(slurm_ / "sbatch");
  EXPECT_EQ(run().finished, 2u);
  expect_finished();
}

TEST_F(QueueTest, AMachineWithoutSlurmIsToldSo) {
  script("scontrol", "exit 127");
  add({"a"});
  EXPECT_THAT(input_error([&] { run(); }), HasSubstr("this machine has no commands of Slurm ("));
}

TEST_F(QueueTest, AnswersThatCannotBeReadSayNothing) {
  rules({{{"step_seconds", 0.1}}});
  for (const char* answer : {"echo 'Who knows?'; exit 0", "exit 1",
                             "echo 'slurm_load_jobs error: Unable to contact' >&2; exit 1"}) {
    script("squeue", answer);
    plan_.jobs.clear();
    obstacles_.clear();
    add({answer});
    EXPECT_EQ(run().finished, 1u) << answer;
    EXPECT_THAT(obstacles_, HasSubstr("Slurm does not answer")) << answer;
  }
  expect_finished();
  EXPECT_EQ(store_.begun.size(), 3u);
}

TEST_F(QueueTest, AQueueThatTakesLongToAnswerIsAskedLessOften) {
  script("squeue", "sleep 0.3");
  rules({{{"step_seconds", 0.3}}});
  add({"a"});
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(run().finished, 1u);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begun;
  EXPECT_LE(calls("squeue").size(), elapsed.count() / 1.3 + 2)
      << "an answer takes 0.3 s, and a second lies between two of them";
  expect_nothing_doubled();
}

TEST_F(QueueTest, AJobThatVanishesIsLostAndTriedAgain) {
  rules({{{"attempt", 1}, {"do", "hang"}}});
  add({"a"});
  at_tick_ = [&] {
    const auto jobs = this->jobs();
    if (jobs.size() != 1 || store_.begun.size() > 1 ||
        !fs::exists(fs::path(store_.begun[0].folder) / "events.jsonl"))
      return;
    fs::remove(slurm_ / "jobs" / jobs[0]);
    const int pid = std::stoi(read_text(slurm_ / "pids" / jobs[0]));
    ::kill(-pid, SIGKILL);  // with its worker, as a node that dies
  };
  EXPECT_EQ(run().finished, 1u);
  EXPECT_EQ(store_.begun.size(), 2u);
  expect_finished();
  const AttemptEnd& end = store_.ends.at(sha256("a")).front();
  EXPECT_EQ(end.error_class, "lost");
  EXPECT_EQ(end.text, "job 101_0 of Slurm is gone from the queue");
  EXPECT_EQ(calls("sacct").size(), 1u) << "it is asked why";
}

TEST_F(QueueTest, HowAJobEndedIsToldInTheQueuesWords) {
  rules({{{"do", "hang"}}});
  script("squeue",
         R"(name=$(sed -n 's/^#SBATCH --job-name=//p' "$s/scripts/101")
for file in "$s"/jobs/*; do [ ! -e "$file" ] || echo "${file##*/}|OUT_OF_MEMORY|None|$name"; done
exit 0)");
  add({"a"});
  EXPECT_EQ(run().failed, 1u);
  const AttemptEnd& end = store_.ends.at(sha256("a")).front();
  EXPECT_EQ(end.error_class, "out_of_memory");
  EXPECT_EQ(end.text, "job 101_0 of Slurm is gone from the queue: OUT_OF_MEMORY");
}

// As after the crash of a controller that had not saved what it accepted.
TEST_F(QueueTest, AJobThatTheQueueForgotBeforeItBeganIsSubmittedAgainWithoutCounting) {
  schedule_.retries["lost"] = 0;
  std::ofstream(slurm_ / "hold");
  add({"a"});
  at_tick_ = [&] {
    if (jobs() != std::vector<std::string>{"101_0"}) return;
    fs::remove(slurm_ / "jobs/101_0");
    fs::remove(slurm_ / "hold");
  };
  EXPECT_EQ(run().finished, 1u);
  expect_finished();
  const AttemptEnd& end = store_.ends.at(sha256("a")).front();
  EXPECT_EQ(end.state, JobState::kInterrupted);
  EXPECT_EQ(end.error_class, "forgotten");
  EXPECT_EQ(end.text, "job 101_0 of Slurm is gone from the queue, and never began");
}

TEST_F(QueueTest, AQueueThatForgetsAJobAgainAndAgainFailsIt) {
  schedule_.retries["forgotten"] = 1;
  std::ofstream(slurm_ / "hold");
  add({"a"});
  at_tick_ = [&] {
    for (const std::string& job : jobs()) fs::remove(slurm_ / "jobs" / job);
  };
  EXPECT_EQ(run().failed, 1u);
  EXPECT_EQ(store_.begun.size(), 2u);
}

// A controller that forgot its jobs forgets their ids, too.
TEST_F(QueueTest, ThatAnIdWasGivenToAnotherJobIsNoticedByTheName) {
  rules({{{"attempt", 1}, {"do", "hang"}}});
  add({"a"});
  at_tick_ = [&] {
    if (store_.begun.size() != 1 || fs::exists(slurm_ / "squeue") ||
        !fs::exists(fs::path(store_.begun[0].folder) / "events.jsonl"))
      return;
    const int pid = std::stoi(read_text(slurm_ / "pids/101_0"));
    fs::remove(slurm_ / "jobs/101_0");
    ::kill(-pid, SIGKILL);
    script("squeue", "echo '101_0|RUNNING|None|a stranger'");
  };
  EXPECT_EQ(run().finished, 1u);
  EXPECT_EQ(store_.ends.at(sha256("a")).front().error_class, "lost");
  for (const std::string& call : calls("scancel"))
    EXPECT_THAT(call, HasSubstr("scancel --name=qbitopt-"));
}

TEST_F(QueueTest, ASpoolThatAppearsLateCounts) {
  ::setenv("FAKE_WORKER", R"([{"do": "hang"}])", 1);
  std::ofstream(slurm_ / "hold");
  options_.settings["grace_seconds"] = 60;
  add({"a"});
  at_tick_ = [&] {
    if (jobs().size() == 1) fs::remove(slurm_ / "jobs" / jobs()[0]);
    if (calls("squeue").size() < 4 || store_.begun.empty()) return;
    const fs::path spool = fs::path(store_.begun[0].folder) / "events.jsonl";
    if (!fs::exists(spool)) SpoolWriter(spool).append(Finished{});
  };
  EXPECT_EQ(run().finished, 1u);
  expect_nothing_doubled();
}

TEST_F(QueueTest, ThoseWhoseTurnNeverCameAreNotLost) {
  options_.estimate = [](const Job&) { return JobEstimate{1, {}}; };
  schedule_.retries["lost"] = 0;
  rules({{{"where", {{"name", "a"}}}, {"do", "hang"}}});
  add({"a", "b", "c"});
  at_tick_ = [&] {
    if (store_.begun.empty() || !fs::exists(fs::path(store_.begun[0].folder) / "events.jsonl"))
      return;
    if (jobs() != std::vector<std::string>{"101_0"}) return;
    const int pid = std::stoi(read_text(slurm_ / "pids/101_0"));
    fs::remove(slurm_ / "jobs/101_0");
    ::kill(-pid, SIGKILL);
  };
  const RunSummary summary = run();
  EXPECT_EQ(summary.failed, 1u) << "a was running";
  EXPECT_EQ(summary.finished, 2u);
  EXPECT_EQ(store_.ends.at(sha256("b")).front().state, JobState::kInterrupted);
}

TEST_F(QueueTest, AWorkerThatCrashesDoesNotEndTheOthersOfItsJob) {
  options_.estimate = [](const Job&) { return JobEstimate{1, {}}; };
  rules({{{"where", {{"name", "b"}}}, {"do", "crash"}, {"signal", SIGSEGV}}});
  add({"a", "b", "c"});
  const RunSummary summary = run();
  EXPECT_EQ(summary.finished, 2u);
  EXPECT_EQ(calls("sbatch").size(), 1u);
  EXPECT_EQ(store_.ends.at(sha256("b")).front().signal, SIGSEGV);
  EXPECT_EQ(store_.ends.at(sha256("b")).front().error_class, "crashed");
}

TEST_F(QueueTest, AStoppedRunCancelsItsJobsAndTheNextGoesOnFromTheirCheckpoints) {
  ::setenv("FAKE_SLURM_ARRAY", "1", 1);
  rules({{{"attempt", 1}, {"step_seconds", 30}, {"where", {{"name", "a"}}}}});
  script("sbatch", "[ ! -e \"$s/jobs/101_0\" ] || touch \"$s/hold\"");  // the first begins
  add({"a", "b"});
  // Of somebody else.
  fs::create_directories(slurm_ / "jobs");
  std::ofstream(slurm_ / "jobs/7_0") << "PENDING";
  fs::create_directories(slurm_ / "scripts");
  std::ofstream(slurm_ / "scripts/7") << "#SBATCH --job-name=mine\n";
  int requests = 0;
  schedule_.stop_requests = [&] { return requests; };
  std::map<std::string, std::string> states;
  at_tick_ = [&] {
    for (const char* name : {"a", "b"}) states[name] = queue_->state_of(sha256(name));
    const bool runs = !store_.events[sha256("a")].empty();
    if (runs && states["b"] == "queued: Resources") requests = 1;
  };
  const RunSummary stopped = run();
  EXPECT_EQ(stopped.unfinished, 2u);
  EXPECT_EQ(stopped.left, 0u);
  EXPECT_EQ(states["a"], "");
  EXPECT_THAT(
      calls("scancel"),
      ::testing::UnorderedElementsAre(
          ::testing::MatchesRegex("scancel --name=qbitopt-[^ ]* --batch --signal=USR1 101_0"),
          ::testing::MatchesRegex("scancel --name=qbitopt-[^ ]* 102")));
  EXPECT_THAT(jobs(), ElementsAre("7_0"));
  EXPECT_EQ(store_.jobs[sha256("a")].state, JobState::kInterrupted);

  fs::remove(slurm_ / "hold");
  script("sbatch", "");
  schedule_.stop_requests = [] { return 0; };
  at_tick_ = nullptr;
  EXPECT_EQ(run().finished, 2u);
  expect_finished();
  const Attempt& again =
      *std::find_if(store_.begun.rbegin(), store_.begun.rend(),
                    [](const Attempt& attempt) { return attempt.job.key == sha256("a"); });
  EXPECT_THAT(again.resume_from, HasSubstr("/1/checkpoint"));
}

// A job whose time limit is near gets USR1 from Slurm; here its script sends it to itself.
TEST_F(QueueTest, AJobWhoseTimeIsTooShortForACheckpointFailsAfterThreeTries) {
  options_.settings["before"] = "(sleep 0.3; kill -USR1 $$) &";
  rules({{{"step_seconds", 60}}});
  add({"a"});
  EXPECT_EQ(run().failed, 1u);
  EXPECT_EQ(store_.begun.size(), 3u);
  const AttemptEnd& end = store_.ends.at(sha256("a")).back();
  EXPECT_EQ(end.error_class, "timeout");
  EXPECT_EQ(end.text,
            "3 attempts in a row met the time limit of their job before a new checkpoint, the last "
            "at step 0 (the time limit of its job was near); give a job more time, by --time or "
            "another partition");
}

TEST_F(QueueTest, AJobThatAdvancesIsContinuedAsOftenAsItsTimeLimitEndsIt) {
  options_.settings["before"] = "(sleep 0.35; kill -USR1 $$) &";
  rules({{{"step_seconds", 0.1}}});
  add({"a"});
  EXPECT_EQ(run().finished, 1u);
  EXPECT_GT(store_.begun.size(), 3u);
  expect_finished();
}

TEST_F(QueueTest, TheTimeLimitOfThePartitionIsHeeded) {
  script("scontrol", R"([ "$2" = config ] || {
  echo 'PartitionName=long Default=NO DefaultTime=NONE MaxTime=UNLIMITED State=UP'
  echo 'PartitionName=short Default=YES DefaultTime=NONE MaxTime=00:05:00 State=UP'; exit 0; })");
  add({"a"});
  EXPECT_EQ(run().finished, 1u);
  EXPECT_THAT(notes_, HasSubstr("partition 'short' of Slurm ends jobs after 5 minutes: runs that"));
  EXPECT_THAT(read_text(slurm_ / "scripts/101"), HasSubstr("#SBATCH --signal=B:USR1@75\n"));

  options_.estimate = [](const Job&) { return JobEstimate{100, {}}; };
  add({"b", "c"});
  EXPECT_EQ(run().finished, 2u);
  EXPECT_THAT(read_text(slurm_ / "scripts/102"), HasSubstr("#SBATCH --time=5\n"));
  EXPECT_THAT(read_text(slurm_ / "scripts/102"), HasSubstr("#SBATCH --array=0-1\n"))
      << "both at once take longer";

  options_.settings["time_seconds"] = 7200;
  add({"d"});
  EXPECT_THAT(input_error([&] { run(); }),
              HasSubstr("`time` is 120 minutes, but partition 'short' of Slurm ends jobs after 5 "
                        "minutes; give a shorter time"));
  options_.settings["partition"] = "long";
  EXPECT_EQ(run().finished, 1u);
}

TEST_F(QueueTest, TheTimeThatAJobWaitsInTheQueueIsNotItsOwn) {
  std::ofstream(slurm_ / "hold");
  schedule_.timeout_seconds = 1;
  add({"a"});
  const auto begun = std::chrono::steady_clock::now();
  at_tick_ = [&] {
    if (std::chrono::steady_clock::now() - begun > milliseconds(1500)) fs::remove(slurm_ / "hold");
  };
  EXPECT_EQ(run().finished, 1u);
}

TEST_F(QueueTest, AnAttemptThatTakesTooLongIsCancelled) {
  schedule_.timeout_seconds = 0.5;
  rules({{{"step_seconds", 30}}});
  add({"a"});
  EXPECT_EQ(run().failed, 1u);
  EXPECT_EQ(store_.ends.at(sha256("a")).front().error_class, "timeout");
  EXPECT_THAT(calls("scancel"), ElementsAre(::testing::EndsWith(" 101")));
}

TEST_F(QueueTest, KilledJobsAreNotWaitedFor) {
  rules({{{"do", "hang"}}});
  add({"a"});
  int requests = 0;
  schedule_.stop_requests = [&] { return requests; };
  at_tick_ = [&] {
    if (!store_.begun.empty() && fs::exists(fs::path(store_.begun[0].folder) / "events.jsonl"))
      requests = 3;
  };
  EXPECT_EQ(run().unfinished, 1u);
  EXPECT_THAT(calls("scancel").back(), ::testing::EndsWith(" 101"));
  const int pid = std::stoi(read_text(slurm_ / "pids/101_0"));
  ::kill(-pid, SIGKILL);  // the fake has no limit for the time that a job takes to end
}

TEST_F(QueueTest, ADetachedRunLeavesItsJobsAndTheNextAttachesToThem) {
  std::ofstream(slurm_ / "hold");
  schedule_.detach = true;
  add({"a", "b"});
  const RunSummary left = run();
  EXPECT_EQ(left.left, 2u);
  EXPECT_EQ(jobs().size(), 2u);
  const RunSummary again = run();
  EXPECT_EQ(again.left, 2u) << "they are in the queue already";
  EXPECT_EQ(calls("sbatch").size(), 1u);

  schedule_.detach = false;
  fs::remove(slurm_ / "hold");
  EXPECT_EQ(run().finished, 2u);
  expect_nothing_doubled();
  EXPECT_EQ(calls("sbatch").size(), 1u);
}

TEST_F(QueueTest, ADriverThatDiedBeforeTheAnswerLeavesNothingDoubled) {
  std::ofstream(slurm_ / "hold");
  schedule_.detach = true;
  add({"a", "b"});
  run();
  for (QueueBatch& batch : recorded_batches(options_.runs_folder)) {  // as it was before the answer
    batch.state = QueueBatch::State::kNew;
    batch.id.clear();
    record(batch);
  }
  schedule_.detach = false;
  at_tick_ = [&] {
    if (calls("squeue").size() > 4) fs::remove(slurm_ / "hold");
  };
  EXPECT_EQ(run().finished, 2u);
  EXPECT_EQ(calls("sbatch").size(), 1u);
  expect_nothing_doubled();
}

TEST_F(QueueTest, ADriverThatDiedBeforeItSubmittedIsMadeUpFor) {
  const Attempt planned = attempt("a"), collected = attempt("b");
  for (const Attempt& each : {planned, collected}) store_.begin(each);
  QueueBatch batch{.name = "qbitopt-1", .folder = options_.runs_folder / "batches/qbitopt-1"};
  batch.tasks = {{{planned.job.key, planned.folder}}};
  make_batch(batch, "#SBATCH --array=0-0\n#SBATCH --job-name=qbitopt-1\nbatch='" +
                        batch.folder.string() + "'\nread -r task folder <\"$batch/tasks\"\n\"" +
                        std::string(QBITOPT_FAKE_WORKER) +
                        "\" \"$folder/job.json\"\necho $? >\"$folder/exit\"\n");
  add({"a", "b"});
  EXPECT_EQ(run().finished, 2u);
  expect_finished();
  EXPECT_EQ(store_.jobs[sha256("a")].attempts, 1) << "the recorded batch was submitted";
  EXPECT_EQ(store_.jobs[sha256("b")].attempts, 2) << "it was in no batch";
}

TEST_F(QueueTest, AJobThatRunsTwiceExecutesNothingTwice) {
  add({"a", "b"});
  run();
  const auto before = store_.events;
  const std::string again = "SLURM_ARRAY_TASK_ID=0 sh " + (slurm_ / "scripts/101").string();
  ASSERT_EQ(std::system(again.c_str()), 0);
  for (const Attempt& attempt : store_.begun) {
    EXPECT_EQ(SpoolReader(fs::path(attempt.folder) / "events.jsonl").read_new().size(),
              before.at(attempt.job.key).size());
  }
}

TEST_F(QueueTest, AnAttemptThatWasGivenUpIsNotBegun) {
  std::ofstream(slurm_ / "hold");
  const auto queue = executor();
  const Attempt given_up = attempt("a");
  queue->submit(given_up, 1);
  poll_until(*queue, [&] { return jobs().size() == 1; });
  close_folder(given_up);
  fs::remove(slurm_ / "hold");
  poll_until(*queue, [&] { return fs::exists(slurm_ / "pids/101_0") && jobs().empty(); });
  EXPECT_FALSE(fs::exists(fs::path(given_up.folder) / "events.jsonl"));
}

TEST_F(QueueTest, AJobWaitsUntilTheQueueSaysOtherwise) {
  std::ofstream(slurm_ / "hold");
  rules({{{"step_seconds", 60}}});
  const auto queue = executor();
  const Attempt waiting = attempt("a");
  queue->submit(waiting, 1);
  EXPECT_TRUE(queue->is_waiting(waiting.job.key));
  poll_until(*queue, [&] { return queue->state_of(waiting.job.key) == "queued: Resources"; });
  EXPECT_TRUE(queue->is_waiting(waiting.job.key));
  script("squeue", "exit 1");
  poll_until(*queue, [&] { return !queue->is_waiting(waiting.job.key); });  // the answer has aged
  script("squeue", "");
  poll_until(*queue, [&] { return queue->is_waiting(waiting.job.key); });
  fs::remove(slurm_ / "hold");
  poll_until(*queue, [&] { return !queue->is_waiting(waiting.job.key); });
}

TEST_F(QueueTest, ThePreviewIsTheScript) {
  options_.settings["partition"] = "gpu";
  options_.settings["options"] = {"--exclusive"};
  options_.settings["launch"] = "apptainer exec --nv image.sif {worker}";
  options_.settings["before"] = "module load cuda";
  const std::string text =
      executor()->preview({named_job("a", {{"device", "cuda"}, {"training.threads", 4}})});
  for (const char* line :
       {"# Runs: 1, in as many as 1 jobs, submitted once what they need has finished: sbatch ",
        "\n#SBATCH --partition=gpu\n", "\n#SBATCH --exclusive\n", "\n#SBATCH --gres=gpu:1\n",
        "\n#SBATCH --cpus-per-task=4\n", "\n#SBATCH --no-requeue\n",
        "\n#SBATCH --signal=B:USR1@300\n", "\n#SBATCH --open-mode=append\n", "\nmodule load cuda\n",
        "\nexport OMP_NUM_THREADS=4\n", "  exec apptainer exec --nv image.sif '/"})
    EXPECT_THAT(text, HasSubstr(line));
}

TEST_F(QueueTest, AWorkerThatIsNotThereIsNamed) {
  options_.worker = "/nowhere/qbitopt-worker";
  EXPECT_THAT(input_error([&] { executor(); }),
              HasSubstr("no worker program at /nowhere/qbitopt-worker"));
}

TEST_F(QueueTest, AWorkerThatDoesNothingIsNotStartedAgainAndAgain) {
  options_.settings["launch"] = "true {worker}";
  add({"a"});
  EXPECT_EQ(run().failed, 1u);
  EXPECT_EQ(store_.ends.at(sha256("a")).front().error_class, "crashed");
}

// As when the driver is in an interactive job.
TEST_F(QueueTest, TheVariablesOfTheDriversOwnJobAreNotHandedOn) {
  const std::pair<const char*, const char*> variables[] = {
      {"SLURM_JOB_ID", "7"}, {"SLURM_MEM_PER_CPU", "200"}, {"SLURM_CONF", "/etc/slurm.conf"}};
  for (const auto& [name, value] : variables) ::setenv(name, value, 1);
  script("sbatch", "env >\"$s/env\"");
  add({"a"});
  EXPECT_EQ(run().finished, 1u);
  for (const auto& [name, value] : variables) ::unsetenv(name);
  const std::string environment = read_text(slurm_ / "env");
  EXPECT_THAT(environment, HasSubstr("SLURM_CONF=/etc/slurm.conf\n"));
  EXPECT_THAT(environment, Not(HasSubstr("SLURM_MEM_PER_CPU")));
  EXPECT_THAT(environment, Not(HasSubstr("SLURM_JOB_ID")));
}

// Nothing is left that says so: no exit status, no event.
TEST_F(QueueTest, AJobThatDiesBeforeItsFirstEventIsNotSubmittedAgainAndAgain) {
  options_.settings["launch"] = "sh -c 'kill -9 -$PPID' {worker}";
  add({"a"});
  EXPECT_EQ(run().failed, 1u);
  EXPECT_EQ(store_.begun.size(), 3u);
  EXPECT_EQ(store_.ends.at(sha256("a")).back().error_class, "lost");
}

TEST_F(QueueTest, WhatAJobPrintedLastIsSaid) {
  schedule_.retries["lost"] = 0;
  options_.settings["before"] =
      "echo 'no module of this name' >\"$batch/output.$task.txt\"; kill -9 $$";
  script("sacct", "echo FAILED; exit 0");
  add({"a"});
  EXPECT_EQ(run().failed, 1u);
  EXPECT_EQ(store_.ends.at(sha256("a")).back().text,
            "job 101_0 of Slurm is gone from the queue: FAILED; its last words: no module of this "
            "name");
}

TEST_F(QueueTest, AWorkerThatCannotBeStartedStopsTheRun) {
  options_.settings["launch"] = "no-such-program {worker}";
  add({"a"});
  EXPECT_THAT(input_error([&] { run(); }), HasSubstr("no worker can be started: "));
}

// Another system, by its commands: qsub, qstat and qdel as PBS has them.
class TemplateTest : public QueueTest {
 protected:
  TemplateTest() {
    executor_ = "command";
    options_.settings.update({{"submit", "qsub -N {name} -l ncpus={cpus} {script}"},
                              {"status", "qstat {id}"},
                              {"cancel", "qdel {id}"},
                              {"id", R"(^(\d+)\.)"}});
    command("qsub", R"(id=$(($(cat "$s/last" 2>/dev/null || echo 100) + 1))
echo $id >"$s/last"
for script; do :; done
(setsid sh "$script" & echo $! >"$s/pids/$id"; wait $!; rm -f "$s/jobs/$id") >/dev/null 2>&1 &
touch "$s/jobs/$id"
echo "$id.pbs"
)");
    command("qstat", R"(status=0
for id; do
  if [ -e "$s/jobs/$id" ]; then echo "$id.pbs  qbitopt  me  0 R workq"
  else echo "qstat: Unknown Job Id $id.pbs" >&2; status=153; fi
done
exit $status
)");
    command("qdel", "for id; do kill $(cat $s/pids/$id); done\n");
  }
  void command(const std::string& name, const std::string& lines) {
    const fs::path file = folder_ / "bin" / name;
    std::ofstream(file) << "#!/bin/sh\ns=$FAKE_SLURM\nmkdir -p \"$s/jobs\" \"$s/pids\"\n"
                           "echo \"${0##*/} $*\" >>\"$s/calls\"\n[ ! -e \"$s/${0##*/}\" ] || . "
                           "\"$s/${0##*/}\"\n"
                        << lines;
    fs::permissions(file, fs::perms::owner_all);
  }
};

TEST_F(TemplateTest, RunsASweep) {
  add({"a", "b", "c"});
  rules({{{"step_seconds", 0.03}}});
  EXPECT_EQ(run().finished, 3u);
  expect_nothing_doubled();
  EXPECT_EQ(calls("qsub").size(), 3u);
  EXPECT_THAT(calls("qsub")[0], HasSubstr("-l ncpus=1 "));
  EXPECT_THAT(calls("qstat")[0], HasSubstr("qstat 101"));
  EXPECT_EQ(store_.queue_ids.at(sha256("a")).front().find('_'), std::string::npos);
}

TEST_F(TemplateTest, AJobThatItsErrorNamesIsGoneAndOneThatItDoesNotNameIsNot) {
  rules({{{"where", {{"name", "a"}}}, {"attempt", 1}, {"do", "hang"}},
         {{"where", {{"name", "b"}}}, {"step_seconds", 0.2}}});
  add({"a", "b"});
  script("qstat",
         "[ -e \"$s/up\" ] || { echo 'qstat: cannot connect to server pbs (errno=15010)' >&2; exit "
         "1; }");
  at_tick_ = [&] {
    if (!fs::exists(slurm_ / "jobs/101") || store_.begun.size() < 2 ||
        !fs::exists(fs::path(store_.begun[0].folder) / "events.jsonl") || calls("qstat").size() < 4)
      return;
    EXPECT_TRUE(store_.ends.empty()) << "a server that is away says nothing";
    std::ofstream(slurm_ / "up");
    const int pid = std::stoi(read_text(slurm_ / "pids/101"));
    fs::remove(slurm_ / "jobs/101");
    ::kill(-pid, SIGKILL);
  };
  EXPECT_EQ(run().finished, 2u);
  EXPECT_EQ(store_.begun.size(), 3u);
  EXPECT_EQ(store_.ends.at(sha256("a")).front().error_class, "lost");
  expect_finished();
}

TEST_F(TemplateTest, ASubmissionWithoutAnAnswerIsFoundByTheJobThatBegins) {
  options_.settings["patience_seconds"] = 0.5;
  options_.settings["grace_seconds"] = 5;
  command("qsub", R"(for script; do :; done
touch "$s/jobs/1"
(PBS_JOBID=1 setsid sh "$script" & echo $! >"$s/pids/1"; wait $!; rm -f "$s/jobs/1") >/dev/null 2>&1 &
sleep 30
)");
  rules({{{"step_seconds", 0.2}}});
  add({"a"});
  EXPECT_EQ(run().finished, 1u);
  expect_nothing_doubled();
  EXPECT_EQ(calls("qsub").size(), 1u);
}

TEST_F(TemplateTest, WithoutCommandsItSaysWhatItNeeds) {
  EXPECT_THAT(input_error([] { make_executor("command", {}); }),
              HasSubstr("the executor `command` needs to be told the commands"));
}

}  // namespace
}  // namespace qbitopt
