// What is said about a sweep before anything runs.
#include <gmock/gmock.h>

#include "end_to_end/sandbox.h"
#include "end_to_end/sweeps.h"

namespace qbitopt {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kGrammar = "qbitopt: 1\n";
constexpr const char* kModelAndData =
    "set: {model: resnet8, data.name: synthetic, pretraining.steps: 10, training.steps: 10}\n";

class PlanTest : public testing::Sandbox {
 protected:
  // What `plan` refuses, and `run` as well, before it starts anything.
  std::string complaint(const std::string& sweep, const std::string& arguments = "") {
    write("s.yaml", sweep);
    const testing::Result planned = qbitopt("plan s.yaml " + arguments);
    EXPECT_EQ(planned.exit_code, 2) << planned.out;
    const testing::Result run = qbitopt("run s.yaml " + arguments);
    EXPECT_EQ(run.exit_code, 2) << run.out;
    EXPECT_EQ(run.err, planned.err);
    return planned.err;
  }
};

TEST_F(PlanTest, ASweepWithoutStepsOrBudgetIsRefused) {
  EXPECT_THAT(complaint("qbitopt: 1\nset: {method: fp32, model: resnet8, data.name: synthetic}\n"),
              HasSubstr("job 'fp32' trains for 0 steps; set pretraining.epochs or "
                        "pretraining.steps"));
  EXPECT_THAT(
      complaint(std::string(kGrammar) + kModelAndData + "cases: {q: {set: {method: qbitopt}}}\n"),
      HasSubstr("s.yaml:3:9: job 'qbitopt' has no budget; set one of budget.average_bits, "
                "budget.weights, budget.activations, budget.joint, budget.weight_bytes, "
                "budget.bops"));
}

TEST_F(PlanTest, WhatAWorkerWouldRefuseIsRefused) {
  const auto with = [&](const std::string& set) {
    return complaint(std::string(kGrammar) + kModelAndData +
                     "cases: {q: {set: {method: qbitopt, budget.average_bits: 3, " + set + "}}}\n");
  };
  EXPECT_THAT(with("training.steps: 0"), HasSubstr("set training.epochs or training.steps"));
  EXPECT_THAT(with("training: {nesterov: true, momentum: 0}"),
              HasSubstr("'training.nesterov' needs a momentum above 0"));
  EXPECT_THAT(with("training.batch_size: 4000"),
              HasSubstr("a batch of 4000 images ('training.batch_size') is more than the 2000"));
  EXPECT_THAT(with("pretraining.distillation: 0.5"), HasSubstr("'fp32' does not start from one"));
  EXPECT_THAT(with("quantizers.range_init: lsq"), HasSubstr("use mse, minmax or percentile"));
  EXPECT_THAT(with("quantizers.first_last_bits: 1"), HasSubstr("need at least 2 bits"));
  EXPECT_THAT(with("sensitivity: loss_delta, loss_delta.samples: 5000"),
              HasSubstr("'loss_delta.samples' asks for 5000 images"));
  EXPECT_THAT(with("fit.weights: split, training.batch_size: 7"),
              HasSubstr("split halves each batch"));
}

TEST_F(PlanTest, ATeacherThatIsNotThereOrTeachesNothingIsRefused) {
  const auto with = [&](const std::string& set) {
    return complaint(std::string(kGrammar) + kModelAndData +
                     "cases: {q: {set: {method: qbitopt, budget.average_bits: 3, " + set + "}}}\n");
  };
  EXPECT_THAT(
      with("training.distillation: 0.5, teacher.model: resnet99"),
      AllOf(HasSubstr("s.yaml:3:"), HasSubstr("unknown model 'resnet99'"), HasSubstr("resnet20")));
  EXPECT_THAT(
      with("teacher.model: resnet20"),
      HasSubstr("teacher.model 'resnet20' has no effect, because 'training.distillation' is 0"));
  EXPECT_THAT(with("training.distillation: 0.5, teacher: {model: resnet18, weights: nowhere}"),
              HasSubstr("nowhere/resnet18.safetensors"));
}

TEST_F(PlanTest, ABudgetThatNoBitsOrNoSolverCanMeetIsRefused) {
  const auto with = [&](const std::string& set) {
    return complaint(std::string(kGrammar) + kModelAndData + "cases: {q: {set: {" + set + "}}}\n");
  };
  // resnet8 has 76,288 weights between its first and its last layer.
  EXPECT_THAT(with("method: qbitopt, budget.weight_bytes: 19071"),
              HasSubstr("infeasible budget: 'budget.weight_bytes' is 19071, but resnet8 needs at "
                        "least 19072 bytes"));
  EXPECT_THAT(with("method: fixed_precision, budget.bops: 1000"),
              HasSubstr("infeasible budget: 'budget.bops' is 1000, but resnet8 needs at least"));
  EXPECT_THAT(
      with("method: qbitopt, budget.bops: 1e9"),
      HasSubstr("solver 'relax_greedy' cannot meet 'budget.bops', in which the bits of weights and "
                "activations are multiplied; solvers that can: milp, random, uniform"));
  EXPECT_THAT(with("method: qbitopt, solver: exact, budget.weight_bytes: 50000, budget.weights: 4"),
              HasSubstr("solver 'exact' takes one budget per quantizer, but 'budget.weight_bytes' "
                        "and 'budget.weights' limit the same quantizers; solvers that take both: "
                        "milp, random, relax_greedy, uniform"));
  EXPECT_THAT(with("method: qbitopt, budget.weight_bytes: 50000, budget.weighting: macs"),
              HasSubstr("'budget.weight_bytes' counts elements, but budget.weighting is 'macs'"));
}

TEST_F(PlanTest, TablesAreReadBeforeAnythingRuns) {
  const std::string sweep = std::string(kGrammar) + kModelAndData +
                            "cases: {f: {set: {method: fixed_precision}, grid: "
                            "{budget.average_bits: [3, 4]}}}\ntables: t.yaml\n";
  write("t.yaml", "rows: {f: {where: {method: fixed_precision}}}\n");
  EXPECT_THAT(complaint(sweep), HasSubstr("row 'f' selects 2 configurations, which differ in "
                                          "budget.average_bits (3, 4)"));
  write("t.yaml", "split_by: budget.avrage_bits\nrows: {f: {}}\n");
  EXPECT_THAT(complaint(sweep), HasSubstr("t.yaml:1:11: unknown key 'budget.avrage_bits', did you "
                                          "mean 'budget.average_bits'?"));
  write("t.yaml",
        "split_by: budget.average_bits\nrows: {f: {}}\ncolumns: {a: {show: mean, of: tpo1}}\n");
  EXPECT_THAT(complaint(sweep),
              HasSubstr("t.yaml:3:31: unknown runs column 'tpo1', did you mean 'top1'?"));
  write("t.yaml", "split_by: budget.average_bits\nrows: {f: {}}\n");
  write("other/t.yaml", "split_by: budget.average_bits\nrows: {f: {}}\n");
  EXPECT_THAT(complaint(sweep, "tables=t.yaml,other/t.yaml"), HasSubstr("have the same output"));
  write("results/t.s.md/file", "");
  EXPECT_THAT(complaint(sweep), HasSubstr("which is a folder"));
}

TEST_F(PlanTest, TwoSweepsOfOneNameDoNotPushEachOtherOut) {
  const auto sweep = [](int steps) {
    return std::string(kGrammar) + kModelAndData +
           "cases: {f: {set: {method: fp32, pretraining.steps: " + std::to_string(steps) + "}}}\n";
  };
  write("a/s.yaml", sweep(5));
  ASSERT_EQ(qbitopt("run a/s.yaml").exit_code, 0);
  write("b/s.yaml", sweep(6));
  const std::string clash = "a/s.yaml, and 1 of its jobs are not in this one; change `name:`";
  const testing::Result planned = qbitopt("plan b/s.yaml");
  EXPECT_EQ(planned.exit_code, 0) << "it changes nothing";
  EXPECT_THAT(planned.err, HasSubstr(clash));
  const testing::Result refused = qbitopt("run b/s.yaml");
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err,
              AllOf(HasSubstr("already has a sweep 's' from another file, "), HasSubstr(clash)));
  EXPECT_EQ(qbitopt("plan b/s.yaml name=t").exit_code, 0);
  write("b/s.yaml", sweep(5));
  EXPECT_EQ(qbitopt("plan b/s.yaml").exit_code, 0) << "a copy elsewhere";
  write("a/s.yaml", sweep(7));
  EXPECT_EQ(qbitopt("run a/s.yaml").exit_code, 0) << "the same file, edited";
  std::filesystem::rename(folder_ / "a", folder_ / "c");
  write("c/s.yaml", sweep(8));
  EXPECT_EQ(qbitopt("run c/s.yaml").exit_code, 0) << "moved and edited";
}

TEST_F(PlanTest, EqualCasesHaveARowEach) {
  write("s.yaml",
        std::string(kGrammar) + kModelAndData +
            "seeds: 2\ncases: {one: {set: {method: fp32}}, two: {set: {method: fp32}}}\n");
  const testing::Result run = qbitopt("run s.yaml");
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_THAT(
      run.err,
      HasSubstr("2 points of case 'two' are jobs of case 'one', too, and run once for both"));
  EXPECT_THAT(qbitopt("table s").out, AllOf(HasSubstr("| one "), HasSubstr("| two ")));
  EXPECT_THAT(qbitopt("plan s.yaml").out, AllOf(HasSubstr("one      2"), HasSubstr("two      2")));
}

TEST_F(PlanTest, TheMetricIsWhatTheTableIsAbout) {
  write("s.yaml", std::string(kGrammar) + kModelAndData +
                      "cases: {f: {set: {method: fp32}}}\nmetric: loss\nseeds: 2\n");
  ASSERT_EQ(qbitopt("run s.yaml").exit_code, 0);
  EXPECT_THAT(qbitopt("table s").out, AllOf(HasSubstr("loss"), Not(HasSubstr("top-1"))));
}

TEST_F(PlanTest, JsonListsEveryJobWithItsState) {
  write("small.yaml", testing::kSmallSweep);
  const Json plan = json_of("plan small.yaml");
  EXPECT_EQ(plan["counts"]["jobs"], 10);
  ASSERT_EQ(plan["jobs"].size(), 10u);
  EXPECT_EQ(plan["jobs"][0]["state"], "new");
  EXPECT_EQ(plan["jobs"][9]["parameters"]["budget.average_bits"], 4.0);
}

TEST_F(PlanTest, PluginsOfTheSweepAreNamedAndCanBeRefused) {
  write("mine/shrink.so", "");
  write("mine/shrink.yaml",
        "kind: method\nname: shrink\nversion: 1\nsummary: A method.\n"
        "includes: {training: optimization}\n");
  const std::string sweep =
      std::string(kGrammar) + kModelAndData + "cases: {s: {set: {method: shrink}}}\n";
  write("with.yaml", "plugin: mine/shrink.so\n" + sweep);
  EXPECT_THAT(qbitopt("plan with.yaml").out,
              AllOf(HasSubstr("loads the sweep's plugin "), HasSubstr("mine/shrink.so")));
  for (const char* verb : {"plan", "run"}) {
    const testing::Result refused = qbitopt(std::string(verb) + " with.yaml --no-plugins");
    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_THAT(refused.err, HasSubstr("with.yaml:1:9: this sweep loads the plugin "));
  }
  write("without.yaml", sweep);
  environment_["QBITOPT_PLUGIN_PATH"] = (folder_ / "mine").string();
  EXPECT_EQ(qbitopt("plan without.yaml").exit_code, 0);
  EXPECT_THAT(
      qbitopt("plan without.yaml --no-plugins").err,
      HasSubstr("the method 'shrink' is a plugin of QBITOPT_PLUGIN_PATH, which --no-plugins "
                "leaves out"));
}

}  // namespace
}  // namespace qbitopt
