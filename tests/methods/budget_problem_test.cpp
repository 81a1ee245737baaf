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
  specs[0] = {.name = "stem.weight",
              .pinned_bits = 8,
              .counted = false,
              .elements = 9,
              .macs = 90,
              .input = "image"};
  specs[1] = {.name = "a.weight", .elements = 100, .macs = 7, .input = "a.input"};
  specs[2] = {.name = "a.input", .kind = TensorKind::kActivation, .elements = 50, .macs = 7};
  specs[3] = {.name = "b.weight", .elements = 300, .macs = 5, .input = "b.input"};
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

TEST(BudgetProblemTest, APinnedQuantizerHasOneCandidateAndIsNotCounted) {
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
  EXPECT_THAT(uniform_bits(problem({{"budget.weights", 4}}), 6), ElementsAre(8, 6, 6, 6, 6));
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

TEST(BudgetProblemTest, BytesLimitTheCountedWeights) {
  const Problem p = problem({{"budget.weight_bytes", 125}});
  ASSERT_THAT(names(p), ElementsAre("weight_bytes"));
  EXPECT_THAT(p.budgets[0].members, ElementsAre(1, 3));
  EXPECT_EQ(p.budgets[0].bytes, 125);
  // 400 weights: 1000 bits are 2 bits each, 1199 not yet 3, 1200 are.
  EXPECT_THAT(uniform_bits(p), ElementsAre(8, 2, 8, 2, 8));
  EXPECT_THAT(uniform_bits(problem({{"budget.weight_bytes", 149}})), ElementsAre(8, 2, 8, 2, 8));
  EXPECT_THAT(uniform_bits(problem({{"budget.weight_bytes", 150}})), ElementsAre(8, 3, 8, 3, 8));
}

// 7 * 4 * 4 + 5 * 4 * 4 = 192; at 5 bits 300, and 299 is not enough.
TEST(BudgetProblemTest, BitOperationsPairEveryCountedWeightWithItsLayersInput) {
  const Problem p = problem({{"budget.bops", 299}});
  EXPECT_TRUE(p.budgets.empty());
  ASSERT_EQ(p.bops.size(), 1u);
  EXPECT_EQ(p.bops[0].limit, 299);
  ASSERT_EQ(p.bops[0].pairs.size(), 2u);
  EXPECT_THAT((std::vector<int64_t>{p.bops[0].pairs[1].weight, p.bops[0].pairs[1].activation,
                                    p.bops[0].pairs[1].macs}),
              ElementsAre(3, 4, 5));
  EXPECT_THAT(uniform_bits(p), ElementsAre(8, 4, 4, 4, 4));
  EXPECT_THAT(uniform_bits(problem({{"budget.bops", 300}})), ElementsAre(8, 5, 5, 5, 5));
  // Weights at 3 leave more for the activations.
  EXPECT_THAT(uniform_bits(problem({{"budget.bops", 299}, {"budget.weights", 3}})),
              ElementsAre(8, 3, 8, 3, 8));
}

TEST(BudgetProblemTest, WhatBitsUseIsToldOfEveryKindWithoutALimit) {
  const Parameters weighting(Json{{"budget.weighting", "macs"}});
  const auto use = [&](const char* kind) {
    return budget_use(budget_kind(kind), specs(), weighting, {8, 2, 3, 4, 5});
  };
  EXPECT_DOUBLE_EQ(use("weight"), (7 * 2 + 5 * 4) / 12.0);
  EXPECT_DOUBLE_EQ(use("activation"), (7 * 3 + 5 * 5) / 12.0);
  EXPECT_DOUBLE_EQ(use("joint"), (7 * 2 + 5 * 4 + 7 * 3 + 5 * 5) / 24.0);
  EXPECT_DOUBLE_EQ(use("weight_bytes"), (100 * 2 + 300 * 4) / 8.0);
  EXPECT_DOUBLE_EQ(use("bops"), 7 * 2 * 3 + 5 * 4 * 5);
}

TEST(BudgetProblemTest, TotalsThatCannotBeMetOrDoNotFitTheWeightingAreErrors) {
  const auto error_of = [](const Json& parameters) -> std::string {
    try {
      problem(parameters);
    } catch (const InputError& error) {
      return error.what();
    }
    return "none";
  };
  EXPECT_EQ(error_of({{"budget.weight_bytes", 100}}), "none");
  EXPECT_THAT(error_of({{"budget.weight_bytes", 99}}),
              HasSubstr("the weight_bytes budget of 99 bytes cannot be met: with every tensor at "
                        "its smallest candidate it takes 100 bytes;"));
  EXPECT_EQ(error_of({{"budget.bops", 48}}), "none");
  EXPECT_THAT(error_of({{"budget.bops", 47}}), HasSubstr("it takes 48 bit operations;"));
  EXPECT_THAT(error_of({{"budget.weight_bytes", 200}, {"budget.weighting", "macs"}}),
              HasSubstr("counts elements, but budget.weighting is 'macs'"));
}

TEST(BudgetProblemTest, NoBudgetIsAnError) {
  try {
    problem(Json::object());
    FAIL() << "expected InputError";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("the job has no budget; set one of budget.average_bits, budget.weights"));
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
