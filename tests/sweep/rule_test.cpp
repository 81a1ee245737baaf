#include "qbitopt/sweep/rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/test_manifests.h"
#include "core/errors.h"

namespace qbitopt {
namespace {

using ::testing::HasSubstr;

RuleList rules(const std::string& entries) {
  return read_rules(parse_yaml("a.yaml", "[" + entries + "]"), "exclude", small_catalog());
}

bool matches(const std::string& entry, const Json& job) {
  static const Json absent;
  return rules("\"" + entry + "\"")
      .at(0)
      ->condition.holds([&](const std::string& key) -> const Json& {
        return job.contains(key) ? job.at(key) : absent;
      });
}

std::string rule_error(const std::string& entry) {
  return input_error([&] { rules(entry); });
}

TEST(RuleTest, AValueMatchesItself) {
  EXPECT_TRUE(matches("solver == 'milp'", {{"solver", "milp"}}));
  EXPECT_FALSE(matches("solver == 'milp'", {{"solver", "exact"}}));
  EXPECT_TRUE(matches("budget.average_bits == 4", {{"budget.average_bits", 4.0}}));
  EXPECT_FALSE(matches("solver == 'milp'", Json::object()));
}

TEST(RuleTest, AListMatchesAnyOfItsValues) {
  const std::string either = "solver in ['milp', 'exact']";
  EXPECT_TRUE(matches(either, {{"solver", "milp"}}));
  EXPECT_TRUE(matches(either, {{"solver", "exact"}}));
  EXPECT_FALSE(matches(either, {{"solver", "relax_greedy"}}));
  const std::string list = "quantizers.candidate_bits == [2, 4]";
  EXPECT_TRUE(matches(list, {{"quantizers.candidate_bits", {2, 4}}}));
  EXPECT_FALSE(matches(list, {{"quantizers.candidate_bits", {2}}}));
}

TEST(RuleTest, AComparisonMatchesARange) {
  EXPECT_TRUE(matches("budget.average_bits > 5.5", {{"budget.average_bits", 6.0}}));
  EXPECT_FALSE(matches("budget.average_bits > 5.5", {{"budget.average_bits", 5.5}}));
  EXPECT_TRUE(matches("budget.average_bits >= 5.5", {{"budget.average_bits", 5.5}}));
  EXPECT_TRUE(matches("reallocation.tau < 2.5", {{"reallocation.tau", 2}}));
  EXPECT_TRUE(matches("reallocation.tau <= 2", {{"reallocation.tau", 2}}));
  EXPECT_TRUE(matches("solver != 'milp'", {{"solver", "exact"}}));
  EXPECT_FALSE(matches("solver != 'milp'", {{"solver", "milp"}}));
}

TEST(RuleTest, AnAbsentKeyIsNull) {
  EXPECT_TRUE(matches("budget.average_bits == null", Json::object()));
  EXPECT_FALSE(matches("budget.average_bits == null", {{"budget.average_bits", 3.0}}));
  EXPECT_FALSE(matches("budget.average_bits < 3", Json::object()));
}

TEST(RuleTest, SaysWhatIsWrongWithAnEntry) {
  EXPECT_THAT(rule_error("solver == 'mlip'"),
              HasSubstr("a.yaml:1:12: 'solver': unknown solver 'mlip', did you mean 'milp'?"));
  EXPECT_THAT(rule_error("\"solver in ['milp', 'mlip']\""),
              HasSubstr("a.yaml:1:22: 'solver': unknown solver 'mlip', did you mean 'milp'?"));
  EXPECT_THAT(rule_error("\"'mlip' == solver\""),
              HasSubstr("a.yaml:1:3: 'solver': unknown solver"));
  EXPECT_THAT(rule_error("solvr == 'milp'"),
              HasSubstr("unknown key 'solvr', did you mean 'solver'?"));
  EXPECT_THAT(rule_error("reallocation.tau == 'often'"),
              HasSubstr("'reallocation.tau': expects an int, found 'often'"));
  EXPECT_THAT(rule_error("reallocation.tau > 'often'"),
              HasSubstr("'reallocation.tau' must be compared with a number, found 'often'"));
  EXPECT_THAT(rule_error("''"), HasSubstr("expected a key, a number or a quoted string"));
  EXPECT_THAT(rule_error("3"),
              HasSubstr("an entry of exclude must be a string, found the number 3"));
  EXPECT_THAT(input_error([] {
                read_rules(parse_yaml("a.yaml", "solver == 'milp'"), "only", small_catalog());
              }),
              HasSubstr("only must be a list, found the string"));
}

TEST(RuleTest, AMapIsShortForACondition) {
  static const Json absent;
  const auto holds = [](const std::string& map, const Json& job) {
    return rules(map).at(0)->condition.holds([&](const std::string& key) -> const Json& {
      return job.contains(key) ? job.at(key) : absent;
    });
  };
  const std::string both = "{solver: milp, budget.average_bits: '>5.5'}";
  EXPECT_TRUE(holds(both, {{"solver", "milp"}, {"budget.average_bits", 6}}));
  EXPECT_FALSE(holds(both, {{"solver", "milp"}, {"budget.average_bits", 5}}));
  EXPECT_FALSE(holds(both, {{"solver", "exact"}, {"budget.average_bits", 6}}));
  const std::string either = "{solver: [milp, exact], budget: {weights: '!= 3'}}";
  EXPECT_TRUE(holds(either, {{"solver", "exact"}, {"budget.weights", 2}}));
  EXPECT_FALSE(holds(either, {{"solver", "exact"}, {"budget.weights", 3}}));
}

TEST(RuleTest, SaysWhatIsWrongInAMap) {
  EXPECT_THAT(rule_error("{solvr: milp}"),
              HasSubstr("a.yaml:1:3: unknown key 'solvr', did you mean 'solver'?"));
  EXPECT_THAT(rule_error("{solver: [exact, mlip]}"),
              HasSubstr("a.yaml:1:19: 'solver': unknown solver 'mlip', did you mean 'milp'?"));
  EXPECT_THAT(rule_error("{reallocation.tau: '>often'}"),
              HasSubstr("a.yaml:1:21: 'reallocation.tau' must be compared with a number"));
  EXPECT_THAT(rule_error("{}"), HasSubstr("an empty map matches every job"));
  EXPECT_THAT(rule_error("case == 3"),
              HasSubstr("a.yaml:1:10: a case must be compared with its name in quotes, found 3"));
}

TEST(WhenTest, SaysWhatIsWrongWithAnEntry) {
  const auto error = [](const std::string& text) {
    return input_error([&] { read_whens(parse_yaml("a.yaml", text), small_catalog()); });
  };
  EXPECT_THAT(error("[{if: \"solver == 'exact'\"}]"),
              HasSubstr("an entry of when needs `if` and `set`"));
  EXPECT_EQ(
      error("- if: \"solvr == 'exact'\"\n  set: {reallocation.tau: 3}\n"),
      "a.yaml:1:8: unknown key 'solvr', did you mean 'solver'?; put a string in quotes: 'solvr'\n"
      "  - if: \"solvr == 'exact'\"\n"
      "         ^");
  EXPECT_THAT(
      error("[{if: solver == exact, set: {reallocation.tau: 3}}]"),
      HasSubstr(
          "unknown key 'exact'; no part of any job declares it; put a string in quotes: 'exact'"));
  EXPECT_THAT(error("[{if: solver == 3, then: {}}]"),
              HasSubstr("unknown key 'then' in an entry of when"));
}

}  // namespace
}  // namespace qbitopt
