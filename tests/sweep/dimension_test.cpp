#include "qbitopt/sweep/dimension.h"

#include <gmock/gmock.h>

#include <cmath>
#include <set>

#include "sweep/sweep_fixture.h"

namespace qbitopt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using DimensionTest = SweepTest;

constexpr char kFracbits[] = "qbitopt: 1\nset: {method: fracbits, model: tiny}\n";

TEST_F(DimensionTest, NestsInTheOrderOfTheFileWithSeedsInnermost) {
  const Plan plan = read(std::string(kFracbits) + R"(
seeds: 2
grid: {budget.average_bits: [3, 2], fracbits.kappa: [2, 1]}
)");
  EXPECT_THAT(values(plan, "budget.average_bits"),
              ElementsAre(3.0, 3.0, 3.0, 3.0, 2.0, 2.0, 2.0, 2.0));
  EXPECT_THAT(values(plan, "fracbits.kappa"), ElementsAre(2.0, 2.0, 1.0, 1.0, 2.0, 2.0, 1.0, 1.0));
  EXPECT_THAT(values(plan, "seed"), ElementsAre(0, 1, 0, 1, 0, 1, 0, 1));
  EXPECT_EQ(plan.jobs.back().axes(), Json({{"budget.average_bits", 2.0}, {"fracbits.kappa", 1.0}}));
}

TEST_F(DimensionTest, ZippedAxesAdvanceTogether) {
  const Plan plan = read(std::string(kFracbits) + R"(
grid: {budget.average_bits: [2, 3]}
zip: {schedule: {fracbits.kappa: [0.1, 1, 1], fracbits.warmup_epochs: {from: 1, to: 3}}}
)");
  EXPECT_THAT(values(plan, "budget.average_bits"), ElementsAre(2.0, 2.0, 2.0, 3.0, 3.0, 3.0));
  EXPECT_THAT(values(plan, "fracbits.kappa"), ElementsAre(0.1, 1.0, 1.0, 0.1, 1.0, 1.0));
  EXPECT_THAT(values(plan, "fracbits.warmup_epochs"), ElementsAre(1, 2, 3, 1, 2, 3));
  EXPECT_EQ(plan.jobs.back().axes().size(), 3u);
}

TEST_F(DimensionTest, ZippedAxesAreEquallyLong) {
  EXPECT_THAT(error(std::string(kFracbits) +
                    "zip: {s: {fracbits.kappa: [1, 2], fracbits.warmup_epochs: [1]}}\n"),
              HasSubstr("the axes of zip 's' differ in length: 'fracbits.kappa' has 2 values, "
                        "'fracbits.warmup_epochs' has 1"));
  EXPECT_THAT(error(std::string(kFracbits) + "zip: {fracbits.kappa: [1, 2]}\n"),
              HasSubstr("must be a group"));
}

TEST_F(DimensionTest, SeedsAreACountOrAList) {
  EXPECT_THAT(values(read(std::string(kFracbits) + "seeds: [7, 3]\n"), "seed"), ElementsAre(7, 3));
  EXPECT_THAT(values(read(std::string(kFracbits)), "seed"), ElementsAre(0));
  EXPECT_THAT(error(std::string(kFracbits) + "seeds: 0\n"),
              HasSubstr("seeds must be at least 1, found 0"));
  EXPECT_THAT(error(std::string(kFracbits) + "seeds: few\n"),
              HasSubstr("must be a whole number, found the string 'few'"));
  EXPECT_THAT(error(std::string(kFracbits) + "seeds: [-1]\n"),
              HasSubstr("'seed' must be at least 0, found -1"));
}

TEST_F(DimensionTest, DrawsAreTheSameEveryTimeAndCrossedWithTheRest) {
  const std::string text = std::string(kFracbits) + R"(
grid:
  budget.average_bits: [2, 3]
  fracbits.kappa: {min: 0.01, max: 1, distribution: log_uniform}
  fracbits.warmup_epochs: {min: 1, max: 3}
sample: {method: random, n: 50, seed: 4}
)";
  const Plan plan = read(text);
  ASSERT_EQ(requested(plan), 100u);
  const std::vector<Json> kappa = values(plan, "fracbits.kappa");
  EXPECT_EQ(kappa, values(read(text), "fracbits.kappa"));
  EXPECT_THAT(std::vector<Json>(kappa.begin(), kappa.begin() + 50),
              std::vector<Json>(kappa.begin() + 50, kappa.end()));
  double mean = 0;
  for (const Json& value : kappa) {
    EXPECT_GE(value, 0.01);
    EXPECT_LE(value, 1);
    mean += std::log10(value.get<double>()) / 100;
  }
  EXPECT_NEAR(mean, -1, 4 * (2 / std::sqrt(12.0)) / std::sqrt(50.0));  // uniform over two decades
  for (const Json& epochs : values(plan, "fracbits.warmup_epochs"))
    EXPECT_TRUE(epochs == 1 || epochs == 2 || epochs == 3);
}

TEST_F(DimensionTest, SobolSpreadsTheDrawnAxesEvenly) {
  const std::string text = std::string(kFracbits) + R"(
grid: {fracbits.kappa: {min: 0, max: 8}, fracbits.warmup_epochs: {min: 1, max: 4}}
sample: {method: sobol, n: 8)";
  const Plan plan = read(text + "}\n");
  EXPECT_THAT(values(plan, "fracbits.kappa"), ElementsAre(0.0, 4.0, 6.0, 2.0, 3.0, 7.0, 5.0, 1.0));
  EXPECT_THAT(values(plan, "fracbits.warmup_epochs"), ElementsAre(1, 3, 2, 4, 2, 4, 1, 3));
  EXPECT_THAT(warnings(plan), ::testing::IsEmpty());
  // A seed moves the points; each eighth still holds one.
  const std::vector<Json> kappa = values(read(text + ", seed: 1}\n"), "fracbits.kappa");
  std::set<int> eighths;
  for (const Json& value : kappa) eighths.insert(static_cast<int>(value.get<double>()));
  EXPECT_THAT(eighths, SizeIs(8));
  EXPECT_NE(kappa, values(plan, "fracbits.kappa"));
  EXPECT_NE(kappa, values(read(text + ", seed: 2}\n"), "fracbits.kappa"));
}

TEST_F(DimensionTest, SobolWarnsUnlessThePointsAreAPowerOfTwo) {
  const Plan plan = read(std::string(kFracbits) +
                         "grid: {fracbits.kappa: {min: 0, max: 8}}\n"
                         "sample: {method: sobol, n: 6}\n");
  EXPECT_THAT(warnings(plan),
              ElementsAre(HasSubstr("sweeps/sweep.yaml:4:9: Sobol's points are spread evenly if "
                                    "their number is a power of two, found n: 6")));
}

TEST_F(DimensionTest, DrawingNeedsBothAnAxisAndASample) {
  EXPECT_THAT(
      error(std::string(kFracbits) + "grid: {fracbits.kappa: {min: 0, max: 1}}\n"),
      HasSubstr(
          "a drawn axis needs a number of draws; add sample: {method: random, n: 50, seed: 0}"));
  EXPECT_THAT(error(std::string(kFracbits) + "sample: {method: random, n: 5}\n"),
              HasSubstr("sample has no axis to draw from"));
  EXPECT_THAT(error(std::string(kFracbits) + "sample: {method: sobl, n: 5}\n"),
              HasSubstr("sweeps/sweep.yaml:3:18: unknown sample method 'sobl', did you mean "
                        "'sobol'?"));
  EXPECT_THAT(error(std::string(kFracbits) + "sample: {method: random, n: 0}\n"),
              HasSubstr("n must be at least 1, found 0"));
  EXPECT_THAT(error("qbitopt: 1\nset: {model: tiny}\ngrid: {method: {min: 0, max: 1}}\n"
                    "sample: {method: random, n: 5}\n"),
              HasSubstr("only numbers can be drawn, found 'method' of type method"));
}

}  // namespace
}  // namespace qbitopt
