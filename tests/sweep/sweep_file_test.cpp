#include "qbitopt/sweep/sweep_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "qbitopt/core/hash.h"
#include "qbitopt/sweep/fingerprint.h"
#include "qbitopt/sweep/identity.h"
#include "sweep/sweep_fixture.h"

namespace qbitopt {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using SweepFileTest = SweepTest;

constexpr char kQbitopt[] = "qbitopt: 1\nset: {method: qbitopt, model: tiny}\n";

TEST_F(SweepFileTest, TheFirstExampleIs276JobsAndTheOneTheyNeed) {
  folder_.write("experiments/imagenet/resnet18.yaml",
                "set: {model: resnet18, training: {steps: 500}}\n");
  const Plan plan = read(R"(
qbitopt: 1
name: budget-sensitivity-solver
extends: ../experiments/imagenet/resnet18.yaml
set: {method: qbitopt}
grid:
  budget.average_bits: {from: 2.5, to: 6.0, step: 0.5}
  sensitivity: [fit, hessian_trace, quant_mse, random]
  solver: [relax_greedy, exact, milp]
seeds: 3
exclude: [solver == 'milp' and budget.average_bits > 5.5]
when:
  - if: "sensitivity == 'hessian_trace'"
    set: {hessian.samples: 512}
needs: {fp32_checkpoint: {job: {method: fp32, seed: 0}}}
metric: {name: top1, goal: max, rule: last}
run: {jobs: auto, timeout: 12h, retries: {preempted: unlimited, lost: 2, oom: 0, other: 1}}
tables: [../results/imagenet_table.yaml]
)");
  EXPECT_EQ(requested(plan), 276u);
  EXPECT_EQ(plan.jobs.size(), 277u);
  EXPECT_FALSE(plan.jobs[0].requested);
  EXPECT_EQ(plan.jobs[0].job().parameters.at("method"), "fp32");
  for (const PlannedJob& planned : plan.jobs) {
    const Json parameters = planned.job().parameters;
    if (!planned.requested) continue;
    EXPECT_EQ(planned.needs->at("fp32_checkpoint"), plan.jobs[0].key);
    EXPECT_EQ(parameters.at("training.steps"), 500);
    EXPECT_EQ(parameters.contains("hessian.samples"),
              parameters.at("sensitivity") == "hessian_trace");
    EXPECT_EQ(parameters.value("hessian.samples", 512), 512);
    EXPECT_FALSE(parameters.at("solver") == "milp" && parameters.at("budget.average_bits") > 5.5);
  }
  // Seeds innermost, then the axes from the last to the first.
  const Json first = plan.jobs[1].job().parameters;
  const Json second = plan.jobs[2].job().parameters;
  const Json fourth = plan.jobs[4].job().parameters;
  EXPECT_EQ(first.at("budget.average_bits"), 2.5);
  EXPECT_EQ(second.at("seed"), 1);
  EXPECT_EQ(fourth.at("solver"), "exact");
  EXPECT_EQ(plan.jobs[1].config_key, plan.jobs[3].config_key);
  EXPECT_NE(plan.jobs[3].config_key, plan.jobs[4].config_key);

  EXPECT_EQ(plan.sweep_name, "budget-sensitivity-solver");
  EXPECT_THAT(plan.warnings, IsEmpty());
  ASSERT_EQ(plan.included.size(), 1u);
  EXPECT_THAT(plan.included[0].first, EndsWith("experiments/imagenet/resnet18.yaml"));
  ASSERT_EQ(plan.tables.size(), 1u);
  EXPECT_EQ(plan.tables[0], (folder_.path() / "results/imagenet_table.yaml").string());
  EXPECT_EQ(plan.run, Json::parse(R"({"jobs": "auto", "timeout_seconds": 43200.0,
                                      "retries": {"preempted": -1, "lost": 2, "oom": 0, "other": 1}})"));
}

TEST_F(SweepFileTest, TheSecondExampleIs39Jobs) {
  folder_.write("experiments/fashion_mnist/resnet8.yaml", "set: {model: resnet8}\n");
  const Plan plan = read(R"(
qbitopt: 1
name: comparison
extends: ../experiments/fashion_mnist/resnet8.yaml
seeds: 3
cases:
  fp32:        {set: {method: fp32}}
  fixed:       {set: {method: fixed_precision}, grid: {budget.average_bits: [2, 3, 4]}}
  fracbits:    {set: {method: fracbits}, grid: {budget.average_bits: [2, 3, 4]},
                zip: {schedule: {fracbits.kappa: [0.1, 1.0], fracbits.warmup_epochs: [1, 2]}}}
  qbitopt:     {set: {method: qbitopt, sensitivity: fit, solver: relax_greedy}, grid: {budget.average_bits: [2, 3, 4]}}
tables: [../results/comparison.yaml]
)");
  EXPECT_EQ(plan.jobs.size(), 39u);
  EXPECT_EQ(requested(plan), 39u);
  EXPECT_EQ(to_json(plan)["counts"]["cases"],
            Json({{"fp32", 3}, {"fixed", 9}, {"fracbits", 18}, {"qbitopt", 9}}));
  for (const PlannedJob& planned : plan.jobs) {
    if (planned.case_name == "fp32") {
      EXPECT_TRUE(planned.needs->empty());
      EXPECT_EQ(planned.axes(), Json::object());
    } else {
      EXPECT_EQ(planned.needs->at("fp32_checkpoint"), plan.jobs[0].key) << planned.case_name;
      EXPECT_EQ(planned.artifacts().at("fp32_checkpoint"), "model");
    }
    const Json parameters = planned.job().parameters;
    if (planned.case_name == "fracbits") {
      EXPECT_EQ(parameters.at("fracbits.kappa") == 0.1,
                parameters.at("fracbits.warmup_epochs") == 1);
      EXPECT_FALSE(planned.job().guarantees_budget);
    }
  }
}

TEST_F(SweepFileTest, AKeyIsTheSha256OfTheCanonicalIdentity) {
  const Plan plan = read(
      "qbitopt: 1\nset: {method: qbitopt, model: tiny}\ngrid: {budget.average_bits: [2, "
      "3]}\nseeds: [5]\n");
  ASSERT_EQ(plan.jobs.size(), 3u);
  const Job fp32 = plan.jobs[0].job();
  const Job qbitopt = plan.jobs[1].job();
  const Manifest& digits = small_catalog().get("data", "digits");
  const std::string data = "digits:" + DataFingerprints().of(digits, "");
  EXPECT_EQ(fp32.key, sha256(identity_text({fp32.parameters, fp32.versions, data, {}})));
  Identity identity{qbitopt.parameters, qbitopt.versions, data, {{"fp32_checkpoint", fp32.key}}};
  identity.parameters.erase("reallocation.min_gain");  // at its neutral value
  EXPECT_EQ(qbitopt.key, sha256(identity_text(identity)));
  identity.parameters.erase("seed");
  EXPECT_EQ(qbitopt.config_key, sha256(identity_text(identity)));
}

TEST_F(SweepFileTest, EqualValuesAreOneJob) {
  const auto key = [&](const std::string& bits) {
    return read(kQbitopt + ("grid: {budget.average_bits: [" + bits + "]}\n")).jobs.back().key;
  };
  EXPECT_EQ(key("4"), key("4.0"));
  EXPECT_EQ(read(std::string(kQbitopt) +
                 "grid: {training.learning_rate: {from: 0.1, to: 0.3, step: 0.1}}\n")
                .jobs.back()
                .key,
            read("qbitopt: 1\nset: {method: qbitopt, model: tiny, training.learning_rate: 0.3}\n")
                .jobs.back()
                .key);
  EXPECT_NE(key("4"), key("3"));
}

TEST_F(SweepFileTest, AnAxisThatDoesNotApplyIsAbsentAndCollapses) {
  const Plan plan = read(
      "qbitopt: 1\nset: {model: tiny}\ngrid: {method: [fp32, fixed_precision], "
      "budget.average_bits: [2, 3]}\n");
  ASSERT_EQ(plan.jobs.size(), 3u);
  EXPECT_EQ(plan.jobs[0].axes(), Json({{"method", "fp32"}}));
  EXPECT_EQ(plan.jobs[1].axes(),
            Json({{"method", "fixed_precision"}, {"budget.average_bits", 2.0}}));
}

TEST_F(SweepFileTest, UnknownKeysShowTheLineAndTheNearestKey) {
  EXPECT_EQ(error("qbitopt: 1\nset:\n  method: qbitopt\n  budget.avrage_bits: 3\n"),
            "sweeps/sweep.yaml:4:3: unknown key 'budget.avrage_bits', did you mean "
            "'budget.average_bits'?\n"
            "    budget.avrage_bits: 3\n"
            "    ^");
  EXPECT_THAT(
      error("qbitopt: 1\nsett: {method: fp32}\n"),
      HasSubstr("sweeps/sweep.yaml:2:1: unknown key 'sett' in a sweep file, did you mean 'set'?"));
  EXPECT_THAT(
      error("qbitopt: 1\nmethod: fp32\n"),
      HasSubstr("'method' is a parameter of jobs; write it below `set:` (or `grid:` to vary it)"));
  EXPECT_THAT(error(std::string(kQbitopt) + "training: {steps: 3}\n"),
              HasSubstr("'training' is a parameter of jobs"));
}

TEST_F(SweepFileTest, UnknownPartsListTheKnownOnes) {
  EXPECT_EQ(
      error(std::string(kQbitopt) + "grid:\n  solver: [exact, gredy]\n"),
      "sweeps/sweep.yaml:4:19: unknown solver 'gredy'; known solvers: exact, milp, relax_greedy\n"
      "    solver: [exact, gredy]\n"
      "                    ^");
}

TEST_F(SweepFileTest, WrongTypesSayWhatWasExpected) {
  EXPECT_THAT(error(std::string(kQbitopt) + "grid: {reallocation.tau: [many]}\n"),
              HasSubstr("sweeps/sweep.yaml:3:27: 'reallocation.tau' expects an int, found 'many'"));
  EXPECT_THAT(error(std::string(kQbitopt) + "grid: {reallocation.tau: [0]}\n"),
              HasSubstr("'reallocation.tau' must be at least 1 steps, found 0"));
  EXPECT_THAT(
      error("qbitopt: 1\nset: {method: qbitopt, model: tiny, reallocation.tau: [1, 2]}\n"),
      HasSubstr(
          "'reallocation.tau' expects an int, found [1, 2]; to vary it write it below `grid:`"));
  EXPECT_THAT(
      error("qbitopt: 1\nset: {method: qbitopt}\n"),
      HasSubstr("'model' is missing; give it below `set:`; known models: resnet18, resnet8, tiny"));
}

TEST_F(SweepFileTest, AnEmptyProductIsAnError) {
  EXPECT_EQ(error(std::string(kQbitopt) + "grid: {solver: []}\n"),
            "sweeps/sweep.yaml:3:16: an empty list gives no jobs; add a value or remove the key\n  "
            "grid: {solver: []}\n           "
            "      ^");
  EXPECT_EQ(
      error(std::string(kQbitopt) +
            "grid: {solver: [exact, milp]}\nexclude: [method == 'qbitopt']\n"),
      "sweeps/sweep.yaml: this sweep has no jobs: its rules exclude every point of the product");
}

TEST_F(SweepFileTest, AnInfeasibleBudgetNamesTheSmallestThatCanBeMet) {
  EXPECT_EQ(error(std::string(kQbitopt) + "grid: {budget.average_bits: [3, 1.5]}\n"),
            "sweeps/sweep.yaml:3:33: infeasible budget: 'budget.average_bits' is 1.5, below the "
            "smallest candidate of "
            "quantizers.candidate_bits = [2, 3, 4, 8]; the smallest budget that can be met is 2\n"
            "  grid: {budget.average_bits: [3, 1.5]}\n"
            "                                  ^");
}

TEST_F(SweepFileTest, ReplayNeedsTheJobWhoseBitsItTakes) {
  const Plan plan = read(
      "qbitopt: 1\nset: {model: tiny, method: replay, budget.average_bits: 3, reallocation.tau: "
      "7}\nseeds: 2\n");
  ASSERT_EQ(plan.jobs.size(), 5u);  // fp32, and for each seed qbitopt and its replay
  const PlannedJob& replay = plan.jobs.back();
  const auto needed = std::find_if(plan.jobs.begin(), plan.jobs.end(), [&](const PlannedJob& job) {
    return job.key == replay.needs->at("allocation");
  });
  ASSERT_NE(needed, plan.jobs.end());
  const Json parameters = needed->job().parameters;
  EXPECT_EQ(parameters.at("method"), "qbitopt");
  EXPECT_EQ(parameters.at("seed"), 1);
  EXPECT_EQ(parameters.at("reallocation.tau"), 7);
  EXPECT_EQ(replay.artifacts().at("allocation"), "allocation");
  EXPECT_EQ(replay.config_key, plan.jobs[2].config_key) << "seeds of one configuration";
  const Plan of_fixed = read(
      "qbitopt: 1\nset: {model: tiny, method: replay, replay.method: fixed_precision, "
      "budget.average_bits: 3}\n");
  EXPECT_EQ(of_fixed.jobs[1].job().parameters.at("method"), "fixed_precision");
}

TEST_F(SweepFileTest, AnOptionalNeedIsThereIfTheSweepNamesIt) {
  const std::string head =
      "qbitopt: 1\nset: {model: tiny, method: qbitopt, budget.average_bits: 3}\n";
  const Plan without = read(head);
  ASSERT_EQ(without.jobs.size(), 2u);  // fp32 and itself
  EXPECT_FALSE(without.jobs[1].needs->contains("start_from"));

  const Plan plan = read(head +
                         "seeds: 2\n"
                         "needs: {start_from: {job: {method: qbitopt, budget.average_bits: 4}}}\n");
  ASSERT_EQ(plan.jobs.size(), 5u);
  const PlannedJob& last = plan.jobs.back();
  EXPECT_NE(last.key, without.jobs[1].key);
  EXPECT_EQ(last.artifacts().at("start_from"), "model");
  const auto start = std::find_if(plan.jobs.begin(), plan.jobs.end(), [&](const PlannedJob& job) {
    return job.key == last.needs->at("start_from");
  });
  ASSERT_NE(start, plan.jobs.end());
  EXPECT_EQ(start->job().parameters.at("budget.average_bits"), 4);
  EXPECT_EQ(start->job().parameters.at("seed"), 1);    // the same
  EXPECT_FALSE(start->needs->contains("start_from"));  // or it would never end
}

TEST_F(SweepFileTest, OnlyAQuantizedNetworkCanBeStartedFrom) {
  EXPECT_THAT(error(std::string(kQbitopt) + "needs: {start_from: {job: {method: fp32}}}\n"),
              HasSubstr("the job for the need 'start_from' has no quantized network to hand over, "
                        "because method 'fp32' does not quantize"));
  EXPECT_THAT(error("qbitopt: 1\nset: {model: tiny, method: fracbits, budget.average_bits: 3}\n"
                    "needs: {start_from: {job: {method: qbitopt}}}\n"),
              HasSubstr("method 'fracbits' has no need 'start_from'; methods that have it: "
                        "fixed_precision, qbitopt"));
}

TEST_F(SweepFileTest, NeedsWithoutEndAreRefused) {
  EXPECT_THAT(error("qbitopt: 1\nset: {model: tiny, method: replay, replay.method: replay}\n"),
              HasSubstr("the needs of 'replay' form an endless chain: replay -> replay"));
}

TEST_F(SweepFileTest, OnlyKnownNeedsCanBeMetInAnotherWay) {
  const Plan plan =
      read(std::string(kQbitopt) +
           "needs: {fp32_checkpoint: {job: {method: fp32, seed: 9, pretraining.steps: 7}}}\n");
  EXPECT_EQ(plan.jobs[0].job().parameters.at("seed"), 9);
  EXPECT_EQ(plan.jobs[0].job().parameters.at("pretraining.steps"), 7);
  EXPECT_THAT(error(std::string(kQbitopt) + "needs: {fp32_checkpont: {job: {method: fp32}}}\n"),
              HasSubstr("unknown key 'fp32_checkpont' in needs, did you mean 'fp32_checkpoint'?"));
}

}  // namespace
}  // namespace qbitopt
