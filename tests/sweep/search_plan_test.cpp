// How a plan grows from the results of a search's runs.
#include <gmock/gmock.h>

#include <map>

#include "sweep/sweep_fixture.h"

namespace qbitopt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Status = SearchState::Status;

constexpr const char* kSearching = R"(qbitopt: 1
name: search
set: {model: tiny}
)";
const std::string kCase =
    "{set: {method: fracbits}, grid: {budget.average_bits: [4, 3]}, seeds: 2,\n"
    "      search: {parameter: fracbits.kappa, from: 0.01, to: 100, until: within_budget, "
    "max_runs: "
    "3}}\n";

class SearchPlanTest : public SweepTest {
 protected:
  Plan plan(const std::string& text) {
    const Sweep sweep(folder_.write("sweeps/sweep.yaml", text), {}, small_catalog());
    return sweep.plan([&](const std::string& key) {
      const auto found = results_.find(key);
      return found == results_.end() ? std::nullopt : std::optional(found->second);
    });
  }

  // "kappa/seed" of the search's jobs at this budget; a run that was not chosen has its number.
  static std::vector<std::string> jobs_at(const Plan& plan, double budget) {
    std::vector<std::string> jobs;
    for (const PlannedJob& planned : plan.jobs) {
      const Json parameters = planned.job().parameters;
      if (parameters.value("budget.average_bits", Json()) != budget) continue;
      jobs.push_back(parameters["fracbits.kappa"].dump() + "/" + parameters["seed"].dump());
      if (planned.trial > 0) jobs.back() += " run " + std::to_string(planned.trial);
      EXPECT_EQ(planned.requested, planned.trial == 0);
    }
    return jobs;
  }

  // The result of the run that the search at this budget waits for.
  void answer(const Plan& plan, double budget, const TrialResult& result) {
    std::string key;
    for (const PlannedJob& planned : plan.jobs) {
      if (planned.job().parameters.value("budget.average_bits", Json()) == budget)
        key = planned.key;
    }
    results_[key] = result;
  }

  std::map<std::string, TrialResult> results_;
};

TEST_F(SearchPlanTest, StartsAtTheDefaultWithTheFirstSeedAtEachPoint) {
  const Plan first = plan(kSearching + ("cases:\n  fracbits: " + kCase));
  EXPECT_THAT(jobs_at(first, 4), ElementsAre("1.0/0 run 1"));
  EXPECT_THAT(jobs_at(first, 3), ElementsAre("1.0/0 run 1"));
  EXPECT_THAT(first.jobs, SizeIs(3));  // and the fp32 checkpoint
  ASSERT_THAT(first.searches, SizeIs(2));
  EXPECT_EQ(first.searches[1].where, "fracbits.kappa of fracbits at budget.average_bits=3");
  EXPECT_EQ(first.searches[1].status, Status::kRunning);
}

TEST_F(SearchPlanTest, GrowsByTheNextRunAndThenByTheSeedsOfTheChosen) {
  const std::string text = kSearching + ("cases:\n  fracbits: " + kCase);
  answer(plan(text), 3, {.excess = 0.5});
  const Plan second = plan(text);
  EXPECT_THAT(jobs_at(second, 3), ElementsAre("1.0/0 run 1", "10.0/0 run 2"));
  EXPECT_THAT(jobs_at(second, 4), ElementsAre("1.0/0 run 1"));
  answer(second, 3, {.excess = -0.02});
  const Plan third = plan(text);
  EXPECT_THAT(jobs_at(third, 3), ElementsAre("1.0/0 run 1", "10.0/0", "10.0/1"));
  EXPECT_EQ(third.searches[1].status, Status::kFound);
  EXPECT_EQ(third.searches[1].runs, 2);
  EXPECT_EQ(third.searches[1].chosen, 10);
}

TEST_F(SearchPlanTest, TrialsMayBeShorterThanWhatTheyFind) {
  const std::string text = std::string(kSearching) + R"(cases:
  fracbits:
    set: {method: fracbits, budget.average_bits: 3, training.steps: 90}
    search: {parameter: fracbits.kappa, from: 0.01, to: 100, until: within_budget, trials: {training.steps: 9}}
    when: [{if: method == 'fracbits', set: {training.steps: 80, fracbits.kappa: 7}}]
)";
  const auto steps = [](const Plan& plan) {
    std::vector<std::string> steps;
    for (const PlannedJob& planned : plan.jobs) {
      const Json parameters = planned.job().parameters;
      if (parameters["method"] != "fracbits") continue;
      steps.push_back(parameters["training.steps"].dump() + " at " +
                      parameters["fracbits.kappa"].dump());
    }
    return steps;
  };
  EXPECT_THAT(steps(plan(text)), ElementsAre("9 at 1.0"));
  answer(plan(text), 3, {.excess = -0.02});
  EXPECT_THAT(steps(plan(text)), ElementsAre("9 at 1.0", "80 at 1.0"));
}

TEST_F(SearchPlanTest, AJobOfASearchIsThatOfASweepWithoutOne) {
  const Plan searched = plan(kSearching + ("cases:\n  fracbits: " + kCase));
  const Plan plain = plan(std::string(kSearching) +
                          "cases:\n  fracbits: {set: {method: fracbits, fracbits.kappa: 1, "
                          "budget.average_bits: 4}}\n");
  EXPECT_EQ(searched.jobs[1].key, plain.jobs[1].key);
  EXPECT_EQ(searched.jobs[1].config_key, plain.jobs[1].config_key);
}

TEST_F(SearchPlanTest, TheStrengthIsNoAxisButTheOthersAre) {
  const Plan first = plan(kSearching + ("cases:\n  fracbits: " + kCase));
  EXPECT_EQ(first.jobs[1].axes(), Json({{"budget.average_bits", 4}}));
  EXPECT_EQ(first.jobs[1].case_name, "fracbits");
}

TEST_F(SearchPlanTest, WithoutAHitTheNearestRunsWithAllSeeds) {
  const std::string text = kSearching + ("cases:\n  fracbits: " + kCase);
  for (const double excess : {1.0, 0.2, 0.1}) answer(plan(text), 3, {.excess = excess});
  const Plan last = plan(text);
  EXPECT_THAT(jobs_at(last, 3), ElementsAre("1.0/0 run 1", "10.0/0 run 2", "31.6/0", "31.6/1"));
  EXPECT_EQ(last.searches[1].status, Status::kMissed);
}

TEST_F(SearchPlanTest, AFailedRunEndsTheSearch) {
  const std::string text = kSearching + ("cases:\n  fracbits: " + kCase);
  answer(plan(text), 3, {.has_failed = true});
  const Plan last = plan(text);
  EXPECT_THAT(jobs_at(last, 3), ElementsAre("1.0/0 run 1"));
  EXPECT_EQ(last.searches[1].status, Status::kFailed);
}

TEST_F(SearchPlanTest, StartsAtWhatTheSweepSetsAndKeepsItsRules) {
  const Plan first = plan(std::string(kSearching) + R"(cases:
  fracbits:
    set: {method: fracbits, fracbits.kappa: 5}
    grid: {budget.average_bits: [4, 3]}
    exclude: [budget.average_bits == 4]
    search: {parameter: fracbits.kappa, from: 0.01, to: 100, until: within_budget}
)");
  EXPECT_THAT(jobs_at(first, 3), ElementsAre("5.0/0 run 1"));
  EXPECT_THAT(jobs_at(first, 4), IsEmpty());
  EXPECT_THAT(first.searches, SizeIs(1));
}

TEST_F(SearchPlanTest, TellsHowManyJobsThereWillBe) {
  // The checkpoint; for each of two budgets a run with two seeds, and up to two runs before it.
  const std::string text = kSearching + ("cases:\n  fracbits: " + kCase);
  EXPECT_EQ(plan(text).least_jobs, 5u);
  EXPECT_EQ(plan(text).most_jobs, 9u);
  answer(plan(text), 3, {.excess = 0.5});
  EXPECT_EQ(plan(text).least_jobs, 6u);
  EXPECT_EQ(plan(text).most_jobs, 9u);
  answer(plan(text), 3, {.excess = 0});
  answer(plan(text), 4, {.excess = 0});
  const Plan last = plan(text);
  EXPECT_EQ(last.least_jobs, last.jobs.size());
  EXPECT_EQ(last.most_jobs, last.jobs.size());
}

TEST_F(SearchPlanTest, SaysWhatIsWrong) {
  const auto with = [&](const std::string& more, const std::string& search) {
    return error(std::string(kSearching) + "cases:\n  fracbits: {set: {method: fracbits" + more +
                 ", search: {parameter: fracbits.kappa, until: within_budget, " + search + "}}\n");
  };
  EXPECT_THAT(
      with("}, grid: {fracbits.kappa: [1, 2]}", "from: 0.1, to: 10"),
      HasSubstr("'fracbits.kappa' is the parameter of the search, so it cannot be an axis"));
  EXPECT_THAT(with(", fracbits.kappa: 50}", "from: 0.1, to: 10"),
              HasSubstr("the search starts at 50"));
  EXPECT_THAT(with("}", "from: 0.1"), HasSubstr("this search has no `to`"));
  EXPECT_THAT(with("}", "from: 0.1, to: 10, trials: {seed: 3}"),
              HasSubstr("the search sets 'seed' of its trials itself"));
  EXPECT_THAT(with("}, grid: {budget.average_bits: [4, 3]}",
                   "from: 0.1, to: 10, trials: {budget.average_bits: 2}"),
              HasSubstr("'budget.average_bits' is an axis, so"));
}

}  // namespace
}  // namespace qbitopt
