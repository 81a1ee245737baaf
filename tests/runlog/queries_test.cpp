#include "qbitopt/runlog/queries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "qbitopt/core/error.h"
#include "qbitopt/runlog/expected_seconds.h"
#include "runlog/fixture.h"

namespace qbitopt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::make_job;
using testing::make_plan;
using testing::store_run;

class QueriesTest : public ::testing::Test {
 protected:
  QueriesTest() : database_(folder_ / "x.db") {
    b_.needs = {{"fp32_checkpoint", a_.key}};
    database_.record_sweep(make_plan({a_, b_, c_}));
  }
  const Reader& reader() { return database_.reader(); }

  testing::TemporaryFolder folder_;
  Database database_;
  Job a_ = make_job({{"method", "fp32"}});
  Job b_ = make_job({{"method", "qbitopt"}, {"seed", 0}});
  Job c_ = make_job({{"method", "qbitopt"}, {"seed", 1}});
};

TEST_F(QueriesTest, KeysComeInTheSweepsOrder) {
  EXPECT_THAT(stored_keys(reader(), "quick"), ElementsAre(a_.key, b_.key, c_.key));
  EXPECT_TRUE(stored_keys(reader(), "none").empty());
}

TEST_F(QueriesTest, APrefixNamesOneJobOrIsRefused) {
  EXPECT_EQ(find_key(reader(), a_.key.substr(0, 10)), a_.key);
  EXPECT_THROW(find_key(reader(), "zz"), InputError);
  EXPECT_THROW(find_key(reader(), ""), InputError);
  Job twin = a_;
  twin.key = a_.key.substr(0, 20) + std::string(44, '0');
  database_.record_sweep(make_plan({twin}, "twin"));
  try {
    find_key(reader(), a_.key.substr(0, 10));
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("matches 2 jobs"));
    EXPECT_THAT(error.what(), HasSubstr("give more digits"));
  }
}

TEST_F(QueriesTest, AStoredJobIsTheRecordedOne) {
  const Job job = stored_job(reader(), b_.key);
  EXPECT_EQ(Json(job), Json(b_));
}

TEST_F(QueriesTest, ConditionsSelectJobs) {
  EXPECT_THAT(keys_where(reader(), "method = 'qbitopt' AND seed = 1 -- the second"),
              ElementsAre(c_.key));
  EXPECT_THROW(keys_where(reader(), "nonsense = 1"), InputError);
}

TEST_F(QueriesTest, TimeIsExpectedFromTheSameConfigurationElseFromSimilarJobs) {
  EXPECT_FALSE(ExpectedSeconds(reader()).of(c_));
  store_run(database_, b_, {.seconds = 30});
  EXPECT_EQ(ExpectedSeconds(reader()).of(c_), 30);
  const Job similar = make_job({{"method", "qbitopt"}, {"budget.average_bits", 3}});
  EXPECT_EQ(ExpectedSeconds(reader()).of(similar), 30);
  EXPECT_FALSE(ExpectedSeconds(reader()).of(a_));
}

TEST_F(QueriesTest, TimeOfLongerJobsIsThatOfTheirImagesAndTheRest) {
  const Job pilot = make_job({{"method", "qbitopt"}, {"model", "m"}, {"training.batch_size", 10}});
  database_.record_sweep(make_plan({pilot}, "pilot"));
  store_run(database_, pilot, {.seconds = 30});  // 2 steps in 15 of them
  const Job longer = make_job({{"method", "qbitopt"}, {"model", "m"}, {"training.batch_size", 5}});
  EXPECT_EQ(ExpectedSeconds(reader()).of(longer, 2000), 15 + 15.0 / 20 * 2000);
  const Job larger = make_job({{"method", "qbitopt"}, {"model", "m"}, {"data.image_size", 64}});
  EXPECT_FALSE(ExpectedSeconds(reader()).of(larger, 2000));
}

TEST_F(QueriesTest, AResultThatIsMadeAnewIsNoTrialsResult) {
  store_run(database_, b_, {.top1 = 80});
  EXPECT_EQ(trial_result(reader(), b_.key)->validation_top1, 81);
  database_.reset({b_.key});
  EXPECT_FALSE(trial_result(reader(), b_.key));
}

TEST_F(QueriesTest, AttemptsAreListed) {
  store_run(database_, a_, {.bits = {}});
  const auto list = attempts(reader(), a_.key);
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].state, "finished");
  EXPECT_EQ(list[0].host, "here");
  EXPECT_EQ(list[0].folder, "/nowhere/qbitopt.runs/" + a_.key.substr(0, 10) + "/1");
}

}  // namespace
}  // namespace qbitopt
