// The whole way with the worker that trains, on made-up images.
#include <gmock/gmock.h>

#include <csignal>
#include <set>

#include "end_to_end/sandbox.h"
#include "qbitopt/runlog/reader.h"

namespace qbitopt {
namespace {

class TrainingTest : public testing::Sandbox {
 protected:
  TrainingTest() {
    environment_["QBITOPT_WORKER"] = QBITOPT_WORKER;
    write("tiny.yaml", R"(qbitopt: 1
name: tiny
set:
  model: resnet8
  data: {name: synthetic, image_size: 8, train_images: 256, validation_images: 64, test_images: 64}
  pretraining: {steps: 30, batch_size: 16, learning_rate: 0.05}
  training: {steps: 40, batch_size: 16, learning_rate: 0.01}
  calibration: {batches: 2, batch_size: 16}
  reallocation: {tau: 10}
seeds: 2
cases:
  fp32:      {set: {method: fp32}, seeds: 1}
  continued: {set: {method: fp32_continued}}
  fixed:     {set: {method: fixed_precision}, grid: {budget.average_bits: [2, 3]}}
  moving:    {grid: {method: [qbitopt, replay], budget.average_bits: [2.5]}}
)");
  }

  Rows query(const std::string& sql, const std::string& database = "results/qbitopt.db") const {
    return Reader(folder_ / database).query(sql);
  }

  // Everything about the runs that does not depend on when and where they ran.
  std::vector<std::vector<Json>> table(const std::string& database) const {
    return query(
               "SELECT key, state, top1, loss, validation_top1, validation_top1_batch_mode, "
               "weight_bits, activation_bits, "
               "weight_bytes, steps, budget_met FROM runs ORDER BY key",
               database)
        .rows;
  }
};

TEST_F(TrainingTest, EveryFinishedRunHasAValueInEveryColumnThatAppliesToIt) {
  ASSERT_EQ(qbitopt("run tiny.yaml").exit_code, 0);
  const Rows runs = query("SELECT * FROM runs");
  EXPECT_EQ(runs.size(), 11u);
  const std::set<std::string> may_be_null = {
      "joint_limit_bits", "weight_limit_bytes", "limit_bops", "error_class",
      "error_text",       "queue_id",           "note",       "tags"};
  const std::set<std::string> not_of_fp32 = {"budget_unit", "counted_weight_bytes", "bops"};
  std::set<std::string> parameters;  // one that does not apply is NULL
  for (const auto& row : query("SELECT replace(name, '.', '_') FROM parameter_definition").rows) {
    parameters.insert(row[0]);
  }
  for (size_t row = 0; row < runs.size(); ++row) {
    const bool is_fp32 = runs.at(row, "method").get<std::string>().rfind("fp32", 0) == 0;
    for (const std::string& column : runs.columns) {
      const bool is_parameter = parameters.count(column) > 0;
      const bool is_of_bits =
          column.find("limit") != std::string::npos || not_of_fp32.count(column) > 0;
      if (may_be_null.count(column) || is_parameter || (is_fp32 && is_of_bits)) continue;
      // fp32 is what the others start from
      if (column == "checkpoint" && runs.at(row, "method") == "fp32") continue;
      EXPECT_FALSE(runs.at(row, column).is_null())
          << runs.at(row, "method") << " has no " << column;
    }
  }
}

TEST_F(TrainingTest, ARunTellsWhatItsBudgetsOnTotalsCameTo) {
  const testing::Result run = qbitopt(
      "run tiny.yaml training.steps=2 pretraining.steps=2 seeds=1 budget.weight_bytes=30000");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out + run.err,
              ::testing::ContainsRegex("weight bits, .* activation bits, [0-9.]+ bytes, "));
  EXPECT_THAT(run.out + run.err, ::testing::Not(::testing::HasSubstr("bit operations")));
  EXPECT_EQ(query("SELECT count(*) FROM runs WHERE counted_weight_bytes <= weight_limit_bytes")
                .rows[0][0],
            4);
}

TEST_F(TrainingTest, BudgetsRecomputedInSqlAreKept) {
  ASSERT_EQ(qbitopt("run tiny.yaml").exit_code, 0);
  const Rows averages = query(
      "SELECT method, kind, max(limit_bits) AS limit_bits, sum(share * bits) AS used, sum(share) "
      "AS shares FROM bits"
      " WHERE counted GROUP BY key, kind");
  EXPECT_EQ(averages.size(), 16u);
  for (size_t row = 0; row < averages.size(); ++row) {
    EXPECT_LE(averages.at(row, "used").get<double>(), averages.at(row, "limit_bits").get<double>() *
                                                          averages.at(row, "shares").get<double>());
  }
}

// The workers of the second run train other jobs before and after, so this also says that a job's
// result does not depend on what its worker did before.
TEST_F(TrainingTest, AKilledDriverCostsNothingButTime) {
  ASSERT_EQ(qbitopt("run tiny.yaml --db calm.db").exit_code, 0);
  {
    const auto driver = start_qbitopt("run tiny.yaml");
    wait_until([&] {
      return std::filesystem::exists(folder_ / "results/qbitopt.db") && count("finished") >= 3;
    });
    driver->signal(SIGKILL);
    wait_until([&] { return driver->try_reap().has_value(); });
  }
  ASSERT_EQ(qbitopt("run tiny.yaml").exit_code, 0);
  EXPECT_EQ(table("results/qbitopt.db"), table("calm.db"));
}

TEST_F(TrainingTest, AKilledWorkersJobIsTriedAgainToTheSameResult) {
  ASSERT_EQ(qbitopt("run tiny.yaml --db calm.db").exit_code, 0);
  {
    const auto driver = start_qbitopt("run tiny.yaml");
    int64_t pid = 0;
    wait_until([&] {
      if (!std::filesystem::exists(folder_ / "results/qbitopt.db") || count("running") == 0)
        return false;
      const Rows running = query(
          "SELECT pid FROM attempt WHERE state = 'running' AND pid IS NOT NULL AND number = 1");
      if (!running.empty()) pid = running.at(0, "pid").get<int64_t>();
      return pid != 0;
    });
    ::kill(static_cast<pid_t>(pid), SIGKILL);
    wait_until([&] { return driver->try_reap().has_value(); }, /*seconds=*/60);
  }
  EXPECT_EQ(table("results/qbitopt.db"), table("calm.db"));
}

}  // namespace
}  // namespace qbitopt
