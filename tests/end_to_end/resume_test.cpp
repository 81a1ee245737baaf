// What survives when programs die: the driver, a worker, the disk.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <future>

#include "end_to_end/sandbox.h"
#include "end_to_end/sweeps.h"
#include "qbitopt/core/file_lock.h"
#include "qbitopt/job/spool.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

class ResumeTest : public testing::Sandbox {
 protected:
  ResumeTest() { write("small.yaml", testing::kSmallSweep); }

  // What does not depend on when and where a job ran.
  static std::map<std::string, Json> table(const std::map<std::string, Json>& jobs) {
    std::map<std::string, Json> table;
    for (const auto& [name, job] : jobs) {
      for (const char* column : {"job", "state", "top1", "weight_bits", "activation_bits"}) {
        table[name][column] = job[column];
      }
    }
    return table;
  }

  // The same sweep, run without trouble.
  std::map<std::string, Json> table_without_trouble() {
    set_rules(Json::array());
    EXPECT_EQ(qbitopt("run small.yaml --db calm.db").exit_code, 0);
    std::map<std::string, Json> jobs;
    for (const Json& job : json_of("ls --db calm.db")) {
      jobs[job["method"].dump() + " " + job["bits"].dump() + " " + job["seed"].dump()] = job;
    }
    return table(jobs);
  }

  // First and last time at which each attempt of a job wrote something, by attempt.
  std::vector<std::pair<double, double>> times_of(const Json& job) {
    std::vector<std::pair<double, double>> times;
    const fs::path attempts = folder_ / "results/qbitopt.runs" / job["job"].get<std::string>();
    for (int number = 1; fs::exists(attempts / std::to_string(number)); ++number) {
      const auto events =
          SpoolReader(attempts / std::to_string(number) / "events.jsonl").read_new();
      if (!events.empty())
        times.emplace_back(events.front().unix_seconds, events.back().unix_seconds);
    }
    return times;
  }

  // Rule: the first attempt of fixed_precision at `bits` with `seed` runs until it is stopped.
  static Json held(int bits, int seed) {
    return {{"where", {{"budget.average_bits", bits}, {"seed", seed}}},
            {"attempt", 1},
            {"step_seconds", 100}};
  }

  // The process that runs this job; 0: none has reported yet.
  pid_t pid_of_running(int bits, int seed) {
    for (const Json& job : json_of("ls --state running")) {
      if (job["method"] != "fixed_precision" || job["bits"] != bits || job["seed"] != seed)
        continue;
      const Json attempts = json_of("show " + job["job"].get<std::string>())["attempts"];
      return attempts.back()["pid"].get<pid_t>();
    }
    return 0;
  }

  bool is_held(int bits, int seed) {
    return count("running") > 0 && pid_of_running(bits, seed) != 0;
  }

  static bool has_progress(const fs::path& spool) {
    const auto events = SpoolReader(spool).read_new();
    return std::any_of(events.begin(), events.end(), [](const Event& event) {
      return std::holds_alternative<Progress>(event.body);
    });
  }

  std::vector<int64_t> worker_pids() {
    std::vector<int64_t> pids;
    for (const auto& [name, job] : jobs()) {
      const Json shown = json_of("show " + job["job"].get<std::string>());
      for (const Json& attempt : shown["attempts"]) {
        if (attempt["pid"] != 0) pids.push_back(attempt["pid"]);
      }
    }
    return pids;
  }
};

TEST_F(ResumeTest, ASecondRunFindsEverythingCachedAndIsFast) {
  EXPECT_EQ(qbitopt("run small.yaml").exit_code, 0);
  const auto begun = std::chrono::steady_clock::now();
  const testing::Result second = qbitopt("run small.yaml");
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begun;
  EXPECT_EQ(second.exit_code, 0);
  EXPECT_THAT(second.err, HasSubstr("10 jobs: 0 finished, 10 cached"));
  EXPECT_LT(elapsed.count(), 2);
}

TEST_F(ResumeTest, AKilledDriverLosesNothing) {
  set_rules(Json::array({held(2, 2), held(3, 1)}));
  auto driver = start_qbitopt("run small.yaml --jobs 2");
  wait_until([&] { return count("finished") >= 3 && is_held(2, 2) && is_held(3, 1); });
  driver->signal(SIGKILL);
  wait_until([&] { return driver->try_reap().has_value(); });

  const testing::Result again = qbitopt("run small.yaml");
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_THAT(again.err, Not(HasSubstr("0 cached")));

  const auto jobs_after = jobs();
  EXPECT_EQ(jobs_after.size(), 10u);
  int resumed = 0;
  for (const auto& [name, job] : jobs_after) {
    const auto times = times_of(job);
    resumed += times.size() > 1;
    for (size_t i = 1; i < times.size(); ++i)
      EXPECT_LE(times[i - 1].second, times[i].first) << name;
  }
  EXPECT_EQ(resumed, 2);  // only those that ran when the driver died
  for (const int64_t pid : worker_pids()) {
    SCOPED_TRACE(pid);
    wait_until([&] { return !is_alive(pid); });
  }
  EXPECT_EQ(table(jobs_after), table_without_trouble());
}

TEST_F(ResumeTest, AKilledWorkersJobIsReportedAndTriedAgainWhileTheOthersGoOn) {
  set_rules(Json::array({held(3, 1)}));
  auto driver = start_qbitopt("run small.yaml --jobs 2");
  wait_until([&] { return is_held(3, 1); });
  EXPECT_EQ(::kill(pid_of_running(3, 1), SIGKILL), 0);
  wait_until([&] { return driver->try_reap().has_value(); });
  EXPECT_EQ(driver->try_reap(), 0);
  EXPECT_THAT(
      read("background.err"),
      HasSubstr("lost: the worker was killed by signal 9 (Killed); log: results/qbitopt.runs/"));
  EXPECT_THAT(read("background.err"), HasSubstr("it will be tried again"));
  EXPECT_EQ(table(jobs()), table_without_trouble());
}

TEST_F(ResumeTest, AWorkerThatKeepsDyingFailsItsJobAndTheOthersGoOn) {
  set_rules({{{"where", {{"budget.average_bits", 3}, {"seed", 1}}},
              {"do", "crash"},
              {"signal", SIGSEGV}}});
  const testing::Result result = qbitopt("run small.yaml");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.err,
              HasSubstr("crashed: the worker was killed by signal 11 (Segmentation fault); "
                        "log: results/qbitopt.runs/"));
  EXPECT_THAT(result.err, HasSubstr("10 jobs: 9 finished, 0 cached, 1 failed"));
  EXPECT_THAT(result.err, HasSubstr("`qbitopt retry --failed` runs them again"));

  const testing::Result again = qbitopt("run small.yaml");
  EXPECT_EQ(again.exit_code, 3);
  EXPECT_THAT(again.err, HasSubstr("0 finished, 9 cached, 1 failed before"));

  set_rules(Json::array());
  EXPECT_EQ(qbitopt("retry --failed").exit_code, 0);
  EXPECT_EQ(table(jobs()), table_without_trouble());
}

TEST_F(ResumeTest, CtrlCCheckpointsAndTheNextRunGoesOnFromThere) {
  set_rules(
      {{{"where", {{"method", "fp32"}}}, {"attempt", 1}, {"step_seconds", 0.05}, {"steps", 400}}});
  auto driver = start_qbitopt("run small.yaml");
  wait_until([&] { return count("running") >= 1; });
  const std::string key = json_of("ls --where \"method = 'fp32'\"")[0]["job"];
  const fs::path attempts = folder_ / "results/qbitopt.runs" / key;
  wait_until([&] { return has_progress(attempts / "1/events.jsonl"); });
  driver->signal(SIGINT);
  wait_until([&] { return driver->try_reap().has_value(); });
  EXPECT_EQ(WEXITSTATUS(*driver->try_reap()), 130);
  EXPECT_THAT(read("background.err"), HasSubstr("stopping: running jobs write a checkpoint"));
  EXPECT_EQ(count("interrupted"), 1u);  // the job that all others need
  EXPECT_EQ(qbitopt("run small.yaml").exit_code, 0);
  const auto events = SpoolReader(attempts / "2/events.jsonl").read_new();
  EXPECT_GT(std::get<Started>(events.at(0).body).resumed_from_step, 0);
}

TEST_F(ResumeTest, SigtermEndsInGoodOrder) {
  set_rules({{{"step_seconds", 0.05}, {"steps", 400}}});
  auto driver = start_qbitopt("run small.yaml");
  wait_until([&] { return count("running") >= 1; });
  driver->signal(SIGTERM);
  wait_until([&] { return driver->try_reap().has_value(); });
  EXPECT_EQ(WEXITSTATUS(*driver->try_reap()), 143);
}

// As Slurm does (--signal=USR1@300); a second one asks for nothing more.
TEST_F(ResumeTest, Sigusr1CheckpointsAndTheNextRunGoesOnFromThere) {
  set_rules(
      {{{"where", {{"method", "fp32"}}}, {"attempt", 1}, {"step_seconds", 0.05}, {"steps", 400}}});
  auto driver = start_qbitopt("run small.yaml");
  wait_until([&] { return count("running") >= 1; });
  const std::string key = json_of("ls --where \"method = 'fp32'\"")[0]["job"];
  const fs::path attempts = folder_ / "results/qbitopt.runs" / key;
  wait_until([&] { return has_progress(attempts / "1/events.jsonl"); });
  driver->signal(SIGUSR1);
  driver->signal(SIGUSR1);
  wait_until([&] { return driver->try_reap().has_value(); });
  EXPECT_EQ(WEXITSTATUS(*driver->try_reap()), 143);
  EXPECT_THAT(read("background.err"), HasSubstr("stopping: running jobs write a checkpoint"));
  EXPECT_EQ(count("interrupted"), 1u);
  EXPECT_EQ(qbitopt("run small.yaml").exit_code, 0);
  const auto events = SpoolReader(attempts / "2/events.jsonl").read_new();
  EXPECT_GT(std::get<Started>(events.at(0).body).resumed_from_step, 0);
}

TEST_F(ResumeTest, ASecondDriverIsRefusedAndToldWhoIsAtWork) {
  set_rules({{{"step_seconds", 0.05}, {"steps", 400}}});
  auto driver = start_qbitopt("run small.yaml");
  wait_until([&] { return count("running") >= 1; });
  const testing::Result second = qbitopt("run small.yaml");
  EXPECT_EQ(second.exit_code, 5);
  EXPECT_THAT(second.err, HasSubstr("another driver is using results/qbitopt.db (process " +
                                    std::to_string(driver->pid())));
  EXPECT_EQ(qbitopt("retry --failed").exit_code, 5);
}

// A driver on another machine, to which a file system without locks does not show the lock of this
// one: a host name of its own, and another file in place of the lock.
class TwoHostsTest : public ResumeTest {
 protected:
  void SetUp() override {
    if (std::system("unshare --uts --mount true 2>/dev/null") != 0)
      GTEST_SKIP() << "`unshare --uts --mount` is not allowed here; it needs root";
    write("elsewhere.sh",
          "hostname elsewhere\n: >other.lock\n[ ! -e results/qbitopt.db.lock ] || "
          "mount --bind other.lock results/qbitopt.db.lock\nexec '" QBITOPT_PROGRAM "' \"$@\"\n");
  }
  testing::Result elsewhere(const std::string& arguments) const {
    std::string command = "cd '" + folder_.string() + "' && ";
    for (const auto& [name, value] : environment_)
      command += "export " + name + "='" + value + "' && ";
    const int status = std::system(
        (command + "unshare --uts --mount sh elsewhere.sh " + arguments + " >other.out 2>other.err")
            .c_str());
    return {WEXITSTATUS(status), read("other.out"), read("other.err")};
  }
};

TEST_F(TwoHostsTest, ADriverElsewhereThatLivesIsRespected) {
  set_rules({{{"step_seconds", 0.05}, {"steps", 400}}});
  auto driver = start_qbitopt("run small.yaml");
  wait_until([&] { return count("running") >= 1; });
  const testing::Result second = elsewhere("run small.yaml");
  EXPECT_EQ(second.exit_code, 5) << second.err;
  EXPECT_THAT(second.err, HasSubstr("another driver is using results/qbitopt.db (process " +
                                    std::to_string(driver->pid()) + " on "));
  EXPECT_THAT(elsewhere("watch --once").out, Not(HasSubstr("no driver is running")));
}

TEST_F(TwoHostsTest, ADriverElsewhereThatEndedIsNotWaitedFor) {
  ASSERT_EQ(elsewhere("run small.yaml ~cases.fixed").exit_code, 0);
  EXPECT_FALSE(fs::exists(folder_ / "results/qbitopt.db.driver"));
  EXPECT_EQ(qbitopt("run small.yaml").exit_code, 0);
}

TEST_F(TwoHostsTest, ADriverElsewhereThatDiedIsReplacedSlow) {
  set_rules({{{"where", {{"method", "fp32"}}}, {"attempt", 1}, {"step_seconds", 1}}});
  {
    auto driver = start_qbitopt("run small.yaml");
    wait_until([&] { return count("running") >= 1; });
    driver->signal(SIGKILL);
    wait_until([&] { return driver->try_reap().has_value(); });
  }
  const testing::Result second = elsewhere("run small.yaml");
  EXPECT_EQ(second.exit_code, 0) << second.err;
  EXPECT_EQ(table(jobs()), table_without_trouble());
}

TEST_F(TwoHostsTest, ADriverThatStoodStillAndWasReplacedEndsSlow) {
  set_rules({{{"where", {{"method", "fp32"}}}, {"attempt", 1}, {"step_seconds", 10}}});
  auto driver = start_qbitopt("run small.yaml");
  wait_until([&] { return count("running") >= 1; });
  driver->signal(SIGSTOP);
  auto second = std::async(std::launch::async, [&] { return elsewhere("run small.yaml"); });
  wait_until([&] { return read("other.err").find("workers of an earlier") != std::string::npos; },
             60);
  driver->signal(SIGCONT);
  wait_until([&] { return driver->try_reap().has_value(); }, 60);
  EXPECT_EQ(WEXITSTATUS(*driver->try_reap()), 5);
  EXPECT_THAT(read("background.err"),
              HasSubstr("another driver has taken over results/qbitopt.db"));
  EXPECT_EQ(second.get().exit_code, 0) << read("other.err");
  EXPECT_EQ(table(jobs()), table_without_trouble());
}

TEST_F(ResumeTest, ResultsStandUntilTheirJobsHaveFinishedAgain) {
  ASSERT_EQ(qbitopt("run small.yaml").exit_code, 0);
  const auto before = table(jobs());
  set_rules({{{"attempt", 2}, {"step_seconds", 100}}});
  auto driver = start_qbitopt("run small.yaml --again");
  wait_until([&] {
    const Json attempts = json_of(
        "sql \"SELECT count(*) AS n FROM attempt WHERE state = 'running' "
        "AND started_at IS NOT NULL\"");
    return attempts[0]["n"] > 0;
  });
  EXPECT_EQ(table(jobs()), before);
  driver->signal(SIGINT);
  wait_until([&] { return driver->try_reap().has_value(); });
  EXPECT_EQ(table(jobs()), before);

  set_rules(Json::array());
  const testing::Result again = qbitopt("run small.yaml");
  EXPECT_THAT(again.err, HasSubstr("10 jobs: 10 finished, 0 cached"));
  EXPECT_EQ(table(jobs()), before);
}

// Stored before training.accumulate was a parameter, say.
TEST_F(ResumeTest, ARetriedJobOfAnOlderVersionHasTheParametersAddedSince) {
  ASSERT_EQ(qbitopt("run small.yaml").exit_code, 0);
  const std::string key = json_of("ls").front()["job"];
  SQLite::Database(folder_ / "results/qbitopt.db", SQLite::OPEN_READWRITE)
      .exec(
          "UPDATE job SET parameters = "
          "replace(parameters, '.accumulate\":1', '.unknown_once\":1')");
  ASSERT_EQ(qbitopt("retry " + key).exit_code, 0);
  const Json attempt =
      Json::parse(read("results/qbitopt.runs/" + key + "/2/job.json"))["job"]["parameters"];
  const std::string stage = attempt["method"] == "fp32" ? "pretraining" : "training";
  EXPECT_EQ(attempt.value(stage + ".unknown_once", 0), 1);
  EXPECT_EQ(attempt.value(stage + ".accumulate", 0), 1);
}

TEST_F(ResumeTest, AJobThatFailsWhenItIsRunAgainKeepsItsResult) {
  ASSERT_EQ(qbitopt("run small.yaml").exit_code, 0);
  const auto before = table(jobs());
  set_rules({{{"attempt", 2}, {"do", "fail"}}});
  const testing::Result again = qbitopt("run small.yaml --again");
  EXPECT_EQ(again.exit_code, 3);
  EXPECT_THAT(again.err, HasSubstr("their earlier results are kept"));
  EXPECT_EQ(table(jobs()), before);
}

TEST_F(ResumeTest, AModelThatWasDamagedIsRefusedNamedAndMadeAnew) {
  ASSERT_EQ(qbitopt("run small.yaml ~cases.fixed").exit_code, 0);
  const std::string key = json_of("ls")[0]["job"];
  const std::string model = "results/qbitopt.runs/" + key + "/1/model";
  write(model, "weights of another job");
  const testing::Result refused = qbitopt("run small.yaml");
  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_THAT(refused.err, HasSubstr("damaged_input: "));
  EXPECT_THAT(refused.err, HasSubstr(model + ": changed since job " + key + " left"));
  const testing::Result checked = qbitopt("db check --artifacts");
  EXPECT_EQ(checked.exit_code, 4);
  EXPECT_THAT(checked.err, HasSubstr(model + ": changed since job " + key + " left"));
  const testing::Result again = qbitopt("retry " + key);  // and what failed for want of it
  EXPECT_THAT(again.err, HasSubstr("10 jobs: 10 finished"));
  EXPECT_EQ(qbitopt("db check --artifacts").exit_code, 0);
  EXPECT_EQ(table(jobs()), table_without_trouble());
}

TEST_F(ResumeTest, AnOrphanIsNamedWithItsJobAndWhatItDoes) {
  set_rules({{{"attempt", 1}, {"do", "hang"}}});
  auto driver = start_qbitopt("run small.yaml");
  wait_until([&] { return count("running") > 0; });
  const std::string key = json_of("ls --state running")[0]["job"];
  wait_until([&] { return FileLock::is_held(folder_ / "results/qbitopt.runs" / key / "1/lock"); });
  driver->signal(SIGKILL);
  wait_until([&] { return driver->try_reap().has_value(); });

  set_rules(Json::array());
  auto next = start_qbitopt("run small.yaml");
  const auto has_said = [&](const std::string& text) {
    return read("background.err").find(text) != std::string::npos;
  };
  wait_until([&] { return has_said("which works on job " + key + ", writes its checkpoint"); });
  const std::string said = read("background.err");
  const std::string pid = said.substr(said.find("process ") + 8);
  const pid_t orphan = std::atoi(pid.c_str());
  ::kill(orphan, SIGSTOP);
  wait_until([&] {
    return has_said("process " + std::to_string(orphan) + ", which works on job " + key +
                    ", is stopped: `kill -CONT " + std::to_string(orphan) + "`");
  });
  ::kill(orphan, SIGKILL);
  wait_until([&] { return next->try_reap().has_value(); });
  EXPECT_EQ(next->try_reap(), 0);
  EXPECT_EQ(count("finished"), 10u);
}

TEST_F(ResumeTest, ALockedDatabaseIsWaitedForAndItsHolderNamed) {
  ASSERT_EQ(qbitopt("run small.yaml ~cases.fixed").exit_code, 0);
  SQLite::Database browser((folder_ / "results/qbitopt.db").string(), SQLite::OPEN_READWRITE);
  browser.exec("BEGIN IMMEDIATE");
  auto driver = start_qbitopt("run small.yaml");
  const std::string who = "waiting for process " + std::to_string(::getpid()) + " (";
  wait_until([&] { return read("background.err").find(who) != std::string::npos; });
  EXPECT_THAT(read("background.err"), HasSubstr("which has locked results/qbitopt.db"));
  EXPECT_FALSE(driver->try_reap());
  browser.exec("ROLLBACK");
  wait_until([&] { return driver->try_reap().has_value(); });
  EXPECT_EQ(driver->try_reap(), 0);
}

TEST_F(ResumeTest, AFileWhereTheJobsFolderBelongsIsNamed) {
  write("results/qbitopt.runs", "mine");
  const testing::Result result = qbitopt("run small.yaml");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("results/qbitopt.runs: Not a directory"));
}

TEST_F(ResumeTest, AChangedSweepSaysWhatIsNewAndWhatIsLeft) {
  EXPECT_EQ(qbitopt("run small.yaml").exit_code, 0);
  write("small.yaml", testing::small_sweep("3, 4, 5"));
  const testing::Result changed = qbitopt("run small.yaml");
  ASSERT_EQ(changed.exit_code, 0) << changed.err;
  EXPECT_THAT(changed.err, HasSubstr("the sweep has changed: +3 new, -3 orphaned, 7 cached"));
}

TEST_F(ResumeTest, AFullDiskIsSaidAndTheNextRunGoesOn) {
  const fs::path disk = folder_ / "disk";
  fs::create_directories(disk);
  if (std::system(
          ("mount -t tmpfs -o size=600k tmpfs " + disk.string() + " 2>/dev/null").c_str()) != 0) {
    GTEST_SKIP() << "cannot mount a small disk";
  }
  set_rules({{{"steps", 400}}});
  const auto begun = std::chrono::steady_clock::now();
  const testing::Result full = qbitopt("run small.yaml --db disk/qbitopt.db");
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10));
  EXPECT_TRUE(full.exit_code == 3 || full.exit_code == 4) << full.exit_code << full.err;
  EXPECT_THAT(full.err,
              ::testing::AnyOf(HasSubstr("No space left on device"), HasSubstr("disk is full")));
  EXPECT_EQ(std::system(("mount -o remount,size=100m " + disk.string()).c_str()), 0);
  const testing::Result again = qbitopt("run small.yaml --db disk/qbitopt.db");
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(std::system(("umount -l " + disk.string()).c_str()), 0);
}

// The real worker, without room for its events, or for its lock.
TEST_F(ResumeTest, NoRoomForTheFilesOfAJobIsAFullDiskAndTheNextRunGoesOn) {
  environment_["QBITOPT_WORKER"] = QBITOPT_WORKER;
  write("tiny.yaml", R"(qbitopt: 1
name: tiny
set:
  method: fp32
  model: resnet8
  data: {name: synthetic, image_size: 8, train_images: 32, validation_images: 8, test_images: 8}
  pretraining: {steps: 2, batch_size: 8}
)");
  const std::string disk = (folder_ / "results/qbitopt.runs").string();
  for (const std::string room : {"size=4k", "size=1m,nr_inodes=5"}) {
    fs::remove_all(folder_ / "results");
    fs::create_directories(disk);
    if (std::system(("mount -t tmpfs -o " + room + " tmpfs " + disk + " 2>/dev/null").c_str()) != 0)
      GTEST_SKIP() << "cannot mount a small disk";
    const testing::Result full = qbitopt("run tiny.yaml");
    EXPECT_EQ(full.exit_code, 3) << full.err;
    EXPECT_THAT(full.err, HasSubstr("interrupted: disk_full: ")) << room;
    EXPECT_THAT(full.err, HasSubstr(": No space left on device; log: ")) << room;
    EXPECT_EQ(std::system(("mount -o remount,size=9m,nr_inodes=99 " + disk).c_str()), 0);
    EXPECT_EQ(qbitopt("run tiny.yaml").exit_code, 0) << room;
    EXPECT_EQ(std::system(("umount -l " + disk).c_str()), 0);
  }
}

}  // namespace
}  // namespace qbitopt
