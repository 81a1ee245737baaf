// What every registered solver must do, by name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "allocation/instances.h"
#include "qbitopt/allocation/highs.h"
#include "qbitopt/allocation/solver.h"
#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

using test::Costs;
using test::Weights;
using testing::HasSubstr;

SolverRegistry registry() {
  SolverRegistry solvers("solver");
  register_solvers(solvers);
  return solvers;
}

bool proves(const std::string& solver) { return solver == "exact" || solver == "milp"; }
bool ignores_costs(const std::string& solver) { return solver == "uniform" || solver == "random"; }

class SolversTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "milp" && !Highs::why_missing().empty()) GTEST_SKIP() << Highs::why_missing();
    solver = registry().make(GetParam(), Parameters());
  }
  std::unique_ptr<Solver> solver;
};

Problem small_problem(uint64_t seed, std::string_view purpose) {
  Random random(seed, purpose);
  Problem problem = test::random_problem(random, 2 + static_cast<int>(random.below(5)),
                                         {seed % 4 ? Weights::kSixDecades : Weights::kEqual,
                                          static_cast<Costs>(seed % 3),
                                          {2, 3, 4, 6, 8}});
  problem.budgets = {{"weight", test::every_second(problem, 0), test::random_average(random)},
                     {"activation", test::every_second(problem, 1), test::random_average(random)}};
  return problem;
}

TEST_P(SolversTest, KeepsBudgetsAndIsNeverBelowTheOptimumNorItsBoundAbove) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const Problem problem = small_problem(seed, "every solver");
    const Solution solution = solver->solve(problem);
    const double best = test::brute_force(problem);
    ASSERT_EQ(solution.solver, GetParam());
    ASSERT_TRUE(is_within_budgets(problem, solution.bits)) << "seed " << seed << "\n"
                                                           << test::describe(problem);
    ASSERT_GE(solution.objective, best * (1 - 1e-12)) << "seed " << seed << "\n"
                                                      << test::describe(problem);
    ASSERT_LE(solution.bound, best + 1e-8 * std::abs(best)) << "seed " << seed << "\n"
                                                            << test::describe(problem);
    if (proves(GetParam())) {
      ASSERT_EQ(solution.status, SolutionStatus::kOptimal) << "seed " << seed;
      ASSERT_NEAR(solution.objective, best, 1e-8 * best) << "seed " << seed << "\n"
                                                         << test::describe(problem);
    }
  }
}

TEST_P(SolversTest, GivesTheSameBitsAgain) {
  const Problem problem = small_problem(7, "again");
  EXPECT_EQ(solver->solve(problem).bits, solver->solve(problem).bits);
  EXPECT_EQ(solver->solve(problem).bits,
            registry().make(GetParam(), Parameters())->solve(problem).bits);
}

TEST_P(SolversTest, AControlTakesNoStartThatCostsLess) {
  if (!ignores_costs(GetParam())) return;
  Problem problem = small_problem(3, "control");
  const std::vector<int> answer = solver->solve(problem).bits;
  for (AllocationQuantizer& quantizer : problem.quantizers)
    for (size_t i = 0; i < quantizer.bits.size(); ++i) quantizer.costs[i] = quantizer.bits[i];
  std::vector<int> cheapest;
  for (const AllocationQuantizer& quantizer : problem.quantizers)
    cheapest.push_back(quantizer.bits.front());
  EXPECT_EQ(solver->solve(problem, {.start_bits = cheapest}).bits, answer);
}

TEST_P(SolversTest, IsNeverWorseThanAStartThatFits) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Problem problem = small_problem(seed, "start");
    SolveOptions options;
    options.start_bits = registry().make("exact", Parameters())->solve(problem).bits;
    double start = 0;
    for (size_t q = 0; q < problem.quantizers.size(); ++q) {
      const auto& bits = problem.quantizers[q].bits;
      start +=
          problem.quantizers[q]
              .costs[std::find(bits.begin(), bits.end(), options.start_bits[q]) - bits.begin()];
    }
    if (ignores_costs(GetParam())) continue;
    EXPECT_LE(solver->solve(problem, options).objective, start * (1 + 1e-8));
  }
}

TEST_P(SolversTest, AnswersAnInfeasibleProblemWithWhatCanBeReached) {
  Problem problem;
  problem.quantizers.push_back({"a", 3, {4, 8}, {1.0, 0.0}});
  problem.quantizers.push_back({"b", 1, {2, 8}, {1.0, 0.0}});
  problem.budgets = {{"weight", {0, 1}, {3, 0}}};
  const Solution solution = solver->solve(problem);
  EXPECT_EQ(solution.status, SolutionStatus::kInfeasible);
  EXPECT_TRUE(solution.bits.empty());
  ASSERT_EQ(solution.budgets.size(), 1u);
  EXPECT_EQ(solution.budgets[0].achieved, 3.5);
  const Json json = to_json(solution, problem);
  EXPECT_EQ(json.at("status"), "infeasible");
  EXPECT_TRUE(json.at("objective").is_null());
}

TEST_P(SolversTest, NeverTakesAForbiddenChoice) {
  const double infinity = std::numeric_limits<double>::infinity();
  Problem problem;
  problem.quantizers.push_back({"a", 1, {2, 4, 8}, {infinity, 1.0, 0.5}});
  problem.quantizers.push_back({"b", 1, {2, 4, 8}, {3.0, infinity, 1.0}});
  problem.budgets = {{"weight", {0, 1}, {5, 0}}};
  const Solution solution = solver->solve(problem);
  EXPECT_NE(solution.bits[0], 2);
  EXPECT_NE(solution.bits[1], 4);
  EXPECT_LT(solution.objective, infinity);
}

TEST_P(SolversTest, WithoutABudgetEverythingMayBeItsCheapest) {
  Problem problem;
  problem.quantizers.push_back({"a", 1, {2, 4, 8}, {3.0, 2.0, 1.0}});
  const Solution solution = solver->solve(problem);
  EXPECT_EQ(solution.bits, std::vector<int>{8});
  EXPECT_EQ(solution.status,
            ignores_costs(GetParam()) ? SolutionStatus::kFeasible : SolutionStatus::kOptimal);
  Problem empty;
  EXPECT_TRUE(solver->solve(empty).bits.empty());
}

TEST_P(SolversTest, TakesWeightsOfZero) {
  Problem problem;
  problem.quantizers.push_back({"free", 0, {2, 8}, {1.0, 0.0}});
  problem.quantizers.push_back({"paid", 5, {2, 8}, {1.0, 0.0}});
  problem.budgets = {{"weight", {0, 1}, {4, 0}}, {"nothing", {0}, {1, 0}}};
  const Solution solution = solver->solve(problem);
  EXPECT_EQ(solution.bits[1], 2);
  EXPECT_EQ(solution.bits[0], GetParam() == "uniform" ? 2 : 8);
}

// A number that stands for "never" leaves the others their digits.
TEST_P(SolversTest, HugeCostsLeaveSmallOnesTheirDigits) {
  Problem problem;
  problem.quantizers = {
      {"a", 1, {2, 4}, {1.7e308, 0}}, {"b", 1, {2, 4}, {1e-17, 0}}, {"c", 1, {2, 4}, {9e-17, 0}}};
  problem.budgets = {{"W", {0, 1, 2}, Decimal{34, 1}}};
  const Solution solution = solver->solve(problem);
  EXPECT_LE(solution.bound, 1e-17);
  if (!ignores_costs(GetParam())) {
    EXPECT_EQ(solution.objective, 1e-17);
  }
}

TEST_P(SolversTest, RefusesCostsWhoseSumIsNoDouble) {
  Problem problem;
  problem.quantizers = {{"a", 1, {2, 4}, {1.7e308, 0}}, {"b", 1, {2, 4}, {1.7e308, 0}}};
  problem.budgets = {{"W", {0, 1}, Decimal{3, 0}}};
  try {
    solver->solve(problem);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("their sum exceeds a double; write inf"));
  }
}

TEST_P(SolversTest, RefusesCostsThatAreNotNumbers) {
  Problem problem;
  problem.quantizers.push_back({"a", 1, {2, 4}, {1.0, std::nan("")}});
  try {
    solver->solve(problem);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(), "quantizer 'a': the cost of 4 bits is not a number");
  }
}

INSTANTIATE_TEST_SUITE_P(All, SolversTest, testing::ValuesIn(registry().names()),
                         [](const auto& info) { return info.param; });

// Budgets in each other and bit operations with shared activations: who takes them must keep them.
TEST(AnyBudgetsTest, MilpUniformAndRandomTakeEveryCombination) {
  if (!Highs::why_missing().empty()) GTEST_SKIP() << Highs::why_missing();
  const SolverRegistry solvers = registry();
  for (uint64_t seed = 0; seed < 60; ++seed) {
    Random random(seed, "any budgets");
    Problem problem = test::random_problem(
        random, 6, {Weights::kSixDecades, static_cast<Costs>(seed % 3), {2, 4, 8}});
    problem.budgets = {{"weight", {0, 2, 4}, test::random_average(random)},
                       {"joint", {0, 1, 2, 3, 4, 5}, test::random_average(random)}};
    if (seed % 2) {
      BopsBudget bops;
      bops.pairs = {{0, 1, 100}, {2, 1, 300}, {4, 3, 50}, {5, 5, 20}};
      bops.limit = 470 * static_cast<int64_t>(4 + random.below(61));
      problem.bops = {bops};
    }
    const double best = test::brute_force(problem);
    for (const std::string name : {"milp", "uniform", "random"}) {
      const Solution solution = solvers.make(name, Parameters())->solve(problem);
      ASSERT_TRUE(is_within_budgets(problem, solution.bits)) << name << " seed " << seed;
      if (name != "milp") continue;
      ASSERT_EQ(solution.status, SolutionStatus::kOptimal) << "seed " << seed;
      ASSERT_NEAR(solution.objective, best, 1e-8 * best) << "seed " << seed << "\n"
                                                         << test::describe(problem);
    }
  }
}

TEST(AnyBudgetsTest, ThoseThatTakeBudgetsInsideEachOtherKeepThem) {
  const SolverRegistry solvers = registry();
  for (uint64_t seed = 0; seed < 300; ++seed) {
    Random random(seed, "nested");
    Problem problem = test::random_problem(
        random, 6, {Weights::kSixDecades, static_cast<Costs>(seed % 3), {2, 3, 5, 8}});
    problem.budgets = {{"weight", {0, 2, 4}, test::random_average(random)},
                       {"activation", {1, 3, 5}, test::random_average(random)},
                       {"joint", {0, 1, 2, 3, 4, 5}, test::random_average(random)}};
    const double best = test::brute_force(problem);
    const Solution solution = solvers.make("relax_greedy", Parameters())->solve(problem);
    ASSERT_TRUE(is_within_budgets(problem, solution.bits)) << "seed " << seed;
    ASSERT_GE(solution.objective, best * (1 - 1e-12)) << "seed " << seed;
    ASSERT_LE(solution.bound, best * (1 + 1e-12)) << "seed " << seed << "\n"
                                                  << test::describe(problem);
  }
}

// What a plan relies on: each takes the budgets that it says, and one that takes fewer may refuse.
TEST_P(SolversTest, TakesTheBudgetsThatItSays) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    Random random(seed, "support");
    Problem problem = test::random_problem(
        random, 6, {Weights::kSixDecades, static_cast<Costs>(seed % 3), {2, 4, 8}});
    const auto bytes = [&](std::vector<int> members) {
      int64_t least = 0;
      for (const int member : members) least += problem.quantizers[member].weight * 2;
      return Budget{"bytes", std::move(members), {}, least / 8 + 1 + least / 16};
    };
    problem.budgets = {{"activation", {1, 3, 5}, test::random_average(random)}, bytes({0, 2, 4})};
    const auto keeps = [&] { return is_within_budgets(problem, solver->solve(problem).bits); };
    ASSERT_TRUE(keeps()) << "seed " << seed;
    if (solver->budget_support() < BudgetSupport::kNested) continue;
    problem.budgets.push_back({"weight", {0, 2, 4}, test::random_average(random)});
    problem.budgets.push_back({"joint", {0, 1, 2, 3, 4, 5}, test::random_average(random)});
    ASSERT_TRUE(keeps()) << "seed " << seed;
    problem.bops = {
        {.name = "bops", .pairs = {{0, 1, 100}, {2, 1, 300}, {4, 3, 50}}, .limit = 4000}};
    if (solver->budget_support() == BudgetSupport::kAny) {
      ASSERT_TRUE(keeps()) << "seed " << seed;
    } else {
      ASSERT_THROW(keeps(), InputError);
    }
  }
}

TEST(HighsDeathTest, WithoutTheLibrarySaysWhereItLookedAndHowToGetIt) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // a fresh process: the library is loaded once
  setenv("QBITOPT_HIGHS", "/nowhere/libhighs.so", 1);
  EXPECT_EXIT(
      {
        std::fprintf(stderr, "%s", Highs::why_missing().c_str());
        std::exit(0);
      },
      testing::ExitedWithCode(0),
      AllOf(HasSubstr("solver 'milp' needs HiGHS, but its library is in none of these places:"),
            HasSubstr("/nowhere/libhighs.so"), HasSubstr("pip install highsbox"),
            HasSubstr("QBITOPT_HIGHS=")));
  unsetenv("QBITOPT_HIGHS");
}

}  // namespace
}  // namespace qbitopt
