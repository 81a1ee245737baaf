#include "qbitopt/sweep/interpolation.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "sweep/sweep_fixture.h"

namespace qbitopt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class InterpolationTest : public SweepTest {
 protected:
  InterpolationTest() {
    ::setenv("QBITOPT_TEST_STEPS", "7", 1);
    ::setenv("QBITOPT_TEST_TEXT", "a ${b} c", 1);
    ::unsetenv("QBITOPT_TEST_NONE");
  }
  static constexpr const char* kHead = "qbitopt: 1\nset:\n  method: qbitopt\n  model: tiny\n";
};

TEST_F(InterpolationTest, AVariableHasTheTypeOfItsText) {
  const Plan plan = read(std::string(kHead) +
                         "  training.steps: ${env:QBITOPT_TEST_STEPS}\n"
                         "  training.threads: ${ env:QBITOPT_TEST_NONE , 3 }\n");
  EXPECT_THAT(values(plan, "training.steps"), ElementsAre(7));
  EXPECT_THAT(values(plan, "training.threads"), ElementsAre(3));
}

TEST_F(InterpolationTest, VariablesStandInAnyValueOfTheFile) {
  folder_.write("sweeps/base7.yaml", "set: {training.steps: 9}\n");
  const Plan plan = read(
      "qbitopt: 1\nname: s-${env:QBITOPT_TEST_STEPS}\nextends: base${env:QBITOPT_TEST_STEPS}.yaml\n"
      "set: {method: qbitopt, model: tiny}\nrun: {jobs: \"${env:QBITOPT_TEST_STEPS}\"}\n"
      "exclude: [\"training.steps == ${env:QBITOPT_TEST_STEPS}\"]\n");
  EXPECT_EQ(plan.sweep_name, "s-7");
  EXPECT_EQ(plan.run["jobs"], 7);
  EXPECT_THAT(values(plan, "training.steps"), ElementsAre(9));
}

TEST_F(InterpolationTest, AParameterRefersToAnotherOfTheSameJob) {
  const Plan plan = read(std::string(kHead) +
                         "  reallocation.tau: ${training.steps}\n"
                         "grid: {training.steps: [5, 6], solver: [exact, milp]}\n"
                         "when: [{if: solver == 'milp', set: {training.threads: \"${seed}\"}}]\n"
                         "seeds: [2]\n");
  EXPECT_THAT(values(plan, "reallocation.tau"), ElementsAre(5, 5, 6, 6));
  EXPECT_THAT(values(plan, "training.threads"), ElementsAre(1, 2, 1, 2));
  EXPECT_EQ(plan.jobs.back().axes(), Json({{"training.steps", 6}, {"solver", "milp"}}));
}

TEST_F(InterpolationTest, SeesWhatWhenSetsAndWhatIsDefault) {
  const Plan plan = read(std::string(kHead) +
                         "  reallocation.tau: ${training.steps}\n"
                         "grid: {solver: [exact, milp]}\n"
                         "when: [{if: solver == 'milp', set: {training.steps: 8}}]\n");
  EXPECT_THAT(values(plan, "reallocation.tau"), ElementsAre(100, 8));
}

TEST_F(InterpolationTest, IsResolvedBeforeTheIdentity) {
  const Plan referred = read(std::string(kHead) +
                             "  training.steps: ${reallocation.tau}\n"
                             "grid: {reallocation.tau: [5, \"${env:QBITOPT_TEST_STEPS}\"]}\n");
  const Plan written = read(std::string(kHead) +
                            "zip: {both: {reallocation.tau: [5, 7], training.steps: [5, 7]}}\n");
  ASSERT_EQ(requested(referred), 2u);
  EXPECT_EQ(referred.jobs[1].key, written.jobs[1].key);
  EXPECT_EQ(referred.jobs[2].key, written.jobs[2].key);
  EXPECT_EQ(referred.jobs[2].config_key, written.jobs[2].config_key);
}

TEST_F(InterpolationTest, APartAndAListMayReferToo) {
  const Plan plan = read(
      "qbitopt: 1\nset:\n  model: tiny\n  method: replay\n  replay.method: ${method}d\n"
      "  quantizers.candidate_bits: [2, \"${training.threads}\"]\n  training.threads: 4\n",
      {"replay.method=qbitopt"});
  EXPECT_THAT(values(plan, "quantizers.candidate_bits"), ElementsAre(Json({2, 4})));
}

TEST_F(InterpolationTest, TextsAreJoinedAndEscapesStay) {
  const auto root = [&](const std::string& value) {
    const std::string message = error(
        "qbitopt: 1\nset:\n  model: tiny\n  method: fp32\n"
        "  weights.root: " +
        value + "\n");
    const size_t begin = message.find("weights.root = '");
    return begin == std::string::npos
               ? message
               : message.substr(begin + 16, message.find('\'', begin + 16) - begin - 16);
  };
  EXPECT_EQ(root("/w/${model}-${env:QBITOPT_TEST_STEPS}-${pretraining.steps}"), "/w/tiny-7-100");
  EXPECT_EQ(root("/w/\\${model}"), "/w/${model}");
  EXPECT_EQ(root("/w/${env:QBITOPT_TEST_TEXT}"), "/w/a ${b} c") << "read once";
}

TEST_F(InterpolationTest, OverridesReferToo) {
  const Plan plan =
      read(kHead, {"training.steps=${env:QBITOPT_TEST_STEPS}", "reallocation.tau=${training.steps}",
                   "name=n${env:QBITOPT_TEST_STEPS}"});
  EXPECT_THAT(values(plan, "reallocation.tau"), ElementsAre(7));
  EXPECT_EQ(plan.sweep_name, "n7");
}

TEST_F(InterpolationTest, SaysWhatIsWrongWhereItStands) {
  const auto with = [&](const std::string& line) {
    return error(std::string(kHead) + line + "\n");
  };
  EXPECT_EQ(with("  training.steps: ${env:QBITOPT_TEST_NONE}"),
            "sweeps/sweep.yaml:5:19: the environment variable 'QBITOPT_TEST_NONE' is not set; set "
            "it, or give a default: ${env:QBITOPT_TEST_NONE,default}\n"
            "    training.steps: ${env:QBITOPT_TEST_NONE}\n"
            "                    ^");
  EXPECT_EQ(with("  training.steps: ${training.step}"),
            "sweeps/sweep.yaml:5:19: unknown key 'training.step', did you mean 'training.steps'?\n"
            "    training.steps: ${training.step}\n"
            "                    ^");
  EXPECT_THAT(with("  training.steps: ${reallocation.tau}\n  reallocation.tau: ${training.steps}"),
              HasSubstr("sweeps/sweep.yaml:5:19: 'reallocation.tau' refers to itself: "
                        "reallocation.tau -> training.steps -> reallocation.tau"));
  EXPECT_THAT(with("  training.steps: ${training.steps}"),
              HasSubstr("'training.steps' refers to itself: training.steps -> training.steps"));
  EXPECT_THAT(with("  training.steps: ${budget.weights}"),
              HasSubstr("sweeps/sweep.yaml:5:19: 'budget.weights' has no value here"));
  EXPECT_THAT(with("  training.steps: 3${training.threads"),
              HasSubstr("sweeps/sweep.yaml:5:20: this '${' has no '}'; write \\${"));
  EXPECT_THAT(with("  training.steps: ${oc.env:HOME}"),
              HasSubstr("unknown interpolation 'oc.env'; write ${env:NAME}, ${env:NAME,default}"));
  EXPECT_THAT(with("  training.steps: ${env:2}"),
              HasSubstr("'2' is no name of an environment variable"));
  EXPECT_THAT(with("name: a${seed}"),
              HasSubstr("sweeps/sweep.yaml:5:8: '${seed}' refers to a parameter of jobs, which is "
                        "possible in the values of jobs only"));
  EXPECT_THAT(error("qbitopt: 1\nset: {model: tiny, training.steps: ${seed}}\n"),
              HasSubstr("within { } and [ ] write \"${...}\" with quotes"));
}

}  // namespace
}  // namespace qbitopt
