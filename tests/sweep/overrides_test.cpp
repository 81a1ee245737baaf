#include "qbitopt/sweep/overrides.h"

#include <gmock/gmock.h>

#include "sweep/sweep_fixture.h"

namespace qbitopt {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using OverridesTest = SweepTest;

constexpr char kSweep[] = R"(
qbitopt: 1
set: {method: qbitopt, model: tiny, reallocation.tau: 5}
grid: {solver: [exact, milp], sensitivity: [fit, random]}
when: [{if: solver == 'exact', set: {training.steps: 9}}]
)";

TEST_F(OverridesTest, AValueHoldsForEveryJob) {
  EXPECT_THAT(values(read(kSweep, {"reallocation.tau=7"}), "reallocation.tau"),
              ElementsAre(7, 7, 7, 7));
  EXPECT_THAT(values(read(kSweep, {"solver=relax_greedy"}), "solver"),
              ElementsAre("relax_greedy", "relax_greedy"));
  EXPECT_THAT(values(read(kSweep, {"training.steps=3"}), "training.steps"), ElementsAre(3, 3, 3, 3))
      << "over when, too";
  EXPECT_THAT(values(read(kSweep, {"budget.average_bits=1e1"}), "budget.average_bits"),
              Each(Json(10.0)));
}

TEST_F(OverridesTest, SeveralValuesAreAnAxis) {
  EXPECT_THAT(values(read(kSweep, {"reallocation.tau=1,2", "solver=exact"}), "reallocation.tau"),
              ElementsAre(1, 2, 1, 2));
  EXPECT_THAT(values(read(kSweep, {"solver=milp,relax_greedy"}), "solver"),
              ElementsAre("milp", "milp", "relax_greedy", "relax_greedy"))
      << "keeps its place in the nesting";
  EXPECT_THAT(values(read(kSweep, {"solver=exact", "sensitivity=fit",
                                   "budget.average_bits={from: 2, to: 3, step: 0.5}"}),
                     "budget.average_bits"),
              ElementsAre(2.0, 2.5, 3.0));
  EXPECT_THAT(values(read(kSweep, {"solver=exact", "sensitivity=fit",
                                   "quantizers.candidate_bits=[2,4],[2,8]"}),
                     "quantizers.candidate_bits"),
              ElementsAre(Json({2, 4}), Json({2, 8})));
  EXPECT_THAT(
      values(read(kSweep, {"solver=exact", "sensitivity=fit", "quantizers.candidate_bits=[2,4]"}),
             "quantizers.candidate_bits"),
      ElementsAre(Json({2, 4})));
}

TEST_F(OverridesTest, WinsOverCases) {
  const char* text =
      "qbitopt: 1\nset: {model: tiny, method: qbitopt}\n"
      "cases: {a: {set: {reallocation.tau: 1}}, b: {grid: {reallocation.tau: [2, 3]}, seeds: 2}}\n";
  EXPECT_THAT(values(read(text, {"reallocation.tau=9", "seeds=1"}), "reallocation.tau"),
              ElementsAre(9));
  EXPECT_THAT(values(read(text, {"reallocation.tau=9", "seeds=4,5"}), "seed"), ElementsAre(4, 5));
  EXPECT_THAT(values(read(text, {"~cases.b"}), "reallocation.tau"), ElementsAre(1));
}

TEST_F(OverridesTest, PlusAddsWhatTheSweepDoesNotSay) {
  EXPECT_THAT(values(read(kSweep, {"+budget.average_bits=3"}), "budget.average_bits"),
              Each(Json(3.0)));
  EXPECT_THAT(error(kSweep, {"+reallocation.tau=3"}),
              HasSubstr("override:1:2: 'reallocation.tau' is set already "
                        "(sweeps/sweep.yaml:3:37); change it with "
                        "'reallocation.tau=...'"));
}

TEST_F(OverridesTest, TildeDrops) {
  EXPECT_THAT(values(read(kSweep, {"~reallocation.tau"}), "reallocation.tau"), Each(Json(250)));
  EXPECT_EQ(requested(read(kSweep, {"~solver"})), 2u);
  EXPECT_THAT(values(read(kSweep, {"~when"}), "training.steps"), Each(Json(100)));
  EXPECT_THAT(error(kSweep, {"~budget.average_bits"}),
              HasSubstr("the sweep does not mention 'budget.average_bits'"));
  EXPECT_THAT(error(kSweep, {"~solver=exact"}), HasSubstr("~key takes no value"));
  EXPECT_THAT(error(kSweep, {"~cases.x"}), HasSubstr("unknown case 'x'; known cases: (none)"));
}

TEST_F(OverridesTest, ChangesTheSweepsOwnKeys) {
  const Plan plan = read(kSweep, {"name=other", "seeds=3", "run.jobs=2", "run.retries.lost=5",
                                  "metric.goal=min", "tables=a.yaml,b.yaml"});
  EXPECT_EQ(plan.sweep_name, "other");
  EXPECT_EQ(requested(plan), 12u);
  EXPECT_EQ(plan.run, Json::parse(R"({"jobs": 2, "retries": {"lost": 5}})"));
  EXPECT_EQ(plan.metric.goal, "min");
  EXPECT_THAT(plan.tables, ElementsAre("a.yaml", "b.yaml"));
  EXPECT_THAT(plan.overrides, ::testing::SizeIs(6));
}

constexpr char kCases[] = R"(qbitopt: 1
set: {model: tiny, method: qbitopt}
grid: {solver: [exact, milp]}
cases: {a: {set: {reallocation.tau: 1}}, b: {set: {reallocation.tau: 2}, when: [{if: solver == 'milp', set: {reallocation.tau: 5}}]}, b.c: {}}
)";

TEST_F(OverridesTest, OneCaseIsChangedAlone) {
  EXPECT_THAT(values(read(kCases, {"cases.b.reallocation.tau=20"}), "reallocation.tau"),
              ElementsAre(1, 1, 20, 20, 250, 250))
      << "over its `when`, too";
  EXPECT_THAT(values(read(kCases, {"cases.b.c.reallocation.tau=20"}), "reallocation.tau"),
              ElementsAre(1, 1, 2, 5, 20, 20));
  EXPECT_THAT(values(read(kCases, {"cases.a.solver=milp", "~cases.b", "~cases.b.c"}), "solver"),
              ElementsAre("milp"));
  EXPECT_THAT(values(read(kCases, {"cases.a.reallocation.tau=7,8", "~cases.b", "~cases.b.c",
                                   "solver=milp"}),
                     "reallocation.tau"),
              ElementsAre(7, 8));
  EXPECT_THAT(values(read(kCases, {"cases.a.seeds=2", "~cases.b", "~cases.b.c"}), "seed"),
              ElementsAre(0, 1, 0, 1));
  EXPECT_THAT(values(read(kCases, {"~cases.b.reallocation.tau", "~when"}), "reallocation.tau"),
              ElementsAre(1, 1, 250, 250))
      << "the jobs of b.c are those of b then";
  EXPECT_THAT(values(read(kCases, {"+cases.b.c.reallocation.tau=9"}), "reallocation.tau"),
              ElementsAre(1, 1, 2, 5, 9, 9));
}

TEST_F(OverridesTest, OfOneCaseSaysWhatIsWrong) {
  EXPECT_EQ(error(kCases, {"cases.elsewhere.reallocation.tau=3"}),
            "override:1:1: unknown case 'elsewhere'; known cases: a, b, b.c\n"
            "  cases.elsewhere.reallocation.tau=3\n"
            "  ^");
  EXPECT_THAT(error(kCases, {"cases.a.reallocation.tao=3"}),
              HasSubstr("unknown key 'reallocation.tao', did you mean 'reallocation.tau'?"));
  EXPECT_THAT(error(kCases, {"+cases.a.reallocation.tau=3"}),
              HasSubstr("override:1:2: 'reallocation.tau' is set already"));
  EXPECT_THAT(error(kCases, {"~cases.b.c.reallocation.tau"}),
              HasSubstr("override:1:2: case 'b.c' does not mention 'reallocation.tau'"));
}

TEST_F(OverridesTest, TwoPlusesSetWhetherOrNotTheSweepMentionsTheKey) {
  EXPECT_THAT(values(read(kSweep, {"++reallocation.tau=7"}), "reallocation.tau"), Each(Json(7)));
  EXPECT_THAT(values(read(kSweep, {"++budget.average_bits=3"}), "budget.average_bits"),
              Each(Json(3.0)));
  EXPECT_EQ(requested(read(kSweep, {"++seeds=3"})), 12u);
  EXPECT_THAT(error(kSweep, {"++reallocation.tao=7"}),
              HasSubstr("override:1:3: unknown key 'reallocation.tao'"));
}

TEST_F(OverridesTest, ErrorsShowTheOverride) {
  EXPECT_EQ(error(kSweep, {"seeds=1", "budget.avrage_bits=3"}),
            "override:2:1: unknown key 'budget.avrage_bits', did you mean 'budget.average_bits'?\n"
            "  budget.avrage_bits=3\n"
            "  ^");
  EXPECT_EQ(error(kSweep, {"solver=exact,gredy"}),
            "override:1:14: unknown solver 'gredy'; known solvers: exact, milp, relax_greedy\n"
            "  solver=exact,gredy\n"
            "               ^");
  EXPECT_THAT(error(kSweep, {"reallocation.tau=often"}),
              HasSubstr("override:1:18: 'reallocation.tau' expects an int"));
  EXPECT_THAT(
      error(kSweep, {"reallocation.tau"}),
      HasSubstr("an override is key=value, key=value,value, +key=value, ++key=value or ~key"));
  EXPECT_THAT(error(kSweep, {"reallocation.tau=[1"}), HasSubstr("override:1:"));
  EXPECT_THAT(error(kSweep, {"run.jbs=3"}),
              HasSubstr("unknown key 'jbs' in run, did you mean 'jobs'?"));
}

TEST_F(OverridesTest, PlusRefusesWhatIsSaidInAnyWay) {
  const std::string seeds = std::string(kSweep) + "seeds: 3\n";
  EXPECT_THAT(error(seeds, {"+seed=5"}),
              HasSubstr("override:1:2: 'seed' is set already (sweeps/sweep.yaml:6:8); change it "
                        "with 'seeds=...'"));
  EXPECT_THAT(error(seeds, {"+seeds=5"}), HasSubstr("'seeds' is set already"));
  EXPECT_EQ(error(kSweep, {"+seeds=5"}), "");
  EXPECT_THAT(error(kSweep, {"+training.steps=5"}), HasSubstr("'training.steps' is set already"));
  EXPECT_THAT(error(kSweep, {"+name=other"}), HasSubstr("'name' is set already"));
  const std::string run = std::string(kSweep) + "run: {retries: {lost: 1}}\n";
  EXPECT_THAT(error(run, {"+run.retries.lost=5"}), HasSubstr("'run.retries.lost' is set already"));
  EXPECT_EQ(error(run, {"+run.retries.oom=5", "+run.jobs=2"}), "");
}

TEST_F(OverridesTest, APathMayHoldCommasAndOtherSigns) {
  const char* text = "qbitopt: 1\nset: {method: fp32, model: tiny}\n";
  const auto root = [&](const std::string& value) {
    const std::string message = error(text, {"weights.root=" + value});
    const size_t begin = message.find("weights.root = '");
    return begin == std::string::npos
               ? message
               : message.substr(begin + 16, message.find('\'', begin + 16) - begin - 16);
  };
  EXPECT_EQ(root("/a,b/c"), "/a,b/c");
  EXPECT_EQ(root("/a #1: x"), "/a #1: x");
  EXPECT_EQ(root("'/a,b'"), "/a,b");
  ::setenv("HOME", "/home/me", 1);
  EXPECT_EQ(root("~/weights"), "/home/me/weights");
  EXPECT_THAT(error(text, {"weights.root=[/a, /b]"}),
              ::testing::AllOf(HasSubstr("'/a'"), HasSubstr("'/b'")))
      << "two jobs";
}

TEST_F(OverridesTest, ACommentIsNoPartOfAValue) {
  EXPECT_THAT(error(kSweep, {"solver=exact #fast"}),
              HasSubstr("override:1:14: '#' begins a comment"));
  EXPECT_EQ(error(kSweep, {"name='a #1'"}), "");
}

TEST_F(OverridesTest, AGoalLeavesTheMetricsName) {
  const Plan plan = read(std::string(kSweep) + "metric: loss\n", {"metric.goal=max"});
  EXPECT_EQ(plan.metric.name, "loss");
  EXPECT_EQ(plan.metric.goal, "max");
}

TEST_F(OverridesTest, TheNameIsChecked) {
  EXPECT_THAT(error(kSweep, {"name=a/b"}),
              HasSubstr("override:1:6: the sweep's name contains a slash"));
}

}  // namespace
}  // namespace qbitopt
