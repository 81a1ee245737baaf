#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "qbitopt/core/error.h"
#include "qbitopt/report/table.h"
#include "report/small_database.h"

namespace qbitopt {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using testing::make_job;
using testing::make_plan;
using testing::SmallDatabase;

constexpr const char* kDefinition = R"(
sweep: small
title: Small
split_by: [budget.average_bits]
rows:
  fp32:      {where: {method: fp32}}
  continued: {label: full precision continued, where: {method: fp32_continued}}
  fixed:     {where: {method: fixed_precision}}
  static:    {where: {method: static_allocation}}
  qbitopt:   {label: QBitOpt, where: {method: qbitopt}}
  fracbits:  {where: {method: fracbits}}
claims:
  - {say: Better than fixed, better: qbitopt, than: fixed, at: [3]}
  - {say: Better than static, better: qbitopt, than: static, at: [3, 2.5]}
  - {say: Better than fp32, better: qbitopt, than: continued}
notes: [A remark.]
)";

// 95% quantile (two-sided) of Student's t with 2 and 1 degrees of freedom, in closed form.
const double kT2 = 0.95 * std::sqrt(2 / (1 - 0.95 * 0.95));
const double kT1 = std::tan(std::numbers::pi * 0.475);

class BuildTableTest : public ::testing::Test {
 protected:
  BuildTableTest() : small_(file_) {}

  Table build(const std::string& text = kDefinition) const {
    return build_table(Reader(file_), parse_table_definition("small.yaml", text));
  }
  std::string refusal(const std::string& text) const {
    try {
      build(text);
    } catch (const InputError& error) {
      return error.what();
    }
    return "was built";
  }

  testing::TemporaryFolder folder_;
  const std::filesystem::path file_ = folder_ / "results.db";
  SmallDatabase small_;
};

std::vector<std::string> addresses(const Table& table) {
  std::vector<std::string> names;
  for (const TableSection& section : table.sections) {
    for (const TableRow& row : section.rows) names.push_back(row.address);
  }
  return names;
}

std::vector<std::string> texts(const Table& table) {
  std::vector<std::string> texts;
  for (const Footnote& note : table.footnotes) texts.push_back(note.text);
  return texts;
}

TEST_F(BuildTableTest, RowsAtOneBudgetStandTogetherThoseWithoutFirst) {
  const Table table = build();
  EXPECT_THAT(addresses(table),
              ElementsAre("fp32", "continued", "fixed@4", "fixed@3", "static@3", "qbitopt@3",
                          "fracbits@3", "static@2.5", "qbitopt@2.5"));
  EXPECT_FALSE(table.find_row("fp32")->begins_block);
  EXPECT_TRUE(table.find_row("fixed@4")->begins_block);
  EXPECT_FALSE(table.find_row("static@3")->begins_block);
}

TEST_F(BuildTableTest, ARowMayBeSplitByOtherAxesWithinABudget) {
  const Table table = build(
      "sweep: small\nsplit_by: [budget.average_bits, method]\nrows:\n"
      "  q: {where: {method: [fixed_precision, static_allocation, qbitopt]}}\n");
  EXPECT_THAT(addresses(table),
              ElementsAre("q@4,fixed_precision", "q@3,fixed_precision", "q@3,static_allocation",
                          "q@3,qbitopt", "q@2.5,static_allocation", "q@2.5,qbitopt"));
  EXPECT_TRUE(table.find_row("q@3,fixed_precision")->begins_block);
  EXPECT_FALSE(table.find_row("q@3,qbitopt")->begins_block);
  EXPECT_EQ(table.cell("q@3,qbitopt:by_method").text, "qbitopt");
}

TEST_F(BuildTableTest, WhatIsNotPublishedOrNotRunIsBlank) {
  const Table table = build(
      "sweep: small\nsplit_by: [budget.average_bits]\nfp32_row: fp32\nrows:\n"
      "  fp32:  {where: {method: fp32}}\n"
      "  fixed: {where: {method: fixed_precision}}\n"
      "published:\n"
      "  - {row: fixed@4, where: {method: LSQ}}\n"
      "  - {row: fixed@8, where: {method: PACT}}\n"
      "  - {row: fixed@3, where: {model: A net, method: Ours, weight_bits: 3}}\n"
      "  - {row: resnet18/fixed@4, where: {method: DoReFa}}\n"
      "  - {where: {method: DoReFa}}\n");
  ASSERT_EQ(table.published.size(), 4u);  // resnet18 is no section of this table
  const PublishedRow& both = table.published[0];
  EXPECT_EQ(both.delta, -2);
  EXPECT_EQ(both.our_delta, -1);  // 89 less 90
  EXPECT_EQ(both.delta_difference, 1);
  const PublishedRow& theirs = table.published[1];
  EXPECT_EQ(theirs.top1, 65);
  EXPECT_EQ(theirs.our_row, "");
  EXPECT_FALSE(theirs.our_top1 || theirs.delta || theirs.delta_difference);
  const PublishedRow& ours = table.published[2];
  EXPECT_EQ(ours.method, "Ours");
  EXPECT_EQ(ours.weight_bits, "3");
  EXPECT_EQ(ours.our_delta, -4);
  EXPECT_FALSE(ours.top1 || ours.delta_difference);
  EXPECT_EQ(table.published[3].model, "ResNet18");
}

TEST_F(BuildTableTest, MeansHaveDeviationsOverTheSeeds) {
  const Table table = build();
  const Cell& fixed = table.cell("fixed@3:top1");
  EXPECT_DOUBLE_EQ(*fixed.values[0], 86);
  EXPECT_DOUBLE_EQ(*fixed.deviation, std::sqrt((4 + 1 + 9) / 2.0));
  EXPECT_EQ(fixed.n, 3);
  EXPECT_DOUBLE_EQ(*table.cell("fixed@3:n").values[0], 3);
  EXPECT_FALSE(table.cell("fp32:top1").deviation);
}

TEST_F(BuildTableTest, BothAveragesOfTheBitsAndTheBytesAreShown) {
  const Table table = build();
  const Cell& bits = table.cell("qbitopt@3:bits");
  EXPECT_DOUBLE_EQ(*bits.values[0], 3);
  EXPECT_DOUBLE_EQ(*bits.values[1], 3);
  EXPECT_DOUBLE_EQ(*table.cell("qbitopt@3:all_bits").values[1], (50 * 3 + 784 * 8) / 834.0);
  EXPECT_DOUBLE_EQ(*table.cell("qbitopt@3:size").values[0], 0.150);  // kB
  EXPECT_DOUBLE_EQ(*table.cell("fp32:bits").values[0], 32);
}

TEST_F(BuildTableTest, DifferencesArePairedBySeedWithATInterval) {
  const Table table = build();
  const Cell& against = table.cell("qbitopt@3:vs_fixed");  // 1, 2, 0
  EXPECT_DOUBLE_EQ(*against.values[0], 1);
  EXPECT_NEAR(against.interval->low, 1 - kT2 / std::sqrt(3), 1e-12);
  EXPECT_NEAR(against.interval->high, 1 + kT2 / std::sqrt(3), 1e-12);
  const Cell& fp32 = table.cell("qbitopt@2.5:vs_fp32");  // -11, -10
  EXPECT_DOUBLE_EQ(*fp32.values[0], -10.5);
  EXPECT_NEAR(fp32.interval->high, -10.5 + kT1 * std::sqrt(0.5) / std::sqrt(2), 1e-12);
}

TEST_F(BuildTableTest, ARowIsNeitherComparedWithItselfNorAcrossBudgets) {
  const Table table = build();
  EXPECT_FALSE(table.cell("fixed@3:vs_fixed").values[0]);
  EXPECT_FALSE(table.cell("qbitopt@2.5:vs_fixed").values[0]);  // fixed has no 2.5 bits
  EXPECT_FALSE(table.cell("continued:vs_fixed").values[0]);    // which has no budget
}

TEST_F(BuildTableTest, ARowMayHaveAnAxisUnderAnotherName) {
  std::vector<Job> jobs;
  for (const int bits : {4, 3}) {
    jobs.push_back(make_job({{"method", "continued"}, {"seed", 0}, {"beside", bits}}));
    jobs.push_back(make_job({{"method", "a"}, {"seed", 0}, {"budget.average_bits", bits}}));
  }
  Database database(file_);
  database.record_sweep(make_plan(jobs, "pairs"));
  double top1 = 90;
  for (const Job& job : jobs) testing::store_run(database, job, {.top1 = top1 -= 1});
  const Table table = build_table(
      database.reader(),
      parse_table_definition("pairs.yaml",
                             "sweep: pairs\nsplit_by: [budget.average_bits]\nrows:\n"
                             "  continued: {where: {method: continued}, "
                             "axes: {budget.average_bits: beside}}\n"
                             "  a: {where: {method: a}}\n"
                             "columns: {vs: {show: difference, of: top1, to: continued}, "
                             "bits: {show: axis, of: budget.average_bits}}\n"));
  EXPECT_THAT(addresses(table), ElementsAre("continued@4", "a@4", "continued@3", "a@3"));
  EXPECT_EQ(table.cell("continued@4:bits").text, "4");
  EXPECT_EQ(*table.cell("a@4:vs").values[0], 88 - 89);
  EXPECT_EQ(*table.cell("a@3:vs").values[0], 86 - 87);
}

TEST_F(BuildTableTest, ASectionOfWhichNothingHasRunIsNamedInANote) {
  std::vector<Job> jobs;
  for (const char* model : {"small", "large", "huge"})
    jobs.push_back(make_job({{"method", "a"}, {"model", model}, {"seed", 0}}));
  Database database(file_);
  database.record_sweep(make_plan(jobs, "models"));
  const auto table = [&](const std::string& more) {
    return build_table(
        database.reader(),
        parse_table_definition("models.yaml",
                               "sweep: models\nsection_by: model\nrows: {a: {where: {method: "
                               "a}}}\ncolumns: {top1: {show: mean, of: top1}}\n" +
                                   more));
  };
  EXPECT_EQ(table("").sections.size(), 3u) << "nothing has run";
  testing::store_run(database, jobs[1], {.top1 = 80});
  EXPECT_THAT(addresses(table("")), ElementsAre("large/a"));
  EXPECT_THAT(texts(table("")),
              Contains("Left out, because none of their runs has ended: small; huge."));
  EXPECT_THAT(addresses(table("expect: {\"huge/a:top1\": {value: 70, tolerance: 1}}\n")),
              ElementsAre("large/a", "huge/a"));
}

TEST_F(BuildTableTest, AMissingSeedIsAFootnote) {
  const Table table = build();
  const Cell& cell = table.cell("qbitopt@2.5:top1");
  EXPECT_DOUBLE_EQ(*cell.values[0], 81);
  EXPECT_EQ(cell.n, 2);
  ASSERT_EQ(cell.marks.size(), 1u);
  EXPECT_THAT(
      table.footnotes,
      Contains(AllOf(Field(&Footnote::mark, cell.marks[0]),
                     Field(&Footnote::text, "Mean without 1 of 3 seeds: seed 2 (failed: lost)."))));
}

TEST_F(BuildTableTest, ARunAboveItsBudgetIsShownAsMissedAndEntersNoMean) {
  const Table table = build();
  const Cell& cell = table.cell("fracbits@3:top1");
  EXPECT_DOUBLE_EQ(*cell.values[0], 86.5);
  EXPECT_EQ(cell.n, 2);
  EXPECT_EQ(table.cell("fracbits@3:met").text, "met in 2 of 3");
  EXPECT_EQ(table.cell("fracbits@3:vs_fixed").n, 2);
  EXPECT_THAT(texts(table), Contains(HasSubstr("Seed 2 ended above its budget")));
  EXPECT_EQ(table.cell("qbitopt@3:met").text, "met");
  EXPECT_EQ(table.cell("fp32:met").text, "");
}

// Also where a column asks for neither deviation nor bold face.
TEST_F(BuildTableTest, AnyMeanOfAResultLeavesMissedRunsOut) {
  const Table table = build(
      "sweep: small\nsplit_by: [budget.average_bits]\nrows:\n"
      "  f: {where: {method: fracbits}}\n"
      "columns: {plain: {show: mean, of: top1}, bits: {show: mean, of: weight_bits}}\n");
  EXPECT_DOUBLE_EQ(*table.cell("f@3:plain").values[0], 86.5);
  EXPECT_EQ(table.cell("f@3:plain").marks.size(), 1u);
  EXPECT_TRUE(table.cell("f@3:bits").marks.empty());
}

TEST_F(BuildTableTest, RunsAndHoursCountWhatARowNeeds) {
  const Table table = build();
  EXPECT_DOUBLE_EQ(*table.cell("fp32:runs").values[0], 1);
  EXPECT_DOUBLE_EQ(*table.cell("qbitopt@3:runs").values[0], 4);  // and the checkpoint
  EXPECT_DOUBLE_EQ(*table.cell("qbitopt@3:hours").values[0], 40 / 3600.0);
}

TEST_F(BuildTableTest, ClaimsAreTestedOverPooledPairs) {
  const Table table = build();
  const ClaimResult& fixed = table.claims[0];  // 1, 2, 0 at 3 bits
  EXPECT_EQ(fixed.test.pairs, 3);
  EXPECT_DOUBLE_EQ(fixed.test.difference, 1);
  EXPECT_DOUBLE_EQ(fixed.test.p, 0.5);
  EXPECT_EQ(fixed.text,
            "Better than fixed: not shown. Mean difference +1.00 [-1.48, +3.48] over 3 pairs, 2 of "
            "them above 0, two-sided sign-flip p = 0.5, 0.5 after Holm's correction for 3 claims "
            "(with this number of pairs, p is at least 0.25).");
  const ClaimResult& pooled = table.claims[1];  // 0, 1, 2 at 3 bits and 1, 0 at 2.5
  EXPECT_EQ(pooled.test.pairs, 5);
  EXPECT_EQ(pooled.expected_pairs, 6);
  EXPECT_DOUBLE_EQ(pooled.test.difference, 0.75);  // (1 + 0.5) / 2
  EXPECT_DOUBLE_EQ(pooled.test.p, 0.25);  // 0 + 1/6 + 2/6 + 1/4 + 0: all of one sign, 2 of 8
  EXPECT_THAT(pooled.text, HasSubstr("5 of 6 pairs"));
  EXPECT_THAT(table.claims[2].text, HasSubstr("not shown. Mean difference -"));
  EXPECT_THAT(build("sweep: small\nsplit_by: [budget.average_bits]\nrows:\n"
                    "  a: {where: {method: qbitopt}}\n  b: {where: {method: fixed_precision}}\n"
                    "claims: [{say: x, better: a, than: b, at: [3, 7]}]\n")
                  .claims[0]
                  .text,
              HasSubstr(" There are no runs at 7."));
}

TEST_F(BuildTableTest, FootnotesNameTheSharedCheckpointAndTheRemarks) {
  const std::string key = SmallDatabase::job("fp32", 0).key.substr(0, 10);
  EXPECT_THAT(
      texts(build()),
      AllOf(Contains(HasSubstr("from one full-precision checkpoint, trained once with seed 0 "
                               "(job " +
                               key + ")")),
            Contains("A remark."), Contains(HasSubstr("Not shown in bold: fewer than 5 seeds."))));
}

TEST_F(BuildTableTest, SeveralVersionsOfTheCodeAreAFootnote) {
  {
    Database database(file_);
    const Job job = SmallDatabase::job("fp32", 0);
    const Attempt attempt = testing::make_attempt(job, 2, "/nowhere");
    database.begin(attempt);
    database.ingest(attempt, testing::events_of({.top1 = 90, .bits = {}, .commit = "def5678"}));
    database.end(attempt, {});
  }
  EXPECT_THAT(texts(build()),
              Contains("The runs come from 2 versions of the code: abc1234 (23 runs), "
                       "def5678 (1 run)."));
}

TEST_F(BuildTableTest, BoldNeedsFiveSeedsOfEveryRowAtTheBudget) {
  std::vector<Job> jobs;
  for (int seed = 0; seed < 5; ++seed) {
    for (const char* method : {"a", "b"}) {
      jobs.push_back(make_job({{"method", method}, {"seed", seed}, {"budget.average_bits", 3}}));
    }
  }
  jobs.push_back(make_job({{"method", "c"}, {"seed", 0}, {"budget.average_bits", 2}}));
  Database database(file_);
  database.record_sweep(make_plan(jobs, "five"));
  for (const Job& job : jobs) {
    testing::store_run(database, job, {.top1 = job.parameters["method"] == "b" ? 81.0 : 80.0});
  }
  const auto text = [](const std::string& rows) {
    return "sweep: five\nsplit_by: [budget.average_bits]\nrows: {" + rows + "}\n";
  };
  const auto built = [&](const std::string& rows) {
    return build_table(database.reader(), parse_table_definition("five.yaml", text(rows)));
  };
  const Table table =
      built("a: {where: {method: a}}, b: {where: {method: b}}, c: {where: {method: c}}");
  EXPECT_TRUE(table.cell("b@3:top1").is_best);
  EXPECT_FALSE(table.cell("a@3:top1").is_best);
  EXPECT_FALSE(table.cell("c@2:top1").is_best);

  jobs.push_back(make_job({{"method", "d"}, {"seed", 0}, {"budget.average_bits", 3}}));
  database.record_sweep(make_plan(jobs, "five"));
  testing::store_run(database, jobs.back(), {.top1 = 79});
  const Table with_one_seed = built("b: {where: {method: b}}, d: {where: {method: d}}");
  EXPECT_FALSE(with_one_seed.cell("b@3:top1").is_best);
}

TEST_F(BuildTableTest, SeveralConfigurationsInOneRowAreRefusedUnlessBestOfChooses) {
  EXPECT_THAT(refusal("sweep: small\nrows: {q: {where: {method: qbitopt}}}\n"),
              AllOf(HasSubstr("row 'q' selects 2 configurations"),
                    HasSubstr("budget.average_bits (2.5, 3)"), HasSubstr("best_of")));
  const Table table =
      build("sweep: small\nrows: {q: {where: {method: qbitopt}, best_of: validation_top1}}\n");
  EXPECT_DOUBLE_EQ(*table.cell("q:top1").values[0], 87);
  EXPECT_DOUBLE_EQ(*table.cell("q:runs").values[0], 7);  // both configurations and the checkpoint
  EXPECT_THAT(texts(table),
              Contains(HasSubstr("Best of 2 configurations by mean validation_top1")));
}

TEST_F(BuildTableTest, EveryCaseHasARowWhateverItSharesWithOthers) {
  Plan plan = make_plan({make_job({{"method", "a"}}), make_job({{"method", "b"}})}, "cases");
  plan.jobs[0].case_name = "a b";
  plan.jobs[0].other_cases = {"twin"};
  plan.jobs[1].case_name = "a_b";  // reads like "a b" where rows have addresses
  Database database(file_);
  database.record_sweep(plan);
  for (const PlannedJob& planned : plan.jobs)
    testing::store_run(database, planned.job(), {.top1 = planned.case_name == "a_b" ? 81.0 : 80.0});
  const TableDefinition definition = default_definition(database.reader(), "cases");
  std::vector<std::string> labels;
  for (const RowDefinition& row : definition.rows) labels.push_back(row.label);
  EXPECT_THAT(labels, ElementsAre("a b", "twin", "a_b"));
  const Table table = build_table(database.reader(), definition);
  EXPECT_EQ(*table.cell("a_b:top1").values[0], 80);
  EXPECT_EQ(*table.cell("twin:top1").values[0], 80);
  EXPECT_EQ(*table.cell("a_b_:top1").values[0], 81);
}

TEST_F(BuildTableTest, StandardColumnsAndClaimsAreAboutTheSweepsMetric) {
  std::vector<Job> jobs;
  for (const char* method : {"fixed_precision", "b"}) {
    for (int seed = 0; seed < 5; ++seed)
      jobs.push_back(make_job({{"method", method}, {"seed", seed}, {"budget.average_bits", 3}}));
  }
  Plan plan = make_plan(jobs, "losses");
  plan.metric = {.name = "loss", .goal = "min"};
  Database database(file_);
  database.record_sweep(plan);
  for (const Job& job : jobs)
    testing::store_run(database, job,
                       {.top1 = 80, .loss = job.parameters["method"] == "b" ? 0.5 : 0.7});
  const Table table = build_table(
      database.reader(),
      parse_table_definition("t.yaml",
                             "sweep: losses\nrows: {fixed: {where: {method: fixed_precision}}, b: "
                             "{where: {method: b}}}\n"
                             "claims: [{say: x, better: b, than: fixed}]\n"));
  EXPECT_TRUE(table.cell("b:loss").is_best);
  EXPECT_FALSE(table.cell("fixed:loss").is_best);
  EXPECT_DOUBLE_EQ(*table.cell("b:vs_fixed").values[0], 0.5 - 0.7);
  EXPECT_EQ(table.claims[0].claim.of, "loss");
}

TEST_F(BuildTableTest, EveryCellKnowsItsRuns) {
  const Table table = build();
  const auto& sources = table.cell("qbitopt@3:vs_fixed").sources;
  ASSERT_EQ(sources.size(), 3u);
  EXPECT_EQ(sources[1].key, SmallDatabase::job("qbitopt", 1, 3).key);
  EXPECT_EQ(sources[1].reference_key, SmallDatabase::job("fixed_precision", 1, 3).key);
  EXPECT_DOUBLE_EQ(*sources[1].value, 2);
  EXPECT_EQ(table.cell("fracbits@3:top1").sources[2].state, "missed");
  EXPECT_EQ(table.jobs.size(), 25u);
}

TEST_F(BuildTableTest, WrongNamesAreRefusedWithTheKnownOnes) {
  EXPECT_THAT(refusal("sweep: smal\nrows: {a: {}}\n"), HasSubstr("unknown sweep 'smal'"));
  EXPECT_THAT(refusal("sweep: small\nrows: {a: {where: {method: fp32}}}\n"
                      "columns: {x: {show: mean, of: top2}}\n"),
              HasSubstr("unknown runs column 'top2'"));
  EXPECT_THAT(refusal("sweep: small\nsplit_by: [budget.average_bits]\nrows:\n"
                      "  a: {where: {method: qbitopt}}\n  b: {where: {method: fixed_precision}}\n"
                      "claims: [{say: x, better: a, than: b, of: topp1}]\n"),
              HasSubstr("claim 'x': unknown runs column 'topp1', did you mean 'top1'?"));
  EXPECT_THAT(
      refusal("sweep: small\nrows: {a: {where: {method: fp32}, best_of: validation_topp1}}\n"),
      HasSubstr("row 'a': unknown runs column 'validation_topp1'"));
  const Table table = build();
  EXPECT_THROW(table.cell("qbitopt@5:top1"), InputError);
  EXPECT_THROW(table.cell("qbitopt@3:top2"), InputError);
}

TEST_F(BuildTableTest, ExpectationsAreCheckedWithTheirTolerance) {
  const std::string expectations =
      "expect: {\"qbitopt@3:top1\": {value: 87.4, tolerance: 0.5}, "
      "\"fixed@3:top1\": {value: 85, tolerance: 0.5}, "
      "\"qbitopt@2.5:vs_fixed\": {value: 1, tolerance: 1}}\n";
  const TableDefinition definition =
      parse_table_definition("small.yaml", kDefinition + expectations);
  EXPECT_THAT(check_expectations(build(), definition),
              ElementsAre("fixed@3:top1: 86, expected 85 ± 0.5",
                          "qbitopt@2.5:vs_fixed: no value, expected 1 ± 1"));
}

TEST_F(BuildTableTest, ASweepWithoutADefinitionGetsARowForEachMethod) {
  const Reader reader(file_);
  const TableDefinition definition = default_definition(reader, "small");
  EXPECT_EQ(definition.rows.size(), 6u);
  EXPECT_EQ(definition.rows[2].id, "fixed_precision");
}

}  // namespace
}  // namespace qbitopt
