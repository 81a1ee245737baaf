#include "qbitopt/sweep/rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/test_manifests.h"
#include "core/errors.h"

namespace qbitopt {
namespace {

using ::testing::HasSubstr;

Condition condition(const std::string& entry) {
  const RuleList rules =
      read_rules(parse_yaml("a.yaml", "[" + entry + "]"), "exclude", small_catalog());
  return rules.at(0)->conditions.at(0);
}

std::string rule_error(const std::string& entry) {
  return input_error([&] { condition(entry); });
}

TEST(RuleTest, AValueMatchesItself) {
  EXPECT_TRUE(condition("{solver: milp}").matches("milp"));
  EXPECT_FALSE(condition("{solver: milp}").matches("exact"));
  EXPECT_TRUE(condition("{budget.average_bits: 4}").matches(4.0));
  EXPECT_FALSE(condition("{solver: milp}").matches(Json()));
}

TEST(RuleTest, AListMatchesAnyOfItsValues) {
  const Condition either = condition("{solver: [milp, exact]}");
  EXPECT_TRUE(either.matches("milp"));
  EXPECT_TRUE(either.matches("exact"));
  EXPECT_FALSE(either.matches("relax_greedy"));
  EXPECT_TRUE(condition("{quantizers.candidate_bits: [2, 4]}").matches(Json({2, 4})));
  EXPECT_FALSE(condition("{quantizers.candidate_bits: [2, 4]}").matches(2));
}

TEST(RuleTest, AQuotedComparisonMatchesARange) {
  EXPECT_TRUE(condition("{budget.average_bits: '>5.5'}").matches(6.0));
  EXPECT_FALSE(condition("{budget.average_bits: '>5.5'}").matches(5.5));
  EXPECT_TRUE(condition("{budget.average_bits: '>= 5.5'}").matches(5.5));
  EXPECT_TRUE(condition("{reallocation.tau: '<2.5'}").matches(2));
  EXPECT_TRUE(condition("{reallocation.tau: '<=2'}").matches(2));
  EXPECT_TRUE(condition("{solver: '!=milp'}").matches("exact"));
  EXPECT_FALSE(condition("{solver: '!=milp'}").matches("milp"));
  EXPECT_TRUE(condition("{solver: '==milp'}").matches("milp"));
}

TEST(RuleTest, AnAbsentKeyMatchesOnlyNull) {
  EXPECT_TRUE(condition("{budget.average_bits: null}").matches(Json()));
  EXPECT_FALSE(condition("{budget.average_bits: null}").matches(3.0));
  EXPECT_FALSE(condition("{budget.average_bits: '<3'}").matches(Json()));
  EXPECT_FALSE(condition("{solver: '!=milp'}").matches(Json()));
}

TEST(RuleTest, SaysWhatIsWrongWithAnEntry) {
  EXPECT_THAT(rule_error("{solver: mlip}"),
              HasSubstr("a.yaml:1:11: 'solver': unknown solver 'mlip', did you mean 'milp'?"));
  EXPECT_THAT(rule_error("{solvr: milp}"),
              HasSubstr("unknown key 'solvr', did you mean 'solver'?"));
  EXPECT_THAT(rule_error("{reallocation.tau: often}"),
              HasSubstr("'reallocation.tau': expects an int, found 'often'"));
  EXPECT_THAT(rule_error("{reallocation.tau: '>often'}"), HasSubstr("compares with no number"));
  EXPECT_THAT(rule_error("{}"), HasSubstr("an empty entry of exclude matches every job"));
  EXPECT_THAT(rule_error("milp"),
              HasSubstr("an entry of exclude must be a map of keys, found the text 'milp'"));
  EXPECT_THAT(input_error([] {
                read_rules(parse_yaml("a.yaml", "{solver: milp}"), "only", small_catalog());
              }),
              HasSubstr("only must be a list, found a map"));
}

TEST(WhenTest, SaysWhatIsWrongWithAnEntry) {
  const auto error = [](const std::string& text) {
    return input_error([&] { read_whens(parse_yaml("a.yaml", text), small_catalog()); });
  };
  EXPECT_THAT(error("[{if: \"solver == 'exact'\"}]"),
              HasSubstr("an entry of when needs `if` and `set`"));
  EXPECT_EQ(
      error("- if: \"solvr == 'exact'\"\n  set: {reallocation.tau: 3}\n"),
      "a.yaml:1:8: unknown key 'solvr', did you mean 'solver'?; a text stands in quotes: 'solvr'\n"
      "  - if: \"solvr == 'exact'\"\n"
      "         ^");
  EXPECT_THAT(
      error("[{if: solver == exact, set: {reallocation.tau: 3}}]"),
      HasSubstr(
          "unknown key 'exact'; no part of any job declares it; a text stands in quotes: 'exact'"));
  EXPECT_THAT(error("[{if: solver == 3, then: {}}]"),
              HasSubstr("unknown key 'then' in an entry of when"));
}

}  // namespace
}  // namespace qbitopt
