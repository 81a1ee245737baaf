// What the user sees when something is wrong: the words, and the exit status.
#include <gmock/gmock.h>

#include "end_to_end/sandbox.h"
#include "end_to_end/sweeps.h"

namespace qbitopt {
namespace {

using ::testing::HasSubstr;

class ErrorsTest : public testing::Sandbox {
 protected:
  // What `qbitopt run` says about a sweep with these lines after its head; nothing may have been
  // started.
  std::string complaint(const std::string& lines) {
    write("sweep.yaml", "qbitopt: 1\nname: wrong\n" + lines);
    const testing::Result result = qbitopt("run sweep.yaml");
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_FALSE(std::filesystem::exists(folder_ / "results/qbitopt.db"));
    return result.err;
  }
};

TEST_F(ErrorsTest, AnUnknownKeyHasItsPlaceACaretAndTheNearestKey) {
  const std::string text = complaint(
      "set: {method: qbitopt, model: resnet8, data.name: synthetic,\n"
      "      budget.avrage_bits: 3}\n");
  EXPECT_THAT(text, HasSubstr("sweep.yaml:4:7: "));
  EXPECT_THAT(text, HasSubstr("unknown key 'budget.avrage_bits'"));
  EXPECT_THAT(text, HasSubstr("budget.average_bits"));
  EXPECT_THAT(text, HasSubstr("\n        budget.avrage_bits: 3}\n        ^\n"));
}

TEST_F(ErrorsTest, AWrongTypeSaysWhatWasExpected) {
  const std::string text =
      complaint("set: {method: fp32, model: resnet8, data.name: synthetic, seed: many}\n");
  EXPECT_THAT(text, HasSubstr("sweep.yaml:3:"));
  EXPECT_THAT(text, HasSubstr("seed"));
  EXPECT_THAT(text, HasSubstr("many"));
  EXPECT_THAT(text, HasSubstr("int"));
}

TEST_F(ErrorsTest, AnEmptyGridIsAnError) {
  const std::string text = complaint(
      "set: {method: fixed_precision, model: resnet8, data.name: synthetic}\n"
      "grid: {budget.average_bits: []}\n");
  EXPECT_THAT(text, HasSubstr("sweep.yaml:4:"));
  EXPECT_THAT(text, HasSubstr("empty"));
}

TEST_F(ErrorsTest, UnknownPartsListTheKnownOnes) {
  EXPECT_THAT(complaint("set: {method: qbitop, model: resnet8, data.name: synthetic}\n"),
              HasSubstr("unknown method 'qbitop'"));
  EXPECT_THAT(
      complaint("set: {method: fp32, model: resnet9, data.name: synthetic}\n"),
      ::testing::AllOf(
          HasSubstr("unknown model 'resnet9'"),
          HasSubstr(
              "mobilenet_v2_tiny, mobilenet_v3_small, resnet18, resnet20, resnet50, resnet8")));
  EXPECT_THAT(
      complaint(
          "set: {method: qbitopt, model: resnet8, data.name: synthetic, budget.average_bits: 3,\n"
          "      solver: gredy}\n"),
      ::testing::AllOf(HasSubstr("unknown solver 'gredy'"), HasSubstr("relax_greedy")));
}

TEST_F(ErrorsTest, MissingDataSaysHowToGetIt) {
  const std::string text = complaint(
      "set: {method: fp32, model: resnet8, pretraining.steps: 5,\n"
      "      data.name: fashion_mnist, data.root: /nowhere}\n");
  EXPECT_THAT(text, HasSubstr("/nowhere"));
  EXPECT_THAT(text, HasSubstr("dataset-fashion-mnist"));
}

TEST_F(ErrorsTest, AMissingSweepFileNamesTheOnesThereAre) {
  write("sweeps/quick.yaml", "");
  const testing::Result result = qbitopt("run quik");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("unknown sweep 'quik', did you mean 'quick'?"));
}

TEST_F(ErrorsTest, AMissingCheckpointFailsTheJobsThatNeedItAndSaysHowToMakeItAgain) {
  write("small.yaml", testing::small_sweep("2"));
  ASSERT_EQ(qbitopt("run small.yaml").exit_code, 0);
  write("small.yaml", testing::kSmallSweep);
  const std::string parent = json_of("ls --where \"method = 'fp32'\"")[0]["job"];
  std::filesystem::remove(folder_ / "results/qbitopt.runs" / parent / "1/model");
  const testing::Result result = qbitopt("run small.yaml");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.err, HasSubstr("missing_input: "));
  EXPECT_THAT(result.err, HasSubstr(parent));
}

TEST_F(ErrorsTest, ADatabaseOfAnotherProgramIsRefusedAndUntouched) {
  write("small.yaml", testing::kSmallSweep);
  write("other.db", "This is no database at all, but a text that is dear to someone.\n");
  const testing::Result result = qbitopt("run small.yaml --db other.db");
  EXPECT_EQ(result.exit_code, 4) << result.err;
  EXPECT_THAT(result.err, HasSubstr("other.db"));
  EXPECT_EQ(read("other.db"), "This is no database at all, but a text that is dear to someone.\n");
}

TEST_F(ErrorsTest, AMissingDatabaseIsNotMadeByAReader) {
  const testing::Result result = qbitopt("ls");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("results/qbitopt.db"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "results"));
}

TEST_F(ErrorsTest, AMissingWorkerIsNamed) {
  write("small.yaml", testing::kSmallSweep);
  environment_["QBITOPT_WORKER"] = "/nowhere/qbitopt-worker";
  const testing::Result result = qbitopt("run small.yaml");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("no worker program at /nowhere/qbitopt-worker"));
}

TEST_F(ErrorsTest, AnAmbiguousOrUnknownKeyIsRefused) {
  write("small.yaml", testing::kSmallSweep);
  ASSERT_EQ(qbitopt("run small.yaml").exit_code, 0);
  EXPECT_THAT(qbitopt("show zz").err, HasSubstr("no job 'zz'"));
  EXPECT_EQ(qbitopt("show zz").exit_code, 2);
}

TEST_F(ErrorsTest, WrongArgumentsEndWithStatusTwo) {
  EXPECT_EQ(qbitopt("rn").exit_code, 2);
  EXPECT_THAT(qbitopt("rn").err, HasSubstr("unknown verb 'rn'"));
  EXPECT_THAT(qbitopt("run").err, HasSubstr("run needs a sweep"));
  EXPECT_THAT(qbitopt("ls --stat new").err, HasSubstr("--stat"));
  write("small.yaml", testing::kSmallSweep);
  EXPECT_THAT(qbitopt("run small.yaml --jobs some").err,
              HasSubstr("--jobs takes 'auto' or a number of at least 1, not 'some'"));
}

TEST_F(ErrorsTest, WrongSqlInAConditionIsTheUsersTrouble) {
  write("small.yaml", testing::kSmallSweep);
  ASSERT_EQ(qbitopt("run small.yaml").exit_code, 0);
  const testing::Result result = qbitopt("ls --where 'top1 >< 3'");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("syntax error"));
}

}  // namespace
}  // namespace qbitopt
