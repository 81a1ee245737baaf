#include "qbitopt/schedule/executors/local.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <set>

#include "core/errors.h"
#include "core/temporary_folder.h"
#include "qbitopt/core/error.h"
#include "qbitopt/job/spool.h"
#include "qbitopt/schedule/attempt_folder.h"
#include "qbitopt/schedule/executors/cores.h"
#include "qbitopt/schedule/executors/gpus.h"
#include "schedule/map_store.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using testing::named_job;

class LocalExecutorTest : public ::testing::Test {
 protected:
  LocalExecutorTest() {
    fs::remove_all(runs_);
    fs::create_directories(runs_);
    options_.worker = QBITOPT_FAKE_WORKER;
    options_.lock_file = runs_ / "workers.lock";
    options_.cores = 2;
    options_.grace = milliseconds(300);
  }
  ~LocalExecutorTest() override { ::unsetenv("FAKE_WORKER"); }

  Attempt attempt(const std::string& name) {
    const Attempt attempt = plan_attempt(runs_, named_job(name), 1);
    make_folder(attempt);
    return attempt;
  }
  int64_t pid_of(const Attempt& attempt) {
    SpoolReader spool(fs::path(attempt.folder) / "events.jsonl");
    return std::get<Started>(spool.read_new().at(0).body).pid;
  }
  static Outcome next_outcome(LocalExecutor& executor) {
    const auto outcomes = executor.poll(seconds(10));
    EXPECT_EQ(outcomes.size(), 1u);
    return outcomes.empty() ? Outcome{} : outcomes[0];
  }

  const TemporaryFolder temporary_;
  fs::path runs_ = temporary_.path();
  LocalExecutorOptions options_;
};

TEST_F(LocalExecutorTest, OneWorkerServesManyAttempts) {
  LocalExecutor executor(options_);
  std::set<int64_t> pids;
  for (const char* name : {"a", "b", "c"}) {
    const Attempt next = attempt(name);
    executor.submit(next, 1);
    const Outcome outcome = next_outcome(executor);
    EXPECT_EQ(outcome.key, next.job.key);
    EXPECT_EQ(outcome.reported, "finished");
    EXPECT_FALSE(outcome.exit_code);
    pids.insert(pid_of(next));
  }
  EXPECT_EQ(pids.size(), 1u);
}

std::vector<int> cores_of(int64_t pid) {
  cpu_set_t set;
  CPU_ZERO(&set);
  ::sched_getaffinity(static_cast<pid_t>(pid), sizeof(set), &set);
  std::vector<int> cores;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  }
  return cores;
}

TEST_F(LocalExecutorTest, PinnedWorkersHaveCoresOfTheirOwn) {
  const std::vector<int> allowed = allowed_cores();
  if (allowed.size() < 2) GTEST_SKIP() << "one core";
  ::setenv("FAKE_WORKER", R"([{"step_seconds": 30}])", 1);
  options_.pins_workers = true;
  LocalExecutor executor(options_);
  const Attempt a = attempt("a"), b = attempt("b");
  executor.submit(a, 1);
  executor.submit(b, 1);
  const auto first = cores_of(executor.process_of(a.job.key));
  const auto second = cores_of(executor.process_of(b.job.key));
  EXPECT_EQ(first.size(), 1u);
  EXPECT_EQ(second.size(), 1u);
  EXPECT_NE(first, second);
  EXPECT_EQ(allowed_cores(), allowed) << "this process itself is not pinned";
}

TEST_F(LocalExecutorTest, RoomIsCountedInCores) {
  ::setenv("FAKE_WORKER", R"([{"step_seconds": 30}])", 1);
  LocalExecutor executor(options_);
  EXPECT_TRUE(executor.has_room(2));
  EXPECT_TRUE(executor.has_room(64));  // gets all there are
  executor.submit(attempt("a"), 1);
  EXPECT_TRUE(executor.has_room(1));
  EXPECT_FALSE(executor.has_room(2));
  executor.submit(attempt("b"), 1);
  EXPECT_FALSE(executor.has_room(1));
}

TEST_F(LocalExecutorTest, RoomIsCountedInJobsIfAskedFor) {
  ::setenv("FAKE_WORKER", R"([{"step_seconds": 30}])", 1);
  options_.jobs = 1;
  LocalExecutor executor(options_);
  EXPECT_TRUE(executor.has_room(2));
  executor.submit(attempt("a"), 1);
  EXPECT_FALSE(executor.has_room(1));
}

TEST_F(LocalExecutorTest, IsMadeByName) {
  const auto executor =
      make_executor("local", {.worker = options_.worker, .runs_folder = runs_, .jobs = 2});
  EXPECT_EQ(executor->description(), "worker " + options_.worker.string() + "; jobs at a time: 2");
  EXPECT_EQ(executor->share(8), 0.5);
  EXPECT_EQ(executor->obstacle(), "");
  EXPECT_EQ(
      input_error([&] { make_executor("locl", {}); }),
      "unknown executor 'locl', did you mean 'local'?; known executors: command, local, slurm");
}

TEST_F(LocalExecutorTest, AShareIsCountedInCores) {
  LocalExecutor executor(options_);
  EXPECT_EQ(executor.share(1), 0.5);
  EXPECT_EQ(executor.share(64), 1);
}

TEST_F(LocalExecutorTest, EachWorkerHasTheGpuThatFewestUse) {
  ::setenv("FAKE_WORKER", R"([{"step_seconds": 30}])", 1);
  const fs::path script = runs_ / "worker.sh", seen = runs_ / "gpus.txt";
  std::ofstream(script) << "#!/bin/sh\necho \"$CUDA_VISIBLE_DEVICES\" >> " << seen.string()
                        << "\nexec " << QBITOPT_FAKE_WORKER << "\n";
  fs::permissions(script, fs::perms::owner_all);
  options_.worker = script;
  options_.gpus = {"0", "GPU-7"};
  options_.jobs = 4;
  LocalExecutor executor(options_);
  std::vector<std::string> gpus;
  for (const char* name : {"a", "b", "c", "d"}) {
    executor.submit(attempt(name), 1);
    const size_t started = gpus.size() + 1;
    while (gpus.size() < started) {
      executor.poll(milliseconds(5));
      gpus.clear();
      std::ifstream file(seen);
      for (std::string line; std::getline(file, line);) gpus.push_back(line);
    }
  }
  EXPECT_THAT(gpus, ::testing::ElementsAre("0", "GPU-7", "0", "GPU-7"));
}

TEST(GpusTest, AListNamesSomeOfThem) {
  using ::testing::ElementsAre;
  const std::vector<std::string> available = {"0", "1", "2", "3", "GPU-7"};
  EXPECT_EQ(choose_gpus("all", available), available);
  EXPECT_THAT(choose_gpus("1-3", available), ElementsAre("1", "2", "3"));
  EXPECT_THAT(choose_gpus("3,GPU-7,0-1", available), ElementsAre("3", "GPU-7", "0", "1"));
  const auto error_of = [](const std::string& list, const std::vector<std::string>& all) {
    return input_error([&] { choose_gpus(list, all); });
  };
  EXPECT_EQ(error_of("2-4", available),
            "--gpus 2-4: there is no GPU '4'; available: 0, 1, 2, 3, GPU-7");
  EXPECT_THAT(error_of("0", {}), HasSubstr("no NVIDIA driver"));
  EXPECT_THAT(error_of("0-1,1", available), HasSubstr("names GPU 1 twice"));
  EXPECT_THAT(error_of("3-1", available), HasSubstr("write 1-3"));
  EXPECT_THAT(error_of("", available), HasSubstr("takes a list"));
}

TEST(GpusTest, AreThoseThatAreVisible) {
  ::setenv("CUDA_VISIBLE_DEVICES", "2,GPU-7,-1,5", 1);
  EXPECT_THAT(available_gpus(), ::testing::ElementsAre("2", "GPU-7"));
  ::setenv("CUDA_VISIBLE_DEVICES", "", 1);
  EXPECT_TRUE(available_gpus().empty());
  ::unsetenv("CUDA_VISIBLE_DEVICES");
}

TEST_F(LocalExecutorTest, ACancelledAttemptCheckpointsAndIsReported) {
  ::setenv("FAKE_WORKER", R"([{"step_seconds": 30}])", 1);
  LocalExecutor executor(options_);
  const Attempt slow = attempt("a");
  executor.submit(slow, 1);
  executor.cancel(slow.job.key, StopLevel::kCheckpoint);
  const Outcome outcome = next_outcome(executor);
  EXPECT_EQ(outcome.reported, "interrupted");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_TRUE(fs::exists(slow.folder + "/checkpoint"));
}

TEST_F(LocalExecutorTest, AWorkerThatDoesNotTerminateIsKilled) {
  ::setenv("FAKE_WORKER", R"([{"do": "hang"}])", 1);
  LocalExecutor executor(options_);
  const Attempt deaf = attempt("a");
  executor.submit(deaf, 1);
  while (!fs::exists(deaf.folder + "/events.jsonl")) executor.poll(milliseconds(5));
  executor.cancel(deaf.job.key, StopLevel::kTerminate);
  EXPECT_EQ(next_outcome(executor).signal, SIGKILL);
}

TEST_F(LocalExecutorTest, StderrOfAWorkerThatCannotStartIsKept) {
  const fs::path broken = runs_ / "broken";
  std::ofstream(broken) << "#!/bin/sh\necho one >&2\necho two >&2\nexit 127\n";
  fs::permissions(broken, fs::perms::owner_all);
  options_.worker = broken;
  LocalExecutor executor(options_);
  executor.submit(attempt("a"), 1);
  const Outcome outcome = next_outcome(executor);
  EXPECT_EQ(outcome.reported, "");
  EXPECT_EQ(outcome.exit_code, 127);
  EXPECT_EQ(outcome.last_words, "two");
}

TEST_F(LocalExecutorTest, AMissingWorkerProgramIsNamed) {
  options_.worker = runs_ / "nothing";
  try {
    LocalExecutor executor(options_);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("no worker program at " + options_.worker.string()));
    EXPECT_THAT(error.what(), HasSubstr("QBITOPT_WORKER"));
  }
}

TEST_F(LocalExecutorTest, NothingStartsWhileAnotherDriversWorkersRun) {
  auto earlier = FileLock::try_lock(options_.lock_file);
  ASSERT_TRUE(earlier);
  LocalExecutor executor(options_);
  const Attempt orphan = attempt("a");
  executor.reattach(orphan);
  EXPECT_NE(executor.obstacle(), "");
  EXPECT_FALSE(executor.has_room(1));
  EXPECT_TRUE(executor.poll(milliseconds(1)).empty());
  earlier.reset();
  EXPECT_EQ(next_outcome(executor).key, orphan.job.key);
  EXPECT_TRUE(executor.has_room(1));
}

TEST_F(LocalExecutorTest, AnAttemptThatIsWorkedOnElsewhereIsWaitedFor) {
  const Attempt elsewhere = attempt("a");
  auto worker = FileLock::try_lock(fs::path(elsewhere.folder) / "lock");
  LocalExecutor executor(options_);
  executor.reattach(elsewhere);
  EXPECT_TRUE(executor.poll(milliseconds(1)).empty());
  worker.reset();
  EXPECT_EQ(next_outcome(executor).key, elsewhere.job.key);
}

// A child of this process stands in for the worker of a driver that died.
TEST_F(LocalExecutorTest, AnOrphanIsNamedWithItsJobAndCanBeKilled) {
  const Attempt left = attempt("a");
  const pid_t child = ::fork();
  if (child == 0) {
    const auto driver = FileLock::try_lock(options_.lock_file);
    const auto worker = FileLock::try_lock(fs::path(left.folder) / "lock");
    while (true) ::pause();
  }
  while (!FileLock::is_held(fs::path(left.folder) / "lock")) ::usleep(1000);
  LocalExecutor executor(options_);
  executor.reattach(left);
  const auto orphans = executor.orphans();
  ASSERT_EQ(orphans.size(), 1u);
  EXPECT_EQ(orphans[0].pid, child);
  EXPECT_EQ(orphans[0].key, left.job.key);
  EXPECT_FALSE(orphans[0].is_stopped);
  ::kill(child, SIGSTOP);
  while (!executor.orphans().at(0).is_stopped) ::usleep(1000);
  executor.cancel(left.job.key, StopLevel::kTerminate);
  EXPECT_TRUE(executor.poll(milliseconds(1)).empty());
  executor.cancel(left.job.key, StopLevel::kKill);
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(next_outcome(executor).key, left.job.key);
}

TEST_F(LocalExecutorTest, AWorkerHoldsTheLockOfItsDriver) {
  ::setenv("FAKE_WORKER", R"([{"step_seconds": 30}])", 1);
  std::optional<LocalExecutor> executor(options_);
  executor->submit(attempt("a"), 1);
  EXPECT_TRUE(FileLock::is_held(options_.lock_file));
  executor.reset();
  EXPECT_FALSE(FileLock::is_held(options_.lock_file));
}

}  // namespace
}  // namespace qbitopt
