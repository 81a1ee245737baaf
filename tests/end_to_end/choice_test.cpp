// Some jobs of a sweep: what `run` runs, and what `plan` and `ls` list.
#include <gmock/gmock.h>

#include <sstream>

#include "end_to_end/sandbox.h"
#include "end_to_end/sweeps.h"

namespace qbitopt {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class ChoiceTest : public testing::Sandbox {
 protected:
  // fp32, and fixed at 2, 3 and 10 bits with 3 seeds.
  ChoiceTest() { write("small.yaml", testing::small_sweep("2, 3, 10")); }

  static std::vector<std::string> lines(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
  }
};

TEST_F(ChoiceTest, WhereRunsTheJobsOfAConditionWithThoseThatTheyNeed) {
  const testing::Result run =
      qbitopt("run small.yaml --where \"seed = 1 AND budget_average_bits > 2\"");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.err, HasSubstr("3 of 10 jobs are chosen, with those that they need"));
  EXPECT_THAT(run.err, HasSubstr("3 jobs: 3 finished, 0 cached"));
  EXPECT_EQ(count("finished"), 3u);
  EXPECT_EQ(count("new"), 7u) << "the sweep is recorded as a whole";
  EXPECT_THAT(qbitopt("run small.yaml").err, HasSubstr("10 jobs: 7 finished, 3 cached"));
}

TEST_F(ChoiceTest, LimitGoesOnWhereTheLastOneStopped) {
  EXPECT_THAT(qbitopt("run small.yaml --case fixed --limit 2").err,
              HasSubstr("3 jobs: 3 finished, 0 cached"));
  EXPECT_THAT(qbitopt("run small.yaml --case fixed --limit 2").err,
              HasSubstr("5 jobs: 2 finished, 3 cached"));
  EXPECT_THAT(qbitopt("run small.yaml --case fixed --limit 2 --again").err,
              HasSubstr("5 jobs: 2 finished, 3 cached"));
  EXPECT_THAT(qbitopt("run small.yaml --case fp32 --case fixed").err,
              HasSubstr("10 jobs: 5 finished, 5 cached"));
}

TEST_F(ChoiceTest, TablesShowWhatIsMissing) {
  write("t.yaml",
        "split_by: budget.average_bits\nrows: {fixed: {where: {method: fixed_precision}}}\n");
  const testing::Result run = qbitopt("run small.yaml tables=t.yaml --where \"seed < 2\"");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("Mean without 1 of 3 seeds: seed 2 (not run yet)."));
}

TEST_F(ChoiceTest, WrongChoicesAreRefused) {
  const testing::Result wrong_case = qbitopt("run small.yaml --case fixd");
  EXPECT_EQ(wrong_case.exit_code, 2);
  EXPECT_THAT(wrong_case.err, HasSubstr("unknown case 'fixd', did you mean 'fixed'?"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "results")) << "nothing was recorded";
  write("flat.yaml",
        "qbitopt: 1\nset: {method: fp32, model: resnet8, data.name: synthetic, "
        "pretraining.steps: 1}\n");
  EXPECT_THAT(qbitopt("plan flat.yaml --case a").err,
              HasSubstr("sweep flat has no cases; leave out --case"));
  const testing::Result wrong_sql = qbitopt("run small.yaml --where \"sead = 1\"");
  EXPECT_EQ(wrong_sql.exit_code, 2);
  EXPECT_THAT(wrong_sql.err, HasSubstr("no such column: sead"));
  EXPECT_EQ(count("new"), 10u) << "nothing was run";
  EXPECT_EQ(qbitopt("run small.yaml --limit 0").exit_code, 2);
  EXPECT_THAT(qbitopt("plan small.yaml --csv").err, HasSubstr("--csv is an option of --list"));
  EXPECT_THAT(qbitopt("plan small.yaml --tree --list").err, HasSubstr("--tree excludes --list"));
}

TEST_F(ChoiceTest, PlanShowsTheSameChoiceAndWritesNothing) {
  EXPECT_THAT(qbitopt("plan small.yaml --where seed=1 --case fixed").out,
              HasSubstr("sweep small: 4 jobs, and 0 that they need"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "results"));
  ASSERT_EQ(qbitopt("run small.yaml --limit 4").exit_code, 0);
  const Json unfinished = json_of("plan small.yaml --list --where \"state = 'new'\"");
  EXPECT_EQ(unfinished.size(), 7u) << "six, and the checkpoint";
  EXPECT_EQ(count("new"), 6u);
}

TEST_F(ChoiceTest, PlanListsEachJobInALine) {
  const auto text = lines(qbitopt("plan small.yaml --list").out);
  ASSERT_EQ(text.size(), 11u);
  EXPECT_THAT(text[0], HasSubstr("state  case   method           budget.average_bits  seed"));
  EXPECT_THAT(text[10], HasSubstr("new    fixed  fixed_precision                   10     2"));
  const auto csv = lines(qbitopt("plan small.yaml --list --csv --case fp32").out);
  ASSERT_EQ(csv.size(), 2u);
  EXPECT_EQ(csv[0], "key,state,case,requested,trial,method,seed");
  EXPECT_THAT(csv[1], HasSubstr(",new,fp32,true,,fp32,0"));
  const Json json = json_of("plan small.yaml --list");
  EXPECT_EQ(json[9]["budget.average_bits"], 10);
  EXPECT_EQ(json[9]["key"].get<std::string>().size(), 64u);
}

TEST_F(ChoiceTest, PlanDrawsTheTreeOfNeeds) {
  const auto tree =
      lines(qbitopt("plan small.yaml --tree --where \"budget_average_bits = 3\"").out);
  ASSERT_EQ(tree.size(), 4u);
  EXPECT_THAT(tree[0], HasSubstr(" new         fp32 seed=0 [fp32]"));
  EXPECT_THAT(tree[1], AllOf(StartsWith("├─ "), HasSubstr("average_bits=3 seed=0 [fixed]")));
  EXPECT_THAT(tree[3], AllOf(StartsWith("└─ "), HasSubstr("average_bits=3 seed=2 [fixed]")));
}

TEST_F(ChoiceTest, LsSortsLimitsAndChoosesColumns) {
  ASSERT_EQ(qbitopt("run small.yaml --limit 9").exit_code, 0);
  EXPECT_THAT(lines(qbitopt("ls --columns state,bits,seed --sort bits:desc --sort seed "
                            "--limit 4")
                        .out),
              ElementsAre("state     bits  seed", "finished    10     0", "finished    10     1",
                          "new         10     2", "finished     3     0"));
  EXPECT_EQ(json_of("ls --sort top1 --limit 1")[0]["bits"], 2);
  EXPECT_THAT(qbitopt("ls --sweeps --columns sweep,new --sort new").out, HasSubstr("small    1"));
}

TEST_F(ChoiceTest, LsNamesTheNearestColumn) {
  ASSERT_EQ(qbitopt("run small.yaml --limit 1").exit_code, 0);
  const testing::Result wrong = qbitopt("ls --columns job,topp1");
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("unknown column 'topp1', did you mean 'top1'?; `qbitopt sql "
                                   "--describe runs` lists them"));
  EXPECT_THAT(qbitopt("ls --sort seed:down").err,
              HasSubstr("--sort takes COLUMN, COLUMN:asc or COLUMN:desc, found 'seed:down'"));
  EXPECT_THAT(qbitopt("ls --sort \"seed; DROP\"").err, HasSubstr("unknown column 'seed; DROP'"));
}

}  // namespace
}  // namespace qbitopt
