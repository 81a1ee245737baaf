#include "qbitopt/sweep/expression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/errors.h"

namespace qbitopt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Key;

Expression parse(const std::string& text) {
  const Place place{std::make_shared<SourceText>(SourceText{"a.yaml", {"if: " + text}}), 1, 5};
  return Expression::parse(YamlNode{.place = place, .scalar = text});
}

// In a job with solver 'exact', bits 2.5, tau 250, nesterov true and augment false.
bool holds(const std::string& text) {
  const Json job = {{"solver", "exact"},
                    {"budget.bits", 2.5},
                    {"tau", 250},
                    {"nesterov", true},
                    {"augment", false}};
  const Json absent;
  return parse(text).holds([&](const std::string& key) -> const Json& {
    const auto found = job.find(key);
    return found == job.end() ? absent : *found;
  });
}

TEST(ExpressionTest, ComparesTextsAndNumbers) {
  for (const char* text : {"solver == 'exact'", "solver == \"exact\"", "solver != 'milp'",
                           "budget.bits < 3", "budget.bits <= 2.5", "tau > 2e2", "tau >= 250",
                           "tau == 250.0", "250 == tau", "solver < 'f'", "tau > -1",
                           "solver in ['milp', 'exact']", "tau not in [1, 2]", "tau in [250]"}) {
    EXPECT_TRUE(holds(text)) << text;
  }
  for (const char* text : {"solver == 'milp'", "budget.bits > 2.5", "tau != 250",
                           "solver in ['milp']", "solver == 250", "solver < 3", "tau > 'a'"}) {
    EXPECT_FALSE(holds(text)) << text;
  }
}

TEST(ExpressionTest, AndBindsTighterThanOr) {
  EXPECT_TRUE(holds("tau == 250 or tau == 1 and tau == 2"));
  EXPECT_FALSE(holds("(tau == 250 or tau == 1) and tau == 2"));
  EXPECT_TRUE(holds("not tau == 1 and tau == 250"));
  EXPECT_FALSE(holds("not (tau == 1 or tau == 250)"));
  EXPECT_TRUE(holds("not not tau == 250"));
}

TEST(ExpressionTest, AnAbsentKeyIsNull) {
  EXPECT_TRUE(holds("fracbits.kappa == null"));
  EXPECT_TRUE(holds("solver != null"));
  EXPECT_FALSE(holds("fracbits.kappa < 3"));
  EXPECT_FALSE(holds("fracbits.kappa >= 3"));
  EXPECT_FALSE(holds("fracbits.kappa"));
}

TEST(ExpressionTest, AKeyAloneIsAQuestion) {
  EXPECT_TRUE(holds("nesterov"));
  EXPECT_FALSE(holds("augment"));
  EXPECT_TRUE(holds("not augment"));
  EXPECT_TRUE(holds("augment == false"));
  EXPECT_TRUE(holds("true"));
}

TEST(ExpressionTest, ListsItsKeys) {
  EXPECT_THAT(parse("b == 'x' or not c.d and a in [e, 'f', 1]").keys(),
              ElementsAre(Key("a"), Key("b"), Key("c.d"), Key("e")));
}

TEST(ExpressionTest, PointsAtWhatDoesNotFit) {
  const auto error = [](const std::string& text) { return input_error([&] { parse(text); }); };
  EXPECT_EQ(error("tau = 3"),
            "a.yaml:1:9: condition \"tau = 3\": unknown operator '='; write '=='\n  if: tau = 3\n  "
            "        ^");
  EXPECT_THAT(error("tau =="), HasSubstr("expected a key, a number or a quoted string"));
  EXPECT_THAT(error("solver == 'exact"), HasSubstr("the closing quote is missing"));
  EXPECT_THAT(error("(tau == 3"), HasSubstr("expected ')'"));
  EXPECT_THAT(error("tau == 3 tau == 4"),
              HasSubstr("expected 'and', 'or' or the end of the condition"));
  EXPECT_THAT(error("tau in 3"), HasSubstr("expected '[' after 'in'"));
  EXPECT_THAT(error("tau in [3"), HasSubstr("expected ',' or ']'"));
  EXPECT_THAT(error("3"), HasSubstr("expected a comparison"));
  EXPECT_THAT(error(""), HasSubstr("expected a key"));
}

TEST(ExpressionTest, RefusesWhatIsNestedTooDeep) {
  const auto repeated = [](const std::string& text, size_t times) {
    std::string all;
    for (size_t i = 0; i < times; ++i) all += text;
    return all;
  };
  for (const size_t depth : {65, 200'000}) {
    EXPECT_THAT(
        input_error([&] { parse(repeated("(", depth) + "tau == 250" + repeated(")", depth)); }),
        HasSubstr("nested more than 64 levels deep"));
    EXPECT_THAT(input_error([&] { parse(repeated("not ", depth) + "tau"); }),
                HasSubstr("nested more than 64 levels deep"));
  }
  EXPECT_TRUE(holds(repeated("(", 64) + "tau == 250" + repeated(")", 64)));
}

TEST(ExpressionTest, AChainMayBeLong) {
  std::string text = "tau == 1";
  for (int i = 0; i < 100'000; ++i)
    text += i % 2 == 0 ? " or tau == 2 and tau == 2" : " or tau == 3";
  EXPECT_FALSE(holds(text));
  EXPECT_TRUE(holds(text + " or tau == 250"));
}

}  // namespace
}  // namespace qbitopt
