#include "qbitopt/sweep/document.h"

#include <gmock/gmock.h>

#include "qbitopt/core/hash.h"
#include "qbitopt/core/text_file.h"
#include "sweep/sweep_fixture.h"

namespace qbitopt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using DocumentTest = SweepTest;

TEST_F(DocumentTest, LaterFilesWinKeyByKey) {
  folder_.write("a.yaml",
                "set: {method: qbitopt, training: {steps: 1, threads: 2}, reallocation.tau: 5}\n");
  folder_.write("b.yaml", "extends: a.yaml\nset: {training: {steps: 2}, model: tiny}\n");
  const Plan plan = read("qbitopt: 1\nextends: [../b.yaml]\nset: {training.steps: 3}\n");
  const Json parameters = plan.jobs.back().job().parameters;
  EXPECT_EQ(parameters.at("training.steps"), 3);
  EXPECT_EQ(parameters.at("training.threads"), 2);
  EXPECT_EQ(parameters.at("reallocation.tau"), 5);
  ASSERT_EQ(plan.included.size(), 2u);
  EXPECT_EQ(plan.included[0].first, (folder_.path() / "b.yaml").string());
  EXPECT_EQ(plan.included[1].second, sha256(read_text(folder_.path() / "a.yaml")));
}

TEST_F(DocumentTest, OfSeveralExtendedFilesTheLastWins) {
  folder_.write("a.yaml", "set: {method: fp32, model: tiny, pretraining.steps: 1}\n");
  folder_.write("b.yaml", "set: {pretraining.steps: 2}\n");
  EXPECT_THAT(values(read("qbitopt: 1\nextends: [../a.yaml, ../b.yaml]\n"), "pretraining.steps"),
              ElementsAre(2));
}

TEST_F(DocumentTest, ListsReplaceLists) {
  folder_.write("a.yaml", R"(
set: {method: qbitopt, model: tiny}
grid: {solver: [exact, milp, relax_greedy]}
exclude: [solver == 'exact']
)");
  EXPECT_THAT(values(read("qbitopt: 1\nextends: ../a.yaml\n"), "solver"),
              ElementsAre("milp", "relax_greedy"));
  EXPECT_THAT(
      values(read("qbitopt: 1\nextends: ../a.yaml\nexclude: [solver == 'milp']\n"), "solver"),
      ElementsAre("exact", "relax_greedy"));
  EXPECT_THAT(values(read("qbitopt: 1\nextends: ../a.yaml\ngrid: {solver: [milp]}\n"), "solver"),
              ElementsAre("milp"));
}

TEST_F(DocumentTest, DeleteDropsWhatWasInherited) {
  folder_.write("a.yaml", R"(
set: {method: qbitopt, model: tiny, training: {steps: 1, threads: 2}}
grid: {solver: [exact, milp]}
cases: {x: {set: {reallocation.tau: 1}}, y: {set: {reallocation.tau: 2}}}
)");
  const Plan plan =
      read("qbitopt: 1\nextends: ../a.yaml\nset: {training: {_delete_: true, threads: 4}}\n");
  EXPECT_THAT(values(plan, "training.steps"), ::testing::Each(Json(100)));
  EXPECT_THAT(values(plan, "training.threads"), ::testing::Each(Json(4)));
  const Plan one_case = read(
      "qbitopt: 1\nextends: ../a.yaml\ngrid: {_delete_: true}\ncases: {_delete_: true, z: {}}\n");
  EXPECT_EQ(requested(one_case), 1u);
  EXPECT_EQ(one_case.jobs.back().case_name, "z");
  const Plan case_drops =
      read("qbitopt: 1\nextends: ../a.yaml\ncases: {x: {set: {training: {_delete_: true}}}}\n");
  EXPECT_THAT(values(case_drops, "training.threads"), ElementsAre(1, 1, 2, 2));
}

TEST_F(DocumentTest, SetAndGridReplaceOneAnother) {
  folder_.write(
      "a.yaml",
      "set: {method: qbitopt, model: tiny, reallocation.tau: 5}\ngrid: {solver: [exact, milp]}\n");
  const Plan plan = read(
      "qbitopt: 1\nextends: ../a.yaml\nset: {solver: milp}\ngrid: {reallocation.tau: [1, 2, 3]}\n");
  EXPECT_THAT(values(plan, "solver"), ElementsAre("milp", "milp", "milp"));
  EXPECT_THAT(values(plan, "reallocation.tau"), ElementsAre(1, 2, 3));
  EXPECT_THAT(
      error("qbitopt: 1\nset: {solver: milp}\ngrid: {solver: [exact]}\n"),
      HasSubstr("sweeps/sweep.yaml:3:8: key 'solver' is in `grid` and, in line 2, in `set`"));
}

TEST_F(DocumentTest, ACaseWinsOverTheTop) {
  const Plan plan = read(R"(
qbitopt: 1
set: {method: qbitopt, model: tiny, solver: milp}
grid: {budget.average_bits: [2, 3]}
seeds: 2
cases:
  one: {set: {budget.average_bits: 4, solver: exact}}
  two: {grid: {solver: [exact, milp]}, seeds: 1}
)");
  EXPECT_THAT(values(plan, "budget.average_bits"), ElementsAre(4.0, 4.0, 2.0, 2.0, 3.0, 3.0));
  EXPECT_THAT(values(plan, "solver"),
              ElementsAre("exact", "exact", "exact", "milp", "exact", "milp"));
  EXPECT_THAT(values(plan, "seed"), ElementsAre(0, 1, 0, 0, 0, 0));
}

TEST_F(DocumentTest, TheNameIsTheFilesOwn) {
  folder_.write("a.yaml",
                "name: recipe\nset: {method: fp32, model: tiny}\nmetric: {name: loss, goal: min}\n"
                "tables: [tables/a.yaml]\nrun: {jobs: 3, retries: {oom: 1}}\n");
  const Plan plan = read("qbitopt: 1\nextends: ../a.yaml\nrun: {retries: {lost: 2}}\n");
  EXPECT_EQ(plan.sweep_name, "sweep");
  EXPECT_EQ(plan.metric.name, "loss");
  EXPECT_EQ(plan.metric.goal, "min");
  EXPECT_THAT(plan.tables, ElementsAre((folder_.path() / "tables/a.yaml").string()));
  EXPECT_EQ(plan.run, Json::parse(R"({"jobs": 3, "retries": {"oom": 1, "lost": 2}})"));
}

TEST_F(DocumentTest, ErrorsNameTheFileTheyAreIn) {
  folder_.write("a.yaml", "set:\n  methd: fp32\n");
  EXPECT_THAT(
      error("qbitopt: 1\nextends: ../a.yaml\n"),
      HasSubstr("a.yaml:2:3: unknown key 'methd', did you mean 'method'?\n    methd: fp32\n    ^"));
}

TEST_F(DocumentTest, SaysWhatIsWrongWithAFile) {
  EXPECT_EQ(error("qbitopt: 1\nextends: nothing.yaml\n"),
            "sweeps/sweep.yaml:2:10: cannot read sweeps/nothing.yaml: No such file or directory\n"
            "  extends: nothing.yaml\n"
            "           ^");
  EXPECT_THAT(error("qbitopt: 1\nextends: sweep.yaml\n"),
              HasSubstr("sweeps/sweep.yaml extends itself"));
  folder_.write("sweeps/b.yaml", "extends: sweep.yaml\n");
  EXPECT_THAT(error("qbitopt: 1\nextends: b.yaml\n"),
              HasSubstr("extends itself by way of sweeps/b.yaml"));
  EXPECT_THAT(error("set: {method: fp32}\n"), HasSubstr("this is not a sweep file: `qbitopt: 1`"));
  EXPECT_THAT(error("qbitopt: 2\n"),
              HasSubstr("version 2 of the sweep format is unknown; this qbitopt reads version 1"));
  EXPECT_THAT(error("qbitopt: 1\ncases: [a]\n"),
              HasSubstr("cases must map names to blocks, found a list"));
  EXPECT_THAT(error("qbitopt: 1\ncases: {a: fp32}\n"),
              HasSubstr("case 'a' must be a map, found the string 'fp32'"));
  EXPECT_THAT(error("qbitopt: 1\ncases: {a: {sett: 3}}\n"),
              HasSubstr("unknown key 'sett' in case 'a', did you mean 'set'?"));
  EXPECT_THAT(input_error([&] { read_sweep(folder_.path() / "none.yaml", {}, small_catalog()); }),
              HasSubstr("none.yaml: No such file or directory"));
}

TEST_F(DocumentTest, NamesAreCheckedWhereTheyStand) {
  EXPECT_THAT(error("qbitopt: 1\nname: a/b\n"),
              HasSubstr("sweeps/sweep.yaml:2:7: the sweep's name contains a slash"));
  EXPECT_THAT(error("qbitopt: 1\nname: ''\n"), HasSubstr("the sweep's name is empty"));
  EXPECT_THAT(error("qbitopt: 1\ncases:\n  \"a\\nb\": {}\n"),
              HasSubstr("sweeps/sweep.yaml:3:3: the name of a case contains a control character"));
  const auto file = folder_.write(" x.yaml", "qbitopt: 1\nset: {method: fp32, model: tiny}\n");
  EXPECT_THAT(
      input_error([&] { read_sweep(file, {}, small_catalog()); }),
      HasSubstr("the file's name, which is also the sweep's because there is no `name:`, begins or "
                "ends with a space"));
}

TEST_F(DocumentTest, AChainOfFilesHasAnEnd) {
  for (int i = 0; i < 150; ++i)
    folder_.write(std::to_string(i) + ".yaml", "extends: " + std::to_string(i + 1) + ".yaml\n");
  EXPECT_THAT(error("qbitopt: 1\nextends: ../0.yaml\n"),
              HasSubstr("this sweep extends more than 100 files"));
  for (int i = 0; i < 30; ++i) {
    const std::string next = std::to_string(i + 1) + ".yaml";
    folder_.write(std::to_string(i) + ".yaml", "extends: [" + next + ", " + next + "]\n");
  }
  folder_.write("30.yaml", "");
  EXPECT_THAT(error("qbitopt: 1\nextends: ../0.yaml\n"),
              HasSubstr("this sweep extends more than 100 files"));
}

TEST_F(DocumentTest, AMergedKeyGivesWayHoweverItIsWritten) {
  const Plan plan = read(R"(qbitopt: 1
set: {model: tiny}
cases:
  a: {set: &base {method: qbitopt, training: {steps: 5, threads: 2}}}
  b: {set: {<<: *base, training.steps: 7, solver: exact}}
)");
  EXPECT_THAT(values(plan, "training.steps"), ElementsAre(5, 7));
  EXPECT_THAT(values(plan, "training.threads"), ElementsAre(2, 2));
}

TEST_F(DocumentTest, ConditionsInBlocksAreShownInTheirLine) {
  EXPECT_THAT(error("qbitopt: 1\nset: {method: fp32, model: tiny}\nwhen:\n- if: >-\n    seed == 0\n"
                    "    and sed == 1\n  set: {}\n"),
              HasSubstr("sweeps/sweep.yaml:6:9: unknown key 'sed', did you mean 'seed'?"));
}

TEST_F(DocumentTest, PathsMayBeginAtTheHomeFolder) {
  folder_.write("a.yaml", "set: {method: fp32, model: tiny}\ntables: ~/t.yaml\n");
  ::setenv("HOME", folder_.path().c_str(), 1);
  EXPECT_THAT(read("qbitopt: 1\nextends: ~/a.yaml\n").tables,
              ElementsAre((folder_.path() / "t.yaml").string()));
}

}  // namespace
}  // namespace qbitopt
