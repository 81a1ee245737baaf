// What the verbs print.
#include <gmock/gmock.h>

#include "end_to_end/sandbox.h"
#include "end_to_end/sweeps.h"

namespace qbitopt {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class CommandLineTest : public testing::Sandbox {
 protected:
  CommandLineTest() { write("small.yaml", testing::kSmallSweep); }
};

TEST_F(CommandLineTest, HelpListsTheVerbsAndEachVerbItsOptions) {
  const std::string help = qbitopt("--help").out;
  for (const char* verb :
       {"plan", "run", "watch", "ls", "show", "retry", "solve", "methods", "models", "doctor"}) {
    EXPECT_THAT(help, HasSubstr(verb));
    EXPECT_THAT(qbitopt(std::string(verb) + " --help").out,
                HasSubstr(std::string("usage: qbitopt ") + verb));
    EXPECT_EQ(qbitopt(std::string("help ") + verb).exit_code, 0);
  }
}

TEST_F(CommandLineTest, VersionIsOneLine) {
  EXPECT_THAT(qbitopt("--version").out, ::testing::MatchesRegex("qbitopt [0-9.]+.*\n"));
}

TEST_F(CommandLineTest, APlanCountsAndWritesNothing) {
  const testing::Result result = qbitopt("plan small.yaml");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, HasSubstr("sweep small: 10 jobs, and 0 that they need"));
  EXPECT_THAT(result.out, ::testing::ContainsRegex("fixed +9 +0 +9 +0 +0 +0\n"));
  EXPECT_THAT(result.out, ::testing::ContainsRegex("budget.average_bits +2: 3, 3: 3, 4: 3\n"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "results"));
}

TEST_F(CommandLineTest, APlanKnowsWhatIsCachedAndHowLongTheRestTakes) {
  write("small.yaml", testing::small_sweep("2, 3"));
  ASSERT_EQ(qbitopt("run small.yaml").exit_code, 0);
  write("small.yaml", testing::kSmallSweep);
  const Json plan = json_of("plan small.yaml");
  EXPECT_EQ(plan["counts"]["states"]["finished"], 7);
  EXPECT_EQ(plan["counts"]["states"]["new"], 3);
  EXPECT_GT(plan["estimated_hours"], 0);
  EXPECT_THAT(qbitopt("plan small.yaml").out,
              HasSubstr("changes since the last run: +3 new, -0 orphaned, 7 kept"));
}

// 90 epochs of 1,271,167 images at 6,417 images a second are 4.95 hours; half the size is a
// quarter.
TEST_F(CommandLineTest, APlanAssumesTheSpeedOfAGpuUntilItIsMeasured) {
  write("photos/train/n01440764/1.JPEG", "");
  write("photos/val/n01440764/1.JPEG", "");
  write("photos.yaml", R"(qbitopt: 1
name: photos
set: {method: fp32, model: resnet18, data: {name: imagenet, root: photos}, device: cuda,
      pretraining: {epochs: 90, batch_size: 256}}
grid: {data.image_size: [224, 112]}
)");
  const Json assumed = json_of("plan photos.yaml");
  EXPECT_NEAR(assumed["assumed_gpu_hours"].get<double>(), 1.25 * 90 * 1271167 / 6417 / 3600, 1e-6);
  EXPECT_TRUE(assumed["estimated_gpu_hours"].is_null());
  EXPECT_THAT(
      qbitopt("plan photos.yaml").out,
      HasSubstr("about 6.2 GPU-hours for 2 of kinds that were never run, assuming one NVIDIA H100, "
                "the speed of QBitOpt in float32 for every method, training.deterministic: false "
                "(resnet18 and mobilenet_v2 as measured, other networks scaled by MACs, other "
                "sizes by pixels) and epochs of the published data; without evaluation; a few "
                "steps of each kind would replace this by a measured speed; checkpoints"));
  ASSERT_EQ(qbitopt("run photos.yaml pretraining.epochs=0 pretraining.steps=4").exit_code, 0);
  EXPECT_TRUE(json_of("plan photos.yaml")["assumed_gpu_hours"].is_null());
  EXPECT_THAT(qbitopt("plan photos.yaml").out,
              AllOf(HasSubstr("GPU-hours; checkpoints"), Not(HasSubstr("assuming"))));
}

TEST_F(CommandLineTest, WithoutATerminalARunIsOneLineForEachChangeOfState) {
  const testing::Result result = qbitopt("run small.yaml");
  EXPECT_THAT(result.out, IsEmpty());
  EXPECT_THAT(result.err, ::testing::ContainsRegex("started [0-9a-f]+ fp32 seed=0\n"));
  EXPECT_THAT(
      result.err,
      ::testing::ContainsRegex(
          "finished 10/10 [0-9a-f]+ fixed_precision average_bits=[234] seed=[0-2]: top-1 "));
  EXPECT_THAT(result.err, Not(HasSubstr("\x1b")));
  EXPECT_THAT(qbitopt("run small.yaml --again -q").err, IsEmpty());
}

TEST_F(CommandLineTest, AgainRunsFinishedJobsAgain) {
  ASSERT_EQ(qbitopt("run small.yaml").exit_code, 0);
  EXPECT_THAT(qbitopt("run small.yaml --again").err, HasSubstr("10 jobs: 10 finished, 0 cached"));
}

TEST_F(CommandLineTest, LsSelectsAndShowTellsEverything) {
  ASSERT_EQ(qbitopt("run small.yaml").exit_code, 0);
  EXPECT_EQ(json_of("ls").size(), 10u);
  EXPECT_EQ(json_of("ls small").size(), 10u);
  const testing::Result other = qbitopt("ls other");
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.err, HasSubstr("unknown sweep 'other'"));
  EXPECT_EQ(json_of("ls --where \"bits = 3\"").size(), 3u);
  EXPECT_EQ(json_of("ls --sweeps")[0]["finished"], 10);
  const Json job = json_of("ls --where 'seed = 2'")[0];
  const std::string shown = qbitopt("show " + job["job"].get<std::string>().substr(0, 6)).out;
  EXPECT_THAT(shown, HasSubstr("needs fp32_checkpoint of job"));
  EXPECT_THAT(shown, HasSubstr("budget.average_bits"));
  EXPECT_THAT(shown,
              HasSubstr("results/qbitopt.runs/" + job["job"].get<std::string>() + "/1/log.txt"));
  EXPECT_EQ(json_of("show " + job["job"].get<std::string>())["run"]["top1"], job["top1"]);
}

TEST_F(CommandLineTest, RetryChoosesByACondition) {
  set_rules({{{"where", {{"method", "fixed_precision"}}},
              {"attempt", 1},
              {"do", "fail"},
              {"class", "data"}}});
  EXPECT_EQ(qbitopt("run small.yaml").exit_code, 3);
  EXPECT_THAT(qbitopt("retry --failed --where 'seed = 1'").err,
              HasSubstr("4 jobs: 3 finished, 1 cached"));
  EXPECT_THAT(qbitopt("retry --failed").err, HasSubstr("7 jobs: 6 finished, 1 cached"));
  EXPECT_THAT(qbitopt("retry --failed").err, HasSubstr("no failed jobs"));
}

TEST_F(CommandLineTest, AFailedNeedIsRetriedWithWhatWaitedForIt) {
  set_rules({{{"where", {{"method", "fp32"}}}, {"attempt", 1}, {"do", "fail"}}});
  const testing::Result failed = qbitopt("run small.yaml");
  EXPECT_EQ(failed.exit_code, 3);
  EXPECT_THAT(failed.err, HasSubstr("1 failed, 9 blocked by a failed job"));
  EXPECT_THAT(qbitopt("retry --failed").err, HasSubstr("10 jobs: 10 finished"));
}

TEST_F(CommandLineTest, WatchLooksFromOutside) {
  ASSERT_EQ(qbitopt("run small.yaml").exit_code, 0);
  EXPECT_THAT(qbitopt("watch --once").out, HasSubstr("no driver is running"));
  EXPECT_EQ(json_of("watch --once")["driver"], false);
}

TEST_F(CommandLineTest, PartsAreListedAndDescribed) {
  EXPECT_THAT(qbitopt("methods").out, HasSubstr("qbitopt"));
  EXPECT_THAT(qbitopt("methods qbitopt").out, HasSubstr("Peters et al., 2023"));
  EXPECT_THAT(qbitopt("models").out, HasSubstr("mobilenet_v2_tiny"));
  EXPECT_THAT(qbitopt("sensitivities").out, HasSubstr("fit"));
  EXPECT_THAT(qbitopt("solvers").out, HasSubstr("relax_greedy"));
  EXPECT_THAT(qbitopt("models resnet9").err, HasSubstr("unknown model 'resnet9'"));
}

TEST_F(CommandLineTest, TheDoctorFindsTheWorkerAndWhatIsMissing) {
  EXPECT_EQ(qbitopt("doctor").exit_code, 0);
  environment_["QBITOPT_WORKER"] = "/nowhere";
  const testing::Result result = qbitopt("doctor");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.out, ::testing::ContainsRegex("worker +MISSING +/nowhere is missing"));
}

}  // namespace
}  // namespace qbitopt
