#include "qbitopt/sweep/search.h"

#include <gmock/gmock.h>

#include <cmath>

#include "config/test_manifests.h"
#include "core/errors.h"

namespace qbitopt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Search read(const std::string& text) {
  return read_search(parse_yaml("sweep.yaml", text), small_catalog());
}

std::string error(const std::string& text) {
  return input_error([&] { read(text); });
}

// The values that a search tries when a strength leaves this excess of bits.
std::vector<double> tried(const Search& search, double start,
                          const std::function<double(double)>& excess) {
  std::vector<double> values;
  Bisection bisection(search, start);
  while (const auto value = bisection.next()) {
    values.push_back(*value);
    bisection.add({.excess = excess(*value)});
  }
  return values;
}

Search logarithmic(int max_runs = 6) {
  return {.parameter = "fracbits.kappa", .from = 0.01, .to = 100, .max_runs = max_runs};
}

TEST(SearchTest, ReadsWhatItSays) {
  const Search search = read(
      "{parameter: fracbits.kappa, scale: linear, from: 0, to: 8, until: within_budget, slack: "
      "0.1, max_runs: 3}");
  EXPECT_EQ(search.parameter, "fracbits.kappa");
  EXPECT_FALSE(search.in_logarithm);
  EXPECT_EQ(search.from, 0);
  EXPECT_EQ(search.to, 8);
  EXPECT_EQ(search.slack, 0.1);
  EXPECT_EQ(search.max_runs, 3);
}

TEST(SearchTest, HasTheDefaultsOfTheGrammar) {
  const Search search = read("{parameter: fracbits.kappa, from: 0.1, to: 8, until: within_budget}");
  EXPECT_TRUE(search.in_logarithm);
  EXPECT_EQ(search.slack, 0.05);
  EXPECT_EQ(search.max_runs, 6);
}

TEST(SearchTest, SaysWhatIsWrong) {
  const std::string good = "parameter: fracbits.kappa, from: 0.1, to: 8, until: within_budget";
  EXPECT_THAT(error("{from: 1, to: 2, until: within_budget}"),
              HasSubstr("this search has no `parameter`; write search: {parameter: "));
  EXPECT_THAT(error("{parameter: fracbits.kapa, from: 1, to: 2, until: within_budget}"),
              HasSubstr("sweep.yaml:1:13: unknown key 'fracbits.kapa', did you mean"));
  EXPECT_THAT(error("{parameter: fracbits.warmup_epochs, from: 1, to: 2, until: within_budget}"),
              HasSubstr("a search needs a float; 'fracbits.warmup_epochs' is of type int"));
  EXPECT_THAT(error("{parameter: fracbits.kappa, from: 8, to: 0.1, until: within_budget}"),
              HasSubstr("`to` must be above `from`"));
  EXPECT_THAT(error("{parameter: fracbits.kappa, from: 0, to: 8, until: within_budget}"),
              HasSubstr("on a logarithmic scale `from` must be above 0"));
  EXPECT_THAT(error("{parameter: fracbits.kappa, from: 1, to: 8}"),
              HasSubstr("this search has no `until`"));
  EXPECT_THAT(error("{parameter: fracbits.kappa, from: 1, to: 8, until: bored}"),
              HasSubstr("`until` must be within_budget, found the string 'bored'"));
  EXPECT_THAT(error("{" + good + ", scale: cubic}"), HasSubstr("unknown scale 'cubic'"));
  EXPECT_THAT(error("{" + good + ", slack: 0}"), HasSubstr("slack must be above 0"));
  EXPECT_THAT(error("{" + good + ", max_runs: 0}"), HasSubstr("max_runs must be at least 1"));
  EXPECT_THAT(error("{" + good + ", max_runs: 5000000000}"),
              HasSubstr("max_runs must be at least 1"));
  EXPECT_THAT(error("{" + good + ", max_run: 3}"), HasSubstr("max_runs"));
}

TEST(BisectionTest, OneRunIsEnoughWhenTheStartMeetsTheBudget) {
  EXPECT_THAT(tried(logarithmic(), 1, [](double) { return -0.03; }), ElementsAre(1));
}

TEST(BisectionTest, TooManyBitsAskForMoreAndTooFewForLess) {
  // Bits fall by one with each doubling; the budget is met at 2.
  const auto excess = [](double kappa) { return 1 - std::log2(kappa); };
  EXPECT_THAT(tried(logarithmic(8), 1, excess), ElementsAre(1, 10, 3.16, 1.78, 2.37, 2.05));
  const Search linear{.in_logarithm = false, .from = 0, .to = 8, .max_runs = 5};
  EXPECT_THAT(tried(linear, 7, [](double kappa) { return 2.2 - kappa; }),
              ElementsAre(7, 3.5, 1.75, 2.63, 2.19));
}

TEST(BisectionTest, EndsAfterItsRuns) {
  EXPECT_THAT(tried(logarithmic(3), 1, [](double) { return 2; }), ElementsAre(1, 10, 31.6));
}

TEST(BisectionTest, ATooGenerousUndershootIsNotFound) {
  Bisection bisection(logarithmic(1), 1);
  bisection.add({.excess = -0.06});
  EXPECT_FALSE(bisection.has_found());
  EXPECT_EQ(bisection.chosen(), 1);
}

TEST(BisectionTest, WithoutAHitTheNearestIsChosen) {
  Bisection bisection(logarithmic(3), 1);
  bisection.add({.excess = 0.4});
  bisection.add({.excess = -0.3});  // 0.25 below the slack
  bisection.add({.excess = 0.3});
  EXPECT_EQ(bisection.next(), std::nullopt);
  EXPECT_FALSE(bisection.has_found());
  EXPECT_EQ(bisection.chosen(), 10);
}

TEST(BisectionTest, OfEquallyNearMissesTheBetterOnHeldOutImagesIsChosen) {
  Bisection bisection(logarithmic(2), 1);
  bisection.add({.excess = 0.25, .validation_top1 = 80});
  bisection.add({.excess = 0.25, .validation_top1 = 85});
  EXPECT_EQ(bisection.chosen(), 10);
}

TEST(BisectionTest, AFailedRunEndsItWithoutAChoice) {
  Bisection bisection(logarithmic(), 1);
  bisection.add({.excess = 0.4});
  bisection.add({.has_failed = true});
  EXPECT_EQ(bisection.next(), std::nullopt);
  EXPECT_EQ(bisection.chosen(), std::nullopt);
}

TEST(BisectionTest, EndsWhenThereIsNothingBetweenTheEnds) {
  const Search narrow{.from = 1, .to = 1.01, .max_runs = 20};
  EXPECT_LT(tried(narrow, 1, [](double) { return 1; }).size(), 5u);
}

}  // namespace
}  // namespace qbitopt
