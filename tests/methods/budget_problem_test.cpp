#include "qbitopt/methods/budget_problem.h"

#include <gmock/gmock.h>

#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// stem (pinned at 8, not counted), two weights and two activations.
std::vector<QuantizerSpec> specs() {
  std::vector<QuantizerSpec> specs(5);
  specs[0] = {.name = "stem.weight", .pinned_bits = 8, .counted = false, .elements = 9, .macs = 90};
  specs[1] = {.name = "a.weight", .elements = 100, .macs = 7};
  specs[2] = {.name = "a.input", .kind = TensorKind::kActivation, .elements = 50, .macs = 7};
  specs[3] = {.name = "b.weight", .elements = 300, .macs = 5};
  specs[4] = {.name = "b.input", .kind = TensorKind::kActivation, .elements = 60, .macs = 5};
  return specs;
}

Problem problem(const Json& parameters) { return budget_problem(specs(), Parameters(parameters)); }

std::vector<std::string> names(const Problem& problem) {
  std::vector<std::string> names;
  for (const Budget& budget : problem.budgets) names.push_back(budget.name);
  return names;
}

std::vector<int64_t> weights(const Problem& problem) {
  std::vector<int64_t> weights;
  for (const AllocationQuantizer& quantizer : problem.quantizers)
    weights.push_back(quantizer.weight);
  return weights;
}

TEST(BudgetProblemTest, AverageBitsLimitsWeightsAndActivationsEachByItself) {
  const Problem p = problem({{"budget.average_bits", 2.5}});
  ASSERT_THAT(names(p), ElementsAre("weight", "activation"));
  EXPECT_THAT(p.budgets[0].members, ElementsAre(1, 3));
  EXPECT_THAT(p.budgets[1].members, ElementsAre(2, 4));
  EXPECT_EQ(p.budgets[0].average_bits.text(), "2.5");
}

TEST(BudgetProblemTest, OwnLimitsGoBeforeTheAverage) {
  const Problem p = problem({{"budget.average_bits", 4}, {"budget.weights", 3}});
  EXPECT_EQ(p.budgets[0].average_bits.text(), "3");
  EXPECT_EQ(p.budgets[1].average_bits.text(), "4");
}

TEST(BudgetProblemTest, AJointBudgetHoldsBothKinds) {
  const Problem p = problem({{"budget.joint", 3}});
  ASSERT_THAT(names(p), ElementsAre("joint"));
  EXPECT_THAT(p.budgets[0].members, ElementsAre(1, 2, 3, 4));
}

TEST(BudgetProblemTest, APinnedQuantiserHasOneCandidateAndIsNotCounted) {
  EXPECT_THAT(problem({{"budget.average_bits", 4}}).quantizers[0].bits, ElementsAre(8));
}

TEST(BudgetProblemTest, SharesAreElementsOrOneOrMacs) {
  const auto shares = [](const char* weighting) {
    return weights(problem({{"budget.average_bits", 4}, {"budget.weighting", weighting}}));
  };
  EXPECT_THAT(shares("elements"), ElementsAre(9, 100, 50, 300, 60));
  EXPECT_THAT(shares("tensors"), ElementsAre(1, 1, 1, 1, 1));
  EXPECT_THAT(shares("macs"), ElementsAre(90, 7, 7, 5, 5));
}

TEST(BudgetProblemTest, UniformBitsAreTheLargestCandidateWithinEveryBudget) {
  EXPECT_THAT(uniform_bits(problem({{"budget.average_bits", 3.9}})), ElementsAre(8, 3, 3, 3, 3));
  EXPECT_THAT(uniform_bits(problem({{"budget.weights", 4}})), ElementsAre(8, 4, 8, 4, 8));
  EXPECT_THAT(uniform_bits(problem({{"budget.weights", 5}, {"budget.activations", 2.5}})),
              ElementsAre(8, 5, 2, 5, 2));
}

// 10 elements pinned at 8 bits leave 4 * 110 - 80 = 360 for the other 100.
TEST(BudgetProblemTest, UniformBitsLeaveRoomForPinnedTensorsThatCount) {
  std::vector<QuantizerSpec> specs(2);
  specs[0] = {.name = "stem.weight", .pinned_bits = 8, .elements = 10};
  specs[1] = {.name = "conv.weight", .elements = 100};
  const Problem counted = budget_problem(specs, Parameters(Json::object({{"budget.weights", 4}})));
  EXPECT_THAT(uniform_bits(counted), ElementsAre(8, 3));
}

TEST(BudgetProblemTest, NoBudgetIsAnError) {
  try {
    problem(Json::object());
    FAIL() << "expected InputError";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("the job has no budget; set budget.average_bits"));
  }
}

TEST(BudgetProblemTest, ABudgetBelowTheSmallestCandidatesNamesWhatCanBeMet) {
  try {
    problem({{"budget.activations", 1.9}});
    FAIL() << "expected InputError";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("the activation budget of 1.9 bits cannot be met"));
    EXPECT_THAT(error.what(), HasSubstr("the average is 2;"));
  }
}

}  // namespace
}  // namespace qbitopt
