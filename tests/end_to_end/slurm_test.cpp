// Sweeps on Slurm. A script stands in for its commands where the real ones are not needed; the last
// tests start Slurm itself, with this machine as its only node, where it is installed.
#include <gmock/gmock.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <thread>

#include "end_to_end/sandbox.h"
#include "end_to_end/sweeps.h"
#include "qbitopt/runlog/reader.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

const std::string kFast = "--queue poll=0.2 --queue collect=0.1 --queue grace=1 ";

class ClusterTest : public testing::Sandbox {
 protected:
  ClusterTest() {
    write("small.yaml", testing::kSmallSweep);
    ::unsetenv("SLURM_CONF");
  }

  std::vector<std::vector<Json>> query(const std::string& sql, const std::string& database) const {
    return Reader(folder_ / database).query(sql).rows;
  }
  // Everything about the runs that does not depend on when and where they ran.
  std::vector<std::vector<Json>> table(const std::string& database = "results/qbitopt.db") const {
    return query(
        "SELECT key, state, top1, loss, validation_top1, weight_bits, activation_bits, steps FROM "
        "runs ORDER BY key",
        database);
  }
  // Steps of a curve that were logged twice.
  std::vector<std::vector<Json>> doubled() const {
    return query(
        "SELECT key, split, metric, step FROM curves GROUP BY key, split, metric, step HAVING "
        "count(*) > 1",
        "results/qbitopt.db");
  }
  // An attempt is on its way.
  bool has_begun_one() const {
    try {
      return !query("SELECT 1 FROM attempt WHERE last_event > 5", "results/qbitopt.db").empty();
    } catch (const std::exception&) {  // the database is in the making
      return false;
    }
  }
  void kill_hard(WorkerProcess& driver) {
    driver.signal(SIGKILL);
    wait_until([&] { return driver.try_reap().has_value(); });
  }
};

class SlurmCommandsTest : public ClusterTest {
 protected:
  SlurmCommandsTest() {
    for (const char* name : {"sbatch", "squeue", "scancel", "scontrol", "sacct"}) {
      fs::create_directories(folder_ / "bin");
      fs::create_symlink(QBITOPT_FAKE_SLURM, folder_ / "bin" / name);
    }
    fs::create_directories(folder_ / "slurm");
    environment_["PATH"] = (folder_ / "bin").string() + ":" + std::getenv("PATH");
    environment_["FAKE_SLURM"] = (folder_ / "slurm").string();
  }
};

TEST_F(SlurmCommandsTest, GiveTheTableOfALocalRun) {
  const testing::Result local = qbitopt("run small.yaml --db here.db");
  const testing::Result slurm = qbitopt("run small.yaml --executor slurm " + kFast);
  EXPECT_EQ(slurm.exit_code, 0) << slurm.err;
  EXPECT_THAT(slurm.err, HasSubstr("10 jobs: 10 finished, 0 cached"));
  EXPECT_THAT(slurm.err, HasSubstr("submitted "));
  EXPECT_THAT(slurm.err, Not(HasSubstr("started "))) << "they wait in the queue";
  EXPECT_EQ(slurm.out, local.out);
  EXPECT_EQ(table(), table("here.db"));
}

TEST_F(SlurmCommandsTest, APlanPrintsTheScript) {
  const testing::Result plan = qbitopt(
      "plan small.yaml --executor slurm --partition gpu --account me --time 2h --queue memory=16G "
      "--launch 'apptainer exec --nv image.sif {worker}'");
  EXPECT_EQ(plan.exit_code, 0) << plan.err;
  for (const char* line :
       {"#SBATCH --partition=gpu\n", "#SBATCH --account=me\n", "#SBATCH --time=120\n",
        "#SBATCH --mem=16384M\n", "exec apptainer exec --nv image.sif '/"})
    EXPECT_THAT(plan.out, HasSubstr(line));
  EXPECT_FALSE(fs::exists(folder_ / "results"));
  EXPECT_THAT(qbitopt("plan small.yaml").out, Not(HasSubstr("#SBATCH")));
}

TEST_F(SlurmCommandsTest, TheSweepFileMayChooseIt) {
  write("small.yaml", testing::kSmallSweep +
                          "run: {executor: slurm, slurm: {partition: short, poll: 0.2s, collect: "
                          "0.1s}}\n");
  EXPECT_EQ(qbitopt("run small.yaml --partition long").exit_code, 0);
  EXPECT_THAT(read("slurm/scripts/101"), HasSubstr("#SBATCH --partition=long\n"));
}

TEST_F(SlurmCommandsTest, WrongOptionsAreSaidBeforeAnythingIsWritten) {
  const std::pair<const char*, const char*> mistakes[] = {
      {"--partition gpu",
       "--partition is for a cluster, whose jobs run without this program; say "
       "--executor slurm, too"},
      {"--detach", "--detach is for a cluster"},
      {"--executor slrum --queue pack=1h", "--queue is for a cluster"},
      {"--executor slurm --queue memry=3G",
       "--queue: unknown key 'memry' in run.slurm, did you "
       "mean 'memory'?"},
      {"--executor slurm --queue memory=3",
       "run.slurm.memory must be a size like 900M, 16G or 1T, found "
       "the number 3"},
      {"--executor slurm --time soon", "a time must be a number above 0"},
      {"--executor slurm --queue memory", "--queue takes KEY=VALUE, like memory=16G, not 'memory'"},
  };
  for (const auto& [options, text] : mistakes) {
    const testing::Result result = qbitopt(std::string("run small.yaml ") + options);
    EXPECT_EQ(result.exit_code, 2) << options;
    EXPECT_THAT(result.err, HasSubstr(text));
  }
  EXPECT_FALSE(fs::exists(folder_ / "results"));
}

TEST_F(SlurmCommandsTest, ADetachedRunIsWatchedAndGoneOnWith) {
  write("slurm/hold", "");
  const testing::Result left = qbitopt("run small.yaml --executor slurm --detach " + kFast);
  EXPECT_EQ(left.exit_code, 0) << left.err;
  EXPECT_EQ(left.out, "") << "no table of what has not run";
  EXPECT_THAT(left.err,
              HasSubstr("10 jobs: 0 finished, 0 cached, 9 not finished, 1 left in the queue"));
  EXPECT_THAT(qbitopt("watch --once").out, HasSubstr("  job 101_0  queued: Resources\n"));
  {
    const auto driver = start_qbitopt("run small.yaml --executor slurm " + kFast);
    wait_until(
        [&] { return qbitopt("watch --once").out.find("queued: Resources") != std::string::npos; });
    kill_hard(*driver);
  }
  fs::remove(folder_ / "slurm/hold");
  const testing::Result rest = qbitopt("run small.yaml --executor slurm " + kFast);
  EXPECT_THAT(rest.err, HasSubstr("attached to "));
  EXPECT_THAT(rest.err, HasSubstr("10 jobs: 10 finished, 0 cached"));
  EXPECT_THAT(read("slurm/calls"), Not(HasSubstr("scancel")));
  EXPECT_EQ(query("SELECT count(*) FROM attempt", "results/qbitopt.db")[0][0], 10);
  EXPECT_THAT(qbitopt("ls").out, HasSubstr(" 101_0 "));
  EXPECT_EQ(query("SELECT count(*) FROM runs WHERE queue_id IS NULL", "results/qbitopt.db")[0][0],
            0);
}

TEST_F(SlurmCommandsTest, CtrlCLeavesTheJobsInTheQueue) {
  write("slurm/hold", "");
  {
    const auto driver = start_qbitopt("run small.yaml --executor slurm " + kFast);
    wait_until([&] { return read("slurm/calls").find("squeue") != std::string::npos; });
    driver->signal(SIGINT);
    wait_until([&] { return driver->try_reap().has_value(); });
    EXPECT_EQ(WEXITSTATUS(*driver->try_reap()), 130);
  }
  EXPECT_THAT(read("background.err"),
              HasSubstr("leaving the jobs in the queue, where the next run finds them; a second "
                        "signal within 5 s cancels them"));
  EXPECT_THAT(read("background.err"), HasSubstr("1 left in the queue"));
  EXPECT_THAT(read("slurm/calls"), Not(HasSubstr("scancel")));
  fs::remove(folder_ / "slurm/hold");
  const testing::Result rest = qbitopt("run small.yaml --executor slurm " + kFast);
  EXPECT_THAT(rest.err, HasSubstr("10 jobs: 10 finished, 0 cached"));
  EXPECT_EQ(query("SELECT count(*) FROM attempt", "results/qbitopt.db")[0][0], 10);
}

TEST_F(SlurmCommandsTest, ALocalRunTakesOverWhatIsStillQueued) {
  write("slurm/hold", "");
  ASSERT_EQ(qbitopt("run small.yaml --executor slurm --detach " + kFast).exit_code, 0);
  EXPECT_THAT(qbitopt("run small.yaml").err, HasSubstr("10 jobs: 10 finished"));
  fs::remove(folder_ / "slurm/hold");
  // The queue begins them now, and they do nothing.
  const auto is_empty = [&] {
    std::system(("FAKE_SLURM='" + environment_["FAKE_SLURM"] + "' '" +
                 (folder_ / "bin/squeue").string() + "' >/dev/null")
                    .c_str());
    return fs::is_empty(folder_ / "slurm/jobs");
  };
  wait_until(is_empty);
  const auto given_up =
      query("SELECT folder FROM attempt WHERE state = 'interrupted'", "results/qbitopt.db");
  ASSERT_EQ(given_up.size(), 1u);
  EXPECT_FALSE(
      fs::exists(folder_ / "results" / given_up[0][0].get<std::string>() / "events.jsonl"));
}

TEST_F(SlurmCommandsTest, QueuedJobsAreCancelledWhereTheyAre) {
  write("slurm/hold", "");
  ASSERT_EQ(qbitopt("run small.yaml --executor slurm --detach " + kFast).exit_code, 0);
  const testing::Result result = qbitopt("cancel small");
  EXPECT_THAT(result.err, HasSubstr("10 cancelled"));
  EXPECT_THAT(read("slurm/calls"), HasSubstr("scancel --name=qbitopt-"));
  EXPECT_TRUE(fs::is_empty(folder_ / "slurm/jobs"));
  EXPECT_EQ(count("failed"), 10u);
}

// Slurm itself.
class RealSlurmTest : public ClusterTest {
 protected:
  void SetUp() override {
    for (const char* program :
         {"/usr/sbin/slurmctld", "/usr/sbin/slurmd", "/usr/sbin/munged", "/usr/bin/sbatch"}) {
      if (!fs::exists(program))
        GTEST_SKIP() << program << " is not there; Debian: apt-get install slurm-wlm munge";
    }
    if (::geteuid() != 0) GTEST_SKIP() << "the daemons of Slurm want to be root's";
    fs::create_directories(folder_ / "slurm");
    is_started_ = true;
    ASSERT_EQ(slurm("start"), 0) << read("slurm.log");
    environment_["SLURM_CONF"] = (folder_ / "slurm/slurm.conf").string();
  }
  void TearDown() override {
    if (is_started_) slurm("stop");
  }

  int slurm(const std::string& what) const {
    return std::system((std::string(QBITOPT_ONE_NODE_SLURM) + " " + what + " '" +
                        (folder_ / "slurm").string() + "' >'" + (folder_ / "slurm.log").string() +
                        "' 2>&1")
                           .c_str());
  }
  // Runs the sweep while `trouble` happens to it, once an attempt has begun, and again until it is
  // done. Expects the table of a local run, and nothing doubled. Returns what the driver said.
  std::string run_through(const std::function<void()>& trouble, const std::string& options = "") {
    auto rules = environment_.extract("FAKE_WORKER");
    EXPECT_EQ(qbitopt("run small.yaml --db here.db").exit_code, 0);
    if (rules.empty())
      set_rules({{{"step_seconds", 0.1}}});
    else
      environment_.insert(std::move(rules));
    const std::string command = "run small.yaml --executor slurm " + kFast + options;
    {
      const auto driver = start_qbitopt(command);
      wait_until([&] { return has_begun_one(); }, /*seconds=*/60);
      trouble();
      wait_until([&] { return driver->try_reap().has_value(); }, /*seconds=*/180);
      EXPECT_EQ(WEXITSTATUS(*driver->try_reap()), 0) << read("background.err");
    }
    EXPECT_EQ(table(), table("here.db"));
    EXPECT_TRUE(doubled().empty());
    return read("background.err");
  }
  // The id of a job that runs: "1_0".
  std::string running_job() const {
    std::string id;
    wait_until([&] {
      id = output_of("squeue --noheader --array --states=RUNNING --format=%i | head -n 1");
      return !id.empty();
    });
    return id.substr(0, id.find('\n'));
  }
  // Why attempts ended that did not finish, one a line.
  std::string ends() const {
    std::string text;
    for (const auto& row : query("SELECT COALESCE(error_class, '') || ': ' || COALESCE(error_text, "
                                 "'') FROM attempt WHERE state != 'finished' ORDER BY id",
                                 "results/qbitopt.db"))
      text += row[0].get<std::string>() + "\n";
    return text;
  }

  std::string output_of(const std::string& command) const {
    const std::string file = (folder_ / "output").string();
    const int status = std::system(("export SLURM_CONF='" + environment_.at("SLURM_CONF") + "'; (" +
                                    command + ") >'" + file + "' 2>&1")
                                       .c_str());
    EXPECT_EQ(status, 0) << command << ": " << read("output");
    return read("output");
  }

 private:
  bool is_started_ = false;
};

// A part of sweeps/smoke.yaml with fewer steps, by the worker that trains.
TEST_F(RealSlurmTest, FashionMnistGivesTheResultsOfALocalRun) {
  environment_["QBITOPT_WORKER"] = QBITOPT_WORKER;
  write("fashion.yaml", "qbitopt: 1\nname: fashion\nextends: " QBITOPT_EXPERIMENTS
                        R"(/fashion_mnist/mobilenet_v2_tiny.yaml
set:
  data: {validation_images: 100}
  pretraining: {_delete_: true, steps: 60, batch_size: 32, learning_rate: 0.05, warmup_steps: 20, threads: 1}
  training: {steps: 6, batch_size: 32, learning_rate: 0.001, threads: 1}
  calibration: {batches: 1}
  ranges: {learning_rate: 1e-4}
  batch_norm: {reestimate_batches: 1, freeze_at: 1}
  reallocation: {tau: 2}
cases:
  fp32:    {set: {method: fp32}}
  qbitopt: {set: {method: qbitopt, budget.average_bits: 3}}
)");
  const testing::Result slurm = qbitopt("run fashion.yaml --executor slurm " + kFast);
  EXPECT_EQ(slurm.exit_code, 0) << slurm.err;
  const testing::Result local = qbitopt("run fashion.yaml --db here.db");
  EXPECT_EQ(local.exit_code, 0) << local.err;
  EXPECT_EQ(slurm.out, local.out);
  EXPECT_EQ(table().size(), 2u);
  EXPECT_EQ(table(), table("here.db"));
}

TEST_F(RealSlurmTest, ACancelledJobAndAKilledDriverCostNothingButTime) {
  ASSERT_EQ(qbitopt("run small.yaml --db here.db").exit_code, 0);
  set_rules({{{"where", {{"method", "fp32"}}}, {"attempt", 1}, {"step_seconds", 0.5}},
             {{"step_seconds", 0.1}}});
  {
    const auto driver = start_qbitopt("run small.yaml --executor slurm " + kFast);
    // Its script passes the signal on, and the worker writes a checkpoint.
    std::string running;
    wait_until([&] {
      if (!has_begun_one()) return false;
      running = output_of("squeue --noheader --array --states=RUNNING --format=%i | head -n 1");
      return !running.empty();
    });
    output_of("scancel " + running);
    wait_until([&] { return count("finished") >= 2; });
    kill_hard(*driver);
  }
  const testing::Result rest = qbitopt("run small.yaml --executor slurm " + kFast);
  EXPECT_EQ(rest.exit_code, 0) << rest.err;
  EXPECT_EQ(table(), table("here.db"));
  EXPECT_TRUE(doubled().empty());
  EXPECT_EQ(query("SELECT count(*) FROM attempt WHERE number > 1", "results/qbitopt.db")[0][0], 1)
      << "only the cancelled one";
  EXPECT_GT(
      query("SELECT resumed_from_step FROM attempt WHERE number > 1", "results/qbitopt.db")[0][0],
      0)
      << "its worker had written a checkpoint";
}

TEST_F(RealSlurmTest, AfterCtrlCTwiceTheQueueIsEmptyAndTheNextRunGoesOn) {
  set_rules({{{"where", {{"method", "fp32"}}}, {"attempt", 1}, {"step_seconds", 1}}});
  {
    const auto driver = start_qbitopt("run small.yaml --executor slurm " + kFast);
    wait_until([&] { return has_begun_one(); });
    driver->signal(SIGINT);
    wait_until([&] { return read("background.err").find("leaving") != std::string::npos; });
    driver->signal(SIGINT);
    wait_until([&] { return driver->try_reap().has_value(); }, /*seconds=*/60);
    EXPECT_EQ(WEXITSTATUS(*driver->try_reap()), 130);
  }
  EXPECT_EQ(output_of("squeue --noheader --states=PENDING,RUNNING"), "");
  const testing::Result rest = qbitopt("run small.yaml --executor slurm " + kFast);
  EXPECT_THAT(rest.err, HasSubstr("from its checkpoint"));
  EXPECT_THAT(rest.err, HasSubstr("10 jobs: 10 finished, 0 cached"));
}

TEST_F(RealSlurmTest, AJobThatWasLeftInTheQueueIsCancelledThere) {
  set_rules({{{"where", {{"method", "fp32"}}}, {"step_seconds", 1}}});
  ASSERT_EQ(qbitopt("run small.yaml --executor slurm --detach " + kFast).exit_code, 0);
  running_job();
  const std::string stranger =
      output_of("sbatch --parsable --begin=now+1hour --job-name=mine --wrap=true");
  const auto folder = query("SELECT folder FROM attempt ORDER BY id LIMIT 1", "results/qbitopt.db");
  const fs::path attempt = folder_ / "results" / folder[0][0].get<std::string>();
  wait_until([&] { return fs::exists(attempt / "events.jsonl"); });
  const testing::Result result = qbitopt("cancel small");
  EXPECT_THAT(result.err, HasSubstr("10 cancelled"));
  EXPECT_EQ(output_of("squeue --noheader --states=PENDING,RUNNING --format=%i"), stranger);
  EXPECT_TRUE(fs::exists(attempt / "checkpoint"));
}

// Its jobs ask not to be requeued; an administrator can do it all the same. Slurm begins the requeued
// job after two minutes, to no effect: its attempt has begun before.
TEST_F(RealSlurmTest, ARequeuedJobIsContinuedByAnotherAttemptSlow) {
  set_rules({{{"where", {{"method", "fp32"}}}, {"attempt", 1}, {"step_seconds", 2}},
             {{"step_seconds", 0.1}}});
  run_through([&] {
    const std::string id = running_job();
    output_of("scontrol update jobid=" + id + " requeue=1 && scontrol requeue " + id);
  });
  EXPECT_THAT(ends(), MatchesRegex("(lost|preempted): [^\n]*\n"));
}

TEST_F(RealSlurmTest, AWorkerThatIsKilledIsReplaced) {
  run_through([&] {
    const auto pid = query("SELECT pid FROM attempt WHERE state = 'running' AND pid > 0 LIMIT 1",
                           "results/qbitopt.db");
    ASSERT_EQ(pid.size(), 1u);
    ::kill(pid[0][0].get<pid_t>(), SIGKILL);
  });
  EXPECT_EQ(ends(), "lost: the worker was killed by signal 9 (Killed)\n");
}

TEST_F(RealSlurmTest, AJobThatUsesTooMuchMemoryIsTriedAgainSlow) {
  set_rules(
      {{{"where", {{"method", "fp32"}}}, {"attempt", 1}, {"megabytes", 300}, {"step_seconds", 60}},
       {{"step_seconds", 0.1}}});
  run_through([] {}, "--queue memory=100M");
  EXPECT_THAT(ends(), MatchesRegex("(lost|out_of_memory): [^\n]*\n"));
}

TEST_F(RealSlurmTest, JobsOfANodeThatGoesDownAreTriedAgainSlow) {
  set_rules({{{"where", {{"method", "fp32"}}}, {"attempt", 1}, {"step_seconds", 2}},
             {{"step_seconds", 0.1}}});
  run_through([&] {
    const std::string node = "scontrol update nodename=$(hostname -s) state=";
    output_of(node + "DOWN reason=test");
    wait_until([&] { return !ends().empty(); }, /*seconds=*/60);
    output_of(node + "RESUME || true");  // it may have come back by itself
  });
  EXPECT_THAT(ends(), HasSubstr(": "));
  EXPECT_THAT(ends(), Not(HasSubstr("crashed")));
}

TEST_F(RealSlurmTest, JobsOutliveADaemonOfTheirNodeSlow) {
  run_through([&] {
    EXPECT_EQ(slurm("kill-slurmd"), 0);
    std::this_thread::sleep_for(std::chrono::seconds(3));
    EXPECT_EQ(slurm("restart-slurmd"), 0);
  });
  EXPECT_EQ(ends(), "");
}

// Slurm saves what it knows within 5 s. Killed sooner, it begins a job again that runs, and then takes
// its node for broken.
constexpr std::chrono::seconds kUntilSaved{7};

TEST_F(RealSlurmTest, NothingIsLostWhileTheControllerIsAwaySlow) {
  // No job is submitted in the seconds before it dies.
  set_rules({{{"where", {{"method", "fp32"}}}, {"step_seconds", 3}}});
  const std::string said = run_through([&] {
    std::this_thread::sleep_for(kUntilSaved);
    EXPECT_EQ(slurm("kill-slurmctld"), 0);
    // Far more than the grace of a second; squeue itself tries for ten.
    std::this_thread::sleep_for(std::chrono::seconds(20));
    EXPECT_EQ(slurm("restart-slurmctld"), 0);
  });
  EXPECT_THAT(said, HasSubstr("Slurm does not answer"));
  EXPECT_EQ(ends(), "");
}

// A job array that was accepted right after the end of another job is not saved yet.
TEST_F(RealSlurmTest, WhatTheControllerForgetsIsSubmittedAgainSlow) {
  set_rules({{{"where", {{"method", "fp32"}}}, {"step_seconds", 0.2}}, {{"step_seconds", 1}}});
  run_through(
      [&] {
        wait_until([&] {
          return query("SELECT count(*) FROM attempt WHERE slurm_id IS NOT NULL",
                       "results/qbitopt.db")[0][0] == 10;
        });
        EXPECT_EQ(slurm("kill-slurmctld"), 0);
        EXPECT_EQ(slurm("restart-slurmctld"), 0);
      },
      "--jobs 20");
  EXPECT_THAT(ends(), MatchesRegex("(forgotten: job [^\n]* never began\n)*"));
}

TEST_F(RealSlurmTest, NothingIsLostWhileTheControllerIsAwayForTwoMinutesSlow) {
  set_rules({{{"where", {{"method", "fp32"}}}, {"step_seconds", 10}}});
  run_through([&] {
    std::this_thread::sleep_for(kUntilSaved);
    EXPECT_EQ(slurm("kill-slurmctld"), 0);
    std::this_thread::sleep_for(std::chrono::minutes(2));
    EXPECT_EQ(slurm("restart-slurmctld"), 0);
  });
  EXPECT_EQ(ends(), "");
}

// Slurm sends its signal up to a minute early: at once, in a partition with a limit of one minute.
TEST_F(RealSlurmTest, ATimeLimitThatIsTooShortIsMetByCheckpointsSlow) {
  set_rules({{{"where", {{"method", "fp32"}}}, {"step_seconds", 8}}});
  const std::string said = run_through([] {}, "--partition short");
  EXPECT_THAT(said, HasSubstr("partition 'short' of Slurm ends jobs after 1 minute: runs that"));
  EXPECT_THAT(ends(), HasSubstr("preempted: the time limit of its job was near\n"));
  EXPECT_THAT(ends(), Not(HasSubstr("timeout")));
}

TEST_F(RealSlurmTest, ATimeLimitWithoutASingleCheckpointEndsTheRunSlow) {
  set_rules({{{"step_seconds", 600}}});
  const testing::Result result =
      qbitopt("run small.yaml --executor slurm --partition short " + kFast);
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(ends(), HasSubstr("timeout: 3 attempts in a row met the time limit of their job"));
}

TEST_F(RealSlurmTest, MoreTimeThanThePartitionGivesIsRefusedAtOnce) {
  const testing::Result result =
      qbitopt("run small.yaml --executor slurm --partition short --time 5m " + kFast);
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("`time` is 5 minutes, but partition 'short' of Slurm ends jobs "
                                    "after 1 minute; give a shorter time"));
}

TEST_F(RealSlurmTest, WhatSlurmRefusesIsSaidInItsWords) {
  const testing::Result result =
      qbitopt("run small.yaml --executor slurm --partition nowhere " + kFast);
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("sbatch refused the jobs: sbatch: error: Batch job submission "
                                    "failed: Invalid partition name specified"));
}

}  // namespace
}  // namespace qbitopt
