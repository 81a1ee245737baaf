#include "qbitopt/report/table_definition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "qbitopt/core/error.h"
#include "qbitopt/runlog/published.h"

namespace qbitopt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Show = ColumnDefinition::Show;

TableDefinition parse(const std::string& text) {
  return parse_table_definition("results/quick.yaml", text);
}

std::vector<std::string> names(const TableDefinition& definition) {
  std::vector<std::string> names;
  for (const ColumnDefinition& column : definition.columns) names.push_back(column.name);
  return names;
}

TEST(TableDefinitionTest, ReadsRowsColumnsClaimsAndExpectations) {
  const TableDefinition d = parse(R"(
title: A title
sweep: [one, two]
section_by: model
split_by: [budget.average_bits]
rows:
  fixed: {label: fixed precision, where: {method: fixed_precision, solver: [null, exact]}}
  q:     {where: {case: qbitopt}, best_of: validation_top1}
columns:
  top1: {show: mean, of: top1, digits: 1, scale: 2, deviation: true, best: max, title: "top-1"}
  diff: {show: difference, of: top1, to: fixed}
claims: [{say: It is better, better: q, than: fixed, at: 3, of: loss}]
fp32_row: fixed
published: [{row: q@4, where: {model: ResNet18, weight_bits: [4, 2]}}]
notes: One remark.
expect: {"q@3:top1": {value: 80, tolerance: 1}}
)");
  EXPECT_EQ(d.name, "quick");
  EXPECT_EQ(d.sweeps, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(d.section_by, std::vector<std::string>{"model"});
  EXPECT_EQ(d.rows[0].where[1],
            (std::pair<std::string, std::vector<Json>>{"solver", {nullptr, "exact"}}));
  EXPECT_EQ(d.rows[1].label, "q");
  EXPECT_EQ(d.rows[1].best_of, "validation_top1");
  EXPECT_EQ(d.columns[0].show, Show::kMean);
  EXPECT_EQ(d.columns[0].digits, 1);
  EXPECT_EQ(d.columns[1].to, "fixed");
  EXPECT_EQ(d.claims[0].at, std::vector<Json>{3});
  EXPECT_EQ(d.claims[0].of, "loss");
  EXPECT_EQ(d.published[0].where.at("weight_bits").size(), 2u);
  EXPECT_EQ(d.expectations[0].second.tolerance, 1);
}

TEST(TableDefinitionTest, WithoutColumnsItHasTheStandardOnesThatItsRowsAllow) {
  EXPECT_THAT(names(parse("rows: {fixed: {}, continued: {}}")),
              ElementsAre("budget", "method", "top1", "n", "bits", "all_bits", "size", "met",
                          "vs_fixed", "vs_fp32", "runs", "hours"));
  for (const ColumnDefinition& column : parse("rows: {a: {}}").columns) EXPECT_EQ(column.to, "");
}

TEST(TableDefinitionTest, EveryAxisOfSplitByHasAColumnBehindTheLabel) {
  EXPECT_THAT(names(parse("split_by: [budget.average_bits, solver, method]\nrows: {a: {}}")),
              ElementsAre("budget", "method", "solver", "by_method", "top1", "n", "bits",
                          "all_bits", "size", "met", "runs", "hours"));
}

TEST(TableDefinitionTest, WithoutASweepItIsAnyones) {
  EXPECT_THAT(parse("rows: {a: {}}").sweeps, IsEmpty());
}

TEST(TableDefinitionTest, WrongDefinitionsSayWhereAndWhat) {
  const std::pair<const char*, const char*> cases[] = {
      {"title: x\n", "results/quick.yaml:1:1: this table has no rows"},
      {"rows: {a: {}}\ntitel: x\n", "results/quick.yaml:2:1: unknown key 'titel'"},
      {"rows: {a@3: {}}\n", "row 'a@3' must not contain '@'"},
      {"rows: {a: {wher: {}}}\n", "did you mean 'where'?"},
      {"rows: {a: {best_of: top1}}\n", "a choice by the test images would bias the row"},
      {"rows: {a: {}}\ncolumns: {x: {}}\n", "column 'x' has no 'show'"},
      {"rows: {a: {}}\ncolumns: {x: {show: men}}\n", "unknown column kind 'men'"},
      {"rows: {a: {}}\ncolumns: {x: {show: mean}}\n", "column 'x' has no 'of'"},
      {"rows: {a: {}}\ncolumns: {x: {show: difference, of: top1}}\n", "column 'x' has no 'to'"},
      {"rows: {a: {}}\ncolumns: {x: {show: difference, of: top1, to: b}}\n", "unknown row 'b'"},
      {"rows: {a: {}}\ncolumns: {x: {show: mean, of: top1, best: high}}\n",
       "best must be max or min, found 'high'"},
      {"rows: {a: {}}\ncolumns: {x: {show: met, best: max}}\n",
       "'best' applies only to columns that show a mean or a difference"},
      {"rows: {a: {}}\nclaims: [{say: x, better: a, than: b}]\n", "unknown row 'b'"},
      {"rows: {a: {}}\nclaims: [{say: x, better: a, than: a, at: 3}]\n", "split_by"},
      {"rows: {a: {}}\nclaims: [{better: a, than: a}]\n", "a claim has no 'say'"},
      {"rows: {a: {}}\npublished: [{where: {network: x}}]\n", "unknown key 'network'"},
      {"rows: {a: {}}\npublished: [{row: resnet18/b@4}]\n", "quick.yaml:2:19: unknown row 'b'"},
      {"rows: {a: {}}\nexpect: {a: {value: 1, tolerance: 1}}\n", "ROW:COLUMN"},
      {"rows: {a: {}}\nexpect: {\"a:top1\": {value: 1}}\n", "'a:top1' has no 'tolerance'"},
  };
  for (const auto& [text, message] : cases) {
    try {
      parse(text);
      ADD_FAILURE() << "accepted: " << text;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr(message)) << text;
    }
  }
}

// Mixed precision of methods that come as plugins stands beside them, each row once.
TEST(TableDefinitionTest, TheImageNetTableShowsWhatItsMethodsPublished) {
  const TableDefinition d = read_table_definition(QBITOPT_RESULTS "/imagenet_tables.yaml");
  std::map<std::string, int> shown;  // by model, method and what was constrained
  std::map<std::string, int> expected;
  for (const PublishedResult& row : read_published(QBITOPT_RESULTS "/published.csv")) {
    const std::string name = row.model + ", " + row.method + ", " + row.constraint;
    const std::map<std::string, std::string> fields = {
        {"model", row.model}, {"method", row.method}, {"kind", row.kind}};
    for (const PublishedDefinition& entry : d.published) {
      if (entry.where.contains("weight_bits")) continue;
      shown[name] += std::all_of(entry.where.begin(), entry.where.end(), [&](const auto& each) {
        const auto& [column, values] = each;
        return std::find(values.begin(), values.end(), fields.at(column)) != values.end();
      });
    }
    const bool is_plugin =
        std::any_of(d.rows.begin(), d.rows.end(), [&](const RowDefinition& ours) {
          const std::string label = ours.label.substr(0, ours.label.find("-V"));
          return ours.where.front().first == "method" &&
                 row.method.find(label) != std::string::npos;
        });
    expected[name] += row.kind == "mixed" && is_plugin;
  }
  EXPECT_EQ(shown, expected);
}

TEST(TableDefinitionTest, ABudgetOnATotalHasColumnsOfWhatIsAllowedAndWhatIsUsed) {
  TableDefinition definition;
  definition.split_by = {"budget.bops", "budget.weight_bytes"};
  std::map<std::string, std::vector<std::string>> shown;
  for (const ColumnDefinition& column : standard_columns(definition))
    shown[column.name] = column.of;
  EXPECT_EQ(shown.at("budget.bops"), std::vector<std::string>{"budget.bops"});
  EXPECT_EQ(shown.at("bops"), std::vector<std::string>{"bops"});
  EXPECT_EQ(shown.at("weight_bytes"), std::vector<std::string>{"counted_weight_bytes"});
  definition.split_by.clear();
  for (const ColumnDefinition& column : standard_columns(definition))
    EXPECT_NE(column.name, "bops");
}

}  // namespace
}  // namespace qbitopt
