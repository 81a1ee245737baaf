// A search for the strength that meets a budget: jobs that follow from the results of others.
#include <gmock/gmock.h>

#include "end_to_end/sandbox.h"
#include "qbitopt/runlog/reader.h"

namespace qbitopt {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// A method of the worker without tensors: 5 bits at strength 1, one less for ten times as much.
class SearchTest : public testing::Sandbox {
 protected:
  SearchTest() {
    write("penalty.so", "");
    write("penalty.yaml", R"(kind: method
name: penalty
version: 1
summary: Punishes bits.
guarantees_budget: false
needs: {fp32_checkpoint: {job: {method: fp32, seed: 0}, artifact: model}}
includes: {training: optimization, "": [budget]}
parameters:
  penalty.strength: {type: float, default: 1, description: How much.}
)");
    write("sweep.yaml", R"(qbitopt: 1
name: searched
plugin: penalty.so
set: {model: resnet8, data.name: synthetic, pretraining.steps: 10, training.steps: 10}
run: {jobs: 2}
seeds: 3
cases:
  fixed:   {set: {method: fixed_precision, budget.average_bits: 3}}
  penalty:
    set: {method: penalty}
    grid: {budget.average_bits: [4, 3]}
    search: {parameter: penalty.strength, from: 0.01, to: 1000, until: within_budget, slack: 0.3}
)");
  }

  // "strength bits" of the finished runs at a budget and seed, in the order in which they began.
  std::vector<std::string> runs(double budget, int seed) const {
    std::vector<std::string> texts;
    for (const auto& row :
         Reader(folder_ / "results/qbitopt.db")
             .query("SELECT penalty_strength || ' ' || round(weight_bits, 2) FROM runs WHERE "
                    "CAST(budget_average_bits AS REAL) = ? AND seed = ? AND method = 'penalty' AND "
                    "state = "
                    "'finished' ORDER BY started_at",
                    {budget, seed})
             .rows) {
      texts.push_back(row[0]);
    }
    return texts;
  }
};

TEST_F(SearchTest, EndsWithinTheBudgetAndRunsAllSeedsThere) {
  // fixed: 3; each of two budgets: 3 seeds, and up to 5 runs more; the checkpoint.
  EXPECT_THAT(qbitopt("plan sweep.yaml").out,
              HasSubstr("sweep searched: 10 to 20 jobs; 6 are planned now, the others follow from "
                        "the results of the searches"));
  EXPECT_THAT(qbitopt("plan sweep.yaml").out,
              HasSubstr("search for penalty.strength of penalty at budget.average_bits=3: not "
                        "finished after 0 runs of at most 6"));
  const testing::Result run = qbitopt("run sweep.yaml");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.err, AllOf(HasSubstr("budget.average_bits=4: found 13.3 in 4 runs"),
                             HasSubstr("budget.average_bits=3: found 178 in 3 runs"),
                             HasSubstr("15 jobs: 15 finished, 0 cached")));
  EXPECT_THAT(runs(3, 0), ::testing::ElementsAre("1 5.0", "31.6 3.5", "178 2.75"));
  EXPECT_THAT(runs(3, 1), ::testing::ElementsAre("178 2.75"));
  EXPECT_THAT(runs(4, 2), ::testing::ElementsAre("13.3 3.88"));
  EXPECT_THAT(qbitopt("run sweep.yaml").err, HasSubstr("15 jobs: 0 finished, 15 cached"));
  EXPECT_THAT(qbitopt("plan sweep.yaml").out, HasSubstr("sweep searched: 9 jobs, and 6 that they"));
}

TEST_F(SearchTest, TheChosenCaseIsSearchedToItsEnd) {
  const testing::Result run =
      qbitopt("run sweep.yaml --case penalty --where budget_average_bits=3");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.err, AllOf(HasSubstr("2 of 6 jobs are chosen, with those that they need"),
                             HasSubstr("budget.average_bits=3: found 178 in 3 runs"),
                             HasSubstr("budget.average_bits=4: not finished after 0 runs"),
                             HasSubstr("6 jobs: 6 finished, 0 cached")));
}

TEST_F(SearchTest, TheTableShowsTheChosenAndWhatTheSearchCost) {
  ASSERT_EQ(qbitopt("run sweep.yaml").exit_code, 0);
  write("cost.yaml", R"(sweep: searched
split_by: [budget.average_bits]
rows:
  penalty: {where: {method: penalty}}
columns:
  budget: {show: axis, of: budget.average_bits}
  method: {show: label}
  runs:   {show: runs}
)");
  const testing::Result table = qbitopt("table cost.yaml");
  EXPECT_EQ(table.exit_code, 0) << table.err;
  // Three seeds, the runs before, the checkpoint.
  EXPECT_THAT(table.out,
              AllOf(HasSubstr("Its strength was found by a search: 2 more runs with one seed"),
                    HasSubstr("Its strength was found by a search: 3 more runs with one seed"),
                    ::testing::ContainsRegex("\\| 3 +\\|[^|]+\\| +6 +\\|"),
                    ::testing::ContainsRegex("\\| 4 +\\|[^|]+\\| +7 +\\|")));
}

TEST_F(SearchTest, GoesOnWhereAnInterruptedRunStopped) {
  set_rules({{{"where", {{"penalty.strength", 31.6}, {"budget.average_bits", 3}}},
              {"attempt", 1},
              {"do", "fail"}}});
  const testing::Result broken = qbitopt("run sweep.yaml");
  EXPECT_EQ(broken.exit_code, 3);
  EXPECT_THAT(broken.err, HasSubstr("budget.average_bits=4: found 13.3 in 4 runs"));
  set_rules(Json::array());
  EXPECT_EQ(qbitopt("retry --failed").exit_code, 0);
  const testing::Result run = qbitopt("run sweep.yaml");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.err, HasSubstr("budget.average_bits=3: found 178 in 3 runs"));
}

}  // namespace
}  // namespace qbitopt
