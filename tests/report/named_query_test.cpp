#include "qbitopt/report/named_query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "qbitopt/core/error.h"
#include "qbitopt/report/rows_format.h"
#include "report/small_database.h"

namespace qbitopt {
namespace {

using ::testing::HasSubstr;
using testing::SmallDatabase;
using Arguments = std::map<std::string, Json>;

// The queries of results/queries on the small database; expected rows are computed by hand from its
// header.
class NamedQueryTest : public ::testing::Test {
 protected:
  NamedQueryTest() : small_(file_) {}

  // Chosen columns of the rows, "a|b|c" each.
  std::vector<std::string> ask(const std::string& name, const std::vector<std::string>& columns,
                               const Arguments& arguments = {}) const {
    const Rows rows = Reader(file_).query_named(find_query(QBITOPT_QUERIES, name).sql, arguments);
    std::vector<std::string> lines;
    for (size_t i = 0; i < rows.size(); ++i) {
      std::string line;
      for (const std::string& column : columns)
        line += (line.empty() ? "" : "|") + cell_text(rows.at(i, column));
      lines.push_back(line);
    }
    return lines;
  }

  testing::TemporaryFolder folder_;
  const std::filesystem::path file_ = folder_ / "results.db";
  SmallDatabase small_;
};

using Lines = std::vector<std::string>;

TEST_F(NamedQueryTest, EveryQueryIsDescribedAndRunsWithoutArguments) {
  const auto queries = read_queries(QBITOPT_QUERIES);
  EXPECT_GE(queries.size(), 10u);
  for (const NamedQuery& query : queries) {
    EXPECT_THAT(query.description, HasSubstr("?")) << query.name;
    EXPECT_NO_THROW(Reader(file_).query_named(query.sql, {})) << query.name;
  }
}

TEST_F(NamedQueryTest, BestPerBudget) {
  EXPECT_EQ(ask("best-per-budget", {"bits", "method", "top1_mean", "top1_deviation", "n_seeds"}),
            (Lines{"4|fixed_precision|89|1|3", "3|qbitopt|87|2|3",
                   "2.5|static_allocation|81.6667|2.51661|3"}));
}

TEST_F(NamedQueryTest, GainOverFixed) {
  EXPECT_EQ(
      ask("gain-over-fixed", {"bits", "method", "pairs", "gain", "least", "most", "better"}),
      (Lines{"3|fracbits|2|2|2|2|2", "3|qbitopt|3|1|0|2|2", "3|static_allocation|3|0|-2|1|2"}));
  EXPECT_TRUE(ask("gain-over-fixed", {"method"}, {{"model", "resnet8"}}).empty());
}

TEST_F(NamedQueryTest, BudgetMisses) {
  EXPECT_EQ(ask("budget-misses", {"method", "guarantees_budget", "runs", "missed",
                                  "most_bits_above", "failed_for_it"}),
            (Lines{"fracbits|0|3|1|1|0", "fixed_precision|1|6|0|0|0", "qbitopt|1|5|0|0|0",
                   "static_allocation|1|6|0|0|0"}));
}

TEST_F(NamedQueryTest, BudgetMissesOfTotalsAreInTheirUnits) {
  Database database(file_);
  const Job job = testing::make_job(
      {{"method", "penalty"}, {"budget.weight_bytes", 100}, {"budget.bops", 1000}});
  Plan plan = testing::make_plan({job}, "totals");
  JobShape shape = *plan.jobs[0].shape;
  shape.guarantees_budget = false;
  plan.jobs[0].shape = std::make_shared<JobShape>(shape);
  database.record_sweep(plan);
  const Attempt attempt = testing::make_attempt(job, 1, "/nowhere");
  std::vector<Event> events = testing::events_of({.budget_met = false});
  for (Event& event : events) {
    if (auto* finished = std::get_if<Finished>(&event.body))
      finished->budgets = {{"weight_bytes", 100, 180}, {"bops", 1000, 1500}};
  }
  database.begin(attempt);
  database.ingest(attempt, events);
  database.end(attempt, {});
  database.commit();
  const std::vector<std::string> columns = {"method", "most_bits_above", "most_bytes_above",
                                            "most_bit_operations_above"};
  EXPECT_EQ(ask("budget-misses", columns),
            (Lines{"fracbits|1|0|0", "penalty|0|80|500", "fixed_precision|0|0|0", "qbitopt|0|0|0",
                   "static_allocation|0|0|0"}));
}

TEST_F(NamedQueryTest, AxisEffect) {
  EXPECT_EQ(ask("axis-effect",
                {"from_value", "to_value", "pairs", "top1_change", "least", "most", "better"},
                {{"axis", "budget.average_bits"}}),
            (Lines{"2.5|3|5|4.6|3|6|5", "3|4|3|3|1|4|3"}));
}

TEST_F(NamedQueryTest, BitsPerLayer) {
  EXPECT_EQ(ask("bits-per-layer", {"quantizer", "kind", "elements", "counted", "bits", "runs"},
                {{"bits", 2.5}}),
            (Lines{"stem.weight|weight|100|1|4|2", "head.weight|weight|300|1|2|2",
                   "head.input|activation|50|1|2|2", "stem.input|activation|784|0|8|2"}));
}

TEST_F(NamedQueryTest, TableCell) {
  EXPECT_EQ(
      ask("table-cell", {"state", "seed", "top1", "weight_bits", "budget_met", "sweeps"},
          {{"method", "fracbits"}, {"bits", 3}}),
      (Lines{"finished|0|86|3|1|small", "finished|1|87|3|1|small", "finished|2|88|4|0|small"}));
  EXPECT_EQ(ask("table-cell", {"top1"}, {{"method", "fp32"}}), Lines{"90"});
}

TEST_F(NamedQueryTest, CostPerMethod) {
  EXPECT_EQ(
      ask("cost-per-method", {"method", "runs", "hours", "seconds_per_run", "milliseconds_per_step",
                              "percent_reallocating", "megabytes_peak"}),
      (Lines{"fixed_precision|6|0.0166667|10|2500|1|1.04858",
             "static_allocation|6|0.0166667|10|2500|1|1.04858",
             "qbitopt|5|0.0138889|10|2500|1|1.04858",
             "fp32_continued|3|0.00833333|10|2500|1|1.04858",
             "fracbits|3|0.00833333|10|2500|1|1.04858", "fp32|1|0.00277778|10|2500|1|1.04858"}));
}

TEST_F(NamedQueryTest, FailuresByClass) {
  EXPECT_EQ(ask("failures-by-class",
                {"error_class", "method", "attempts", "jobs", "finished_since", "for_example"}),
            Lines{"lost|qbitopt|1|1|0|killed by signal 9"});
}

TEST_F(NamedQueryTest, OursAgainstPublished) {
  EXPECT_EQ(
      ask("ours-against-published", {"published_method", "weight_bits", "published_delta",
                                     "our_method", "our_delta", "delta_difference"}),
      (Lines{"PACT|3||fixed_precision|-4|", "PACT|3||fracbits|-3.5|", "PACT|3||qbitopt|-3|",
             "PACT|3||static_allocation|-4|", "LSQ|4|-2|fixed_precision|-1|1", "DoReFa|4|-2|||"}));
}

TEST_F(NamedQueryTest, AccuracyPerMegabyte) {
  EXPECT_EQ(ask("accuracy-per-megabyte",
                {"bits", "method", "megabytes", "top1_per_megabyte", "unbeaten"}),
            (Lines{"2.5|static_allocation|0.000125|653333|1", "2.5|qbitopt|0.000125|648000|0",
                   "3|qbitopt|0.00015|580000|1", "3|fracbits|0.00015|576667|0",
                   "3|fixed_precision|0.00015|573333|0", "3|static_allocation|0.00015|573333|0",
                   "4|fixed_precision|0.000175|508571|1"}));
}

TEST_F(NamedQueryTest, PredictedAgainstMeasured) {
  const Lines lines = ask("predicted-against-measured", {"method", "bits", "seed", "predicted_rise",
                                                         "measured_rise", "gap_to_bound"});
  ASSERT_EQ(lines.size(), 19u);
  EXPECT_EQ(lines.front(), "fixed_precision|4|0|0.5|0|0.2");
}

// With runs of a second recipe beside those of the first.
class TwoRecipesTest : public NamedQueryTest {
 protected:
  TwoRecipesTest() { small_.add_longer_recipe(); }
};

TEST_F(TwoRecipesTest, ARunGainsOverFixedPrecisionOfItsOwnRecipe) {
  EXPECT_EQ(ask("gain-over-fixed", {"bits", "method", "pairs", "gain", "least", "most", "better"}),
            (Lines{"3|fracbits|2|2|2|2|2", "3|qbitopt|2|1.5|1|2|2", "3|qbitopt|3|1|0|2|2",
                   "3|static_allocation|3|0|-2|1|2", "3|qbitopt|2|-1.5|-2|-1|0"}));
}

TEST_F(TwoRecipesTest, EachRecipeHasItsBest) {
  EXPECT_EQ(ask("best-per-budget", {"bits", "steps", "method", "sensitivity", "top1_mean"}),
            (Lines{"4|160|fixed_precision||89", "3|160|qbitopt||87", "3|400|qbitopt|fit|89.5",
                   "2.5|160|static_allocation||81.6667"}));
}

TEST_F(TwoRecipesTest, PredictionsInNatsAreComparedWithFullPrecisionOfTheirRecipe) {
  const Lines lines =
      ask("predicted-against-measured", {"method", "bits", "seed", "measured_rise"});
  EXPECT_EQ(lines.size(), 23u);
  EXPECT_EQ(std::count(lines.begin(), lines.end(), "qbitopt|3|0|0"), 1);
  EXPECT_EQ(std::count(lines.begin(), lines.end(), "qbitopt|3|0|0.2"), 1);
  EXPECT_EQ(std::count(lines.begin(), lines.end(), "fixed_precision|3|1|0.2"), 1);
}

TEST_F(TwoRecipesTest, QuantizationCostsWhatIsLostToTheOwnCheckpoint) {
  Lines lines = ask("ours-against-published", {"published_method", "our_method", "our_delta"});
  std::sort(lines.begin(), lines.end());
  EXPECT_EQ(lines, (Lines{"DoReFa||", "LSQ|fixed_precision|-1", "PACT|fixed_precision|-3",
                          "PACT|fixed_precision|-4", "PACT|fracbits|-3.5", "PACT|qbitopt|-1.5",
                          "PACT|qbitopt|-3", "PACT|qbitopt|-4.5", "PACT|static_allocation|-4"}));
}

TEST_F(TwoRecipesTest, AnAxisWhoseValuesBringParametersOfTheirOwnIsCompared) {
  const std::vector<std::string> columns = {"from_value", "to_value", "pairs",
                                            "least",      "most",     "better"};
  EXPECT_EQ(ask("axis-effect", columns, {{"axis", "sensitivity"}}), Lines{"fit|sqnr|2|-3|-3|0"});
  const Lines methods = ask("axis-effect", columns, {{"axis", "method"}});
  EXPECT_EQ(std::count(methods.begin(), methods.end(), "fixed_precision|qbitopt|7|-2|2|4"), 1);
  EXPECT_TRUE(ask("axis-effect", columns, {{"axis", "training.steps"}}).empty());
}

TEST_F(TwoRecipesTest, ALongerTrainingBeatsNoShorterOne) {
  const Lines lines = ask("accuracy-per-megabyte", {"bits", "method", "top1_mean", "unbeaten"});
  for (const char* line : {"3|qbitopt|87|1", "3|qbitopt|89.5|1", "3|qbitopt|86.5|0",
                           "3|fixed_precision|88|0", "3|fixed_precision|86|0"})
    EXPECT_EQ(std::count(lines.begin(), lines.end(), line), 1) << line;
  const Rows front =
      Reader(file_).query("SELECT top1_mean FROM pareto WHERE weight_bits = 3 ORDER BY top1_mean");
  EXPECT_EQ(front.rows, (std::vector<std::vector<Json>>{{87.0}, {89.5}}));
}

TEST_F(NamedQueryTest, BitsMoved) {
  EXPECT_TRUE(ask("bits-moved", {"step"}).empty());
  const Job job = testing::make_job({{"method", "qbitopt"}, {"seed", 7}});
  Database database(file_);
  database.record_sweep(testing::make_plan({job}, "moving"));
  const Attempt attempt = testing::make_attempt(job, 1, "/nowhere");
  database.begin(attempt);
  std::vector<Event> events = testing::events_of({.bits = {2, 4, 3, 8}});
  Reallocation second = std::get<Reallocation>(events[2].body);
  second.step = 1;
  second.bits = {4, 3, 3, 8};
  events.insert(events.begin() + 3, Event{0, 1'764'000'003.5, second});
  for (size_t i = 0; i < events.size(); ++i) events[i].number = static_cast<int64_t>(i) + 1;
  database.ingest(attempt, events);
  database.end(attempt, {});
  database.close();
  EXPECT_EQ(ask("bits-moved", {"step", "runs", "changed_per_run", "raised_per_run",
                               "lowered_per_run", "percent_changed"}),
            Lines{"1|1|2|1|1|50"});
}

TEST_F(NamedQueryTest, UnknownNamesAndArgumentsListTheKnownOnes) {
  try {
    find_query(QBITOPT_QUERIES, "gain-over-fixd");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("did you mean 'gain-over-fixed'?"));
  }
  try {
    ask("bits-per-layer", {}, {{"metod", "qbitopt"}});
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("unknown argument 'metod', did you mean 'method'?"));
  }
}

}  // namespace
}  // namespace qbitopt
