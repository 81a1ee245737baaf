#include "baselines/template/template.h"

#include <gmock/gmock.h>

namespace qbitopt::template_baseline {
namespace {

TEST(TemplateBaselineTest, NoiseIsThatOfAUniformGrid) {
  EXPECT_DOUBLE_EQ(noise_energy(/*elements=*/12, /*range=*/3, /*bits=*/2), 1);  // step 1
  EXPECT_DOUBLE_EQ(noise_energy(12, 15, 4), 1);
  EXPECT_DOUBLE_EQ(noise_energy(24, 30, 4), 8);
}

TEST(TemplateBaselineTest, TheAllowanceFallsInAStraightLineToTheBudget) {
  Problem problem;
  problem.quantizers = {{"a", 100, {2, 4, 8}, {0, 0, 0}}, {"b", 300, {2, 4, 8}, {0, 0, 0}}};
  const Budget budget{"weight", {0, 1}, Decimal::parse("3")};
  EXPECT_EQ(allowance(problem, budget, 0), 8 * 400);
  EXPECT_EQ(allowance(problem, budget, 0.5), 2200);
  EXPECT_EQ(allowance(problem, budget, 1), 3 * 400);
  EXPECT_EQ(allowance(problem, budget, 1.5), 3 * 400);
}

TEST(TemplateBaselineTest, ABudgetAboveTheWidestCandidatesAllowsAll) {
  Problem problem;
  problem.quantizers = {{"a", 10, {2, 4}, {0, 0}}};
  const Budget budget{"weight", {0}, Decimal::parse("6")};
  for (const double done : {0.0, 0.5, 1.0}) EXPECT_EQ(allowance(problem, budget, done), 60);
}

}  // namespace
}  // namespace qbitopt::template_baseline
