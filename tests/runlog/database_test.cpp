#include "qbitopt/runlog/database.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <optional>

#include "qbitopt/config/catalog.h"
#include "qbitopt/core/error.h"
#include "qbitopt/core/hash.h"
#include "qbitopt/core/text_file.h"
#include "qbitopt/runlog/migrations.h"
#include "runlog/fixture.h"

namespace qbitopt {
namespace {

using ::testing::ElementsAre;
using testing::events_of;
using ::testing::HasSubstr;
using testing::make_attempt;
using testing::make_job;
using testing::make_plan;
using testing::store_run;

class DatabaseTest : public ::testing::Test {
 protected:
  Json scalar(const Database& database, const std::string& sql) {
    return database.reader().query(sql).rows.at(0).at(0);
  }
  std::string refusal(const std::filesystem::path& file) {
    try {
      Database database(file);
    } catch (const DatabaseError& error) {
      return error.what();
    }
    return "was opened";
  }

  testing::TemporaryFolder folder_;
  const std::filesystem::path file_ = folder_ / "results/qbitopt.db";
  const Job job_ = make_job({{"method", "qbitopt"}, {"budget.average_bits", 4}});
};

TEST_F(DatabaseTest, NewFileIsMarkedAsOursAndIsOnePlainFileAtRest) {
  { Database database(file_); }
  const std::string content = read_bytes(file_);
  EXPECT_EQ(content.substr(68, 4), "QBOP");
  EXPECT_EQ(content[18], 1) << "write version: 1 is the rollback journal, 2 the write-ahead log";
  EXPECT_FALSE(std::filesystem::exists(file_.string() + "-wal"));
}

TEST_F(DatabaseTest, WritesAheadOnALocalDiskAndNotOnANetwork) {
  Database local(file_, {.journal = Journal::kWriteAhead});
  local.record_sweep(make_plan({job_}));
  EXPECT_TRUE(std::filesystem::exists(file_.string() + "-wal"));
  Database remote(folder_ / "remote.db", {.journal = Journal::kRollback});
  remote.record_sweep(make_plan({job_}));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "remote.db-wal"));
}

TEST_F(DatabaseTest, ARunBecomesRows) {
  Database database(file_);
  database.record_sweep(make_plan({job_}));
  store_run(database, job_, {.top1 = 83.25, .seconds = 12});
  const Rows rows = database.reader().query(
      "SELECT method, budget_average_bits, seed, top1, weight_limit_bits, weight_bits, "
      "activation_bits,"
      " weight_bytes, budget_met, seconds, attempts, cpu, commit_hash, sweeps FROM runs");
  ASSERT_EQ(rows.size(), 1u);
  // Weights: (100 * 2 + 300 * 4) / 400 = 3.5 bits, 1400 bits are 175 bytes.
  EXPECT_THAT(rows.rows[0], ElementsAre("qbitopt", 4, 0, 83.25, 4.0, 3.5, 3.0, 175, 1, 12.0, 1,
                                        "a processor", "abc1234", "quick"));
}

TEST_F(DatabaseTest, TheIdInAClustersQueueIsShown) {
  Database database(file_);
  database.record_sweep(make_plan({job_}));
  const Attempt attempt = make_attempt(job_, 1, folder_ / "1");
  database.begin(attempt);
  EXPECT_TRUE(scalar(database, "SELECT queue_id FROM runs").is_null());
  database.note_queue_id(attempt, "101_0");
  EXPECT_EQ(scalar(database, "SELECT queue_id FROM runs"), "101_0");
  database.end(attempt, {JobState::kFailed, 1, 0, "crashed", "it crashed"});
  EXPECT_EQ(scalar(database, "SELECT queue_id FROM failures"), "101_0");
}

TEST_F(DatabaseTest, TheLatestEventIsTheHeartbeatOfARun) {
  Database database(file_);
  database.record_sweep(make_plan({job_}));
  const Attempt attempt = make_attempt(job_, 1, folder_ / "1");
  database.begin(attempt);
  database.ingest(attempt, {{1, 100, Started{.host = "here"}}, {2, 107, Progress{}}});
  EXPECT_EQ(scalar(database, "SELECT heard_at FROM runs"), 107);
  database.ingest(attempt, {{2, 107, Progress{}}, {3, 109, Progress{}}});
  EXPECT_EQ(scalar(database, "SELECT heard_at FROM runs"), 109);
  EXPECT_EQ(scalar(database, "SELECT last_event FROM attempt"), 3);
}

TEST_F(DatabaseTest, ARunThatWasStoppedEarlyIsNeitherFinishedNorFailed) {
  Database database(file_);
  const Plan plan = make_plan({job_});
  database.record_sweep(plan);
  const Attempt attempt = make_attempt(job_, 1, folder_ / "1");
  database.begin(attempt);
  database.ingest(attempt, {{1, 100, Metrics{7, "validation", {{"loss", 2.5}}}}});
  database.end(attempt, {JobState::kStopped, 0, 0, kStopped, "its peers are better"});
  EXPECT_EQ(database.records(plan)[0].state, JobState::kStopped);
  EXPECT_EQ(scalar(database, "SELECT state FROM runs"), "stopped");
  EXPECT_EQ(scalar(database, "SELECT counts FROM runs"), 0);
  EXPECT_EQ(scalar(database, "SELECT n_stopped FROM results"), 1);
  EXPECT_EQ(scalar(database, "SELECT count(*) FROM failures"), 0);
  const std::vector<std::pair<int64_t, double>> curve = {{7, 2.5}};
  EXPECT_EQ(database.validation_curve(job_.key, "loss"), curve);
}

TEST_F(DatabaseTest, TheBudgetCanBeRecomputedFromTheBits) {
  Database database(file_);
  database.record_sweep(make_plan({job_}));
  store_run(database, job_, {});
  const Rows rows = database.reader().query(
      "SELECT kind, sum(share * bits), sum(share), sum(share * bits) <= max(limit_bits) * "
      "sum(share) FROM bits"
      " WHERE counted GROUP BY key, kind ORDER BY kind");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_THAT(rows.rows[0], ElementsAre("activation", 150, 50, 1));
  EXPECT_THAT(rows.rows[1], ElementsAre("weight", 1400, 400, 1));
}

TEST_F(DatabaseTest, EveryKindOfBudgetHasItsColumnsInRunsResultsAndAllocations) {
  Database database(file_);
  database.record_sweep(make_plan({job_}));
  std::vector<Event> events = events_of({});
  for (Event& event : events) {
    const std::vector<BudgetState> budgets = {{"weight_bytes", 200, 175}, {"bops", {}, 15000}};
    if (auto* told = std::get_if<Reallocation>(&event.body)) told->budgets = budgets;
    if (auto* end = std::get_if<Finished>(&event.body)) end->budgets = budgets;
  }
  const Attempt attempt = make_attempt(job_, 1, folder_.path());
  database.begin(attempt);
  database.ingest(attempt, events);
  EXPECT_THAT(database.reader()
                  .query("SELECT weight_limit_bytes, counted_weight_bytes, limit_bops, bops, "
                         "weight_limit_bits, budget_limit, budget_unit FROM runs")
                  .rows.at(0),
              ElementsAre(200.0, 175.0, nullptr, 15000.0, nullptr, 4, "bits"));
  EXPECT_THAT(database.reader().query("SELECT counted_weight_bytes, bops FROM results").rows.at(0),
              ElementsAre(175.0, 15000.0));
  EXPECT_THAT(database.reader()
                  .query("SELECT weight_limit_bytes, counted_weight_bytes, bops FROM allocations")
                  .rows.at(0),
              ElementsAre(200.0, 175.0, nullptr));
}

TEST_F(DatabaseTest, EveryCandidatesCostIsARowOfSensitivities) {
  Database database(file_);
  database.record_sweep(make_plan({job_}));
  store_run(database, job_, {});
  const Rows rows = database.reader().query(
      "SELECT attempt, step, quantizer, bits, value, unit, chosen FROM sensitivities ORDER BY "
      "position, bits");
  ASSERT_EQ(rows.size(), 7u);
  EXPECT_THAT(rows.rows[2], ElementsAre(1, 0, "head.weight", 2, 8.0, "nats", 0));
  EXPECT_THAT(rows.rows[3], ElementsAre(1, 0, "head.weight", 4, 2.0, "nats", 1));
}

TEST_F(DatabaseTest, IngestingTwiceChangesNothing) {
  Database database(file_);
  database.record_sweep(make_plan({job_}));
  const Attempt attempt = make_attempt(job_, 1, folder_.path());
  database.begin(attempt);
  const auto events = events_of({});
  database.ingest(attempt, {events.begin(), events.begin() + 4});
  database.ingest(attempt, events);
  database.ingest(attempt, events);
  EXPECT_EQ(scalar(database, "SELECT count(*) FROM curves"), 3);
  EXPECT_EQ(scalar(database, "SELECT count(*) FROM event WHERE type = 'started'"), 1);
  EXPECT_EQ(scalar(database, "SELECT count(*) FROM allocations"), 1);
}

TEST_F(DatabaseTest, AGapInTheSpoolIsOnRecord) {
  Database database(file_);
  database.record_sweep(make_plan({job_}));
  const Attempt attempt = make_attempt(job_, 1, folder_.path());
  database.begin(attempt);
  const auto events = events_of({});
  database.ingest(attempt, {events[0], events[4]});
  EXPECT_EQ(scalar(database, "SELECT text FROM event WHERE type = 'missing'"),
            "events 2 to 4 are missing in the spool");
}

TEST_F(DatabaseTest, ANumberThatIsNotFiniteIsAnEventAndNotANull) {
  Database database(file_);
  database.record_sweep(make_plan({job_}));
  const Attempt attempt = make_attempt(job_, 1, folder_.path());
  database.begin(attempt);
  database.ingest(attempt, {{1, 1.0, Metrics{5, "train", {{"loss", NAN}, {"top1", 10.0}}}}});
  EXPECT_EQ(scalar(database, "SELECT count(*) FROM curves"), 1);
  EXPECT_EQ(scalar(database, "SELECT text FROM event WHERE type = 'non_finite'"), "loss is nan");
}

TEST_F(DatabaseTest, ARunAboveAPromisedBudgetIsAFailure) {
  Database database(file_);
  Job penalty = make_job({{"method", "fracbits"}});
  penalty.guarantees_budget = false;
  database.record_sweep(make_plan({job_, penalty}));
  for (const Job& job : {job_, penalty}) store_run(database, job, {.budget_met = false});
  const Rows rows = database.reader().query(
      "SELECT method, state, budget_met, error_class FROM runs ORDER BY method");
  EXPECT_THAT(rows.rows[0], ElementsAre("fracbits", "finished", 0, nullptr));
  EXPECT_THAT(rows.rows[1], ElementsAre("qbitopt", "failed", 0, "budget_exceeded"));
}

TEST_F(DatabaseTest, AResumedAttemptHidesEarlierPointsBeyondItsStart) {
  Database database(file_);
  database.record_sweep(make_plan({job_}));
  const Attempt first = make_attempt(job_, 1, folder_.path());
  database.begin(first);
  std::vector<Event> events = {{1, 1.0, Started{}}};
  for (int step = 1; step <= 5; ++step)
    events.push_back({step + 1, 1.0, Metrics{step, "train", {{"loss", double(step)}}}});
  database.ingest(first, events);
  database.end(first, {.state = JobState::kInterrupted});

  Attempt second = make_attempt(job_, 2, folder_.path());
  second.resume_from = first.folder + "/checkpoint";
  database.begin(second);
  database.ingest(second, {{1, 2.0, Started{.resumed_from_step = 3}},
                           {2, 2.0, Metrics{4, "train", {{"loss", 40.0}}}}});
  const Rows rows = database.reader().query("SELECT step, value FROM curves ORDER BY step");
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_THAT(rows.rows[2], ElementsAre(3, 3.0));
  EXPECT_THAT(rows.rows[3], ElementsAre(4, 40.0));
}

// Interrupted in its calibration, it goes on from a checkpoint at step 0.
TEST_F(DatabaseTest, AnAttemptThatGoesOnFromStep0KeepsWhatWasChosenThere) {
  Database database(file_);
  database.record_sweep(make_plan({job_}));
  const Attempt first = make_attempt(job_, 1, folder_.path());
  const auto events = events_of({});
  database.begin(first);
  database.ingest(first, {events.begin(), events.begin() + 3});  // up to the allocation of step 0
  database.end(first, {.state = JobState::kInterrupted});
  const auto rows_of = [&] {
    std::string counts;
    for (const char* view : {"allocations", "bits_history", "sensitivities"})
      counts += scalar(database, std::string("SELECT count(*) FROM ") + view).dump() + " ";
    return counts;
  };
  EXPECT_EQ(rows_of(), "1 4 7 ");
  Attempt second = make_attempt(job_, 2, folder_.path());
  second.resume_from = first.folder + "/checkpoint";
  database.begin(second);
  EXPECT_EQ(rows_of(), "1 4 7 ") << "before the second attempt has said anything";
  database.ingest(second, {{1, 2.0, Started{.resumed_from_step = 0}}, events[1], events[3]});
  EXPECT_EQ(rows_of(), "1 4 7 ");
  EXPECT_EQ(scalar(database, "SELECT count(*) FROM curves"), 1);
}

TEST_F(DatabaseTest, WhereTwoAttemptsMeetTheLaterOneCounts) {
  Database database(file_);
  database.record_sweep(make_plan({job_}));
  const auto told = [](int64_t number, double value) {
    Reallocation choice;
    choice.step = 3;
    choice.objective = value;
    choice.bits = {2, 4};
    choice.costs = {{{2, value}}, {{4, value}}};
    return std::vector<Event>{{number, 1.0, choice},
                              {number + 1, 1.0, Metrics{3, "train", {{"bits", value}}}}};
  };
  const Attempt first = make_attempt(job_, 1, folder_.path());
  database.begin(first);
  database.ingest(first, {{1, 1.0, Started{}}, {2, 1.0, Metrics{3, "train", {{"loss", 7.0}}}}});
  database.ingest(first, told(3, 10));  // after the checkpoint of step 3, and lost with the process
  Attempt second = make_attempt(job_, 2, folder_.path());
  second.resume_from = first.folder + "/checkpoint";
  database.begin(second);
  database.ingest(second, {{1, 2.0, Started{.resumed_from_step = 3}}});
  EXPECT_EQ(scalar(database, "SELECT group_concat(objective) FROM allocations"), "10.0");
  database.ingest(second, told(2, 20));
  EXPECT_EQ(scalar(database, "SELECT group_concat(objective) FROM allocations"), "20.0");
  EXPECT_EQ(scalar(database, "SELECT count(*) FROM bits_history"), 2);
  EXPECT_EQ(scalar(database, "SELECT group_concat(value) FROM sensitivities"), "20.0,20.0");
  EXPECT_EQ(scalar(database, "SELECT group_concat(value) FROM curves WHERE metric = 'bits'"),
            "20.0");
  EXPECT_EQ(scalar(database, "SELECT group_concat(value) FROM curves WHERE metric = 'loss'"),
            "7.0");
}

TEST_F(DatabaseTest, AResultStandsUntilAnotherAttemptHasFinished) {
  Database database(file_);
  const Plan plan = make_plan({job_});
  database.record_sweep(plan);
  store_run(database, job_, {.top1 = 80});
  const auto shown = [&] {
    const Rows rows = database.reader().query(
        "SELECT state, top1, (SELECT n_seeds FROM results), (SELECT count(*) FROM bits) FROM runs");
    return Json(rows.rows.at(0)).dump() + " " + name(database.records(plan)[0].state);
  };
  const std::string old = R"(["finished",80.0,1,4] )";
  EXPECT_EQ(shown(), old + "finished");
  database.reset({job_.key});
  EXPECT_EQ(shown(), old + "new");

  const Attempt stopped = make_attempt(job_, 2, folder_.path());
  database.begin(stopped);
  EXPECT_EQ(shown(), old + "running");
  const auto events = events_of({.top1 = 90});
  database.ingest(stopped, {events.begin(), events.end() - 1});
  database.end(stopped, {.state = JobState::kInterrupted});
  EXPECT_EQ(shown(), old + "interrupted");

  const Attempt failed = make_attempt(job_, 3, folder_.path());
  database.begin(failed);
  database.ingest(failed, {{1, 1.0, Failed{"data", "no such image"}}});
  database.end(failed, {.state = JobState::kFailed, .error_class = "data"});
  EXPECT_EQ(shown(), old + "finished");
  EXPECT_EQ(scalar(database, "SELECT error_text FROM failures"), "no such image");

  const Attempt good = make_attempt(job_, 4, folder_.path());
  database.begin(good);
  database.ingest(good, events);
  database.end(good, {});
  EXPECT_EQ(shown(), R"(["finished",90.0,1,4] finished)");
}

TEST_F(DatabaseTest, EventsThatNoTableTakesAreRefusedAndTheOthersStay) {
  Database database(file_);
  const Job other = make_job({{"method", "fp32"}});
  database.record_sweep(make_plan({job_, other}));
  const Attempt good = make_attempt(other, 1, folder_.path());
  const Attempt bad = make_attempt(job_, 1, folder_.path());
  database.begin(good);
  database.begin(bad);
  database.ingest(good, {{1, 1.0, Metrics{1, "train", {{"loss", 1.0}}}}});
  EXPECT_THROW(database.ingest(bad, {{1, 1.0, Metrics{1, "train", {{"top1", 1.0}}}},
                                     {2, 1.0, Inventory{{{"w", "neither", 1, 1, true, {}}}}}}),
               InputError);
  database.ingest(good, {{2, 1.0, Metrics{2, "train", {{"top1", 1.0}}}}});
  database.ingest(good, {{3, 1.0, Inventory{{{"w", "weight", 1, 1, true, {}}}}}});
  EXPECT_EQ(
      scalar(database, "SELECT group_concat(metric) FROM (SELECT * FROM curves ORDER BY step)"),
      "loss,top1");
}

TEST_F(DatabaseTest, NumbersOfAnAllocationThatAreNotFiniteAreEvents) {
  Database database(file_);
  database.record_sweep(make_plan({job_}));
  const Attempt attempt = make_attempt(job_, 1, folder_.path());
  database.begin(attempt);
  Reallocation choice;
  choice.objective = NAN;
  choice.bits = {2};
  choice.ranges = {INFINITY};
  choice.costs = {{{2, NAN}, {4, 1.0}}};
  choice.budgets = {{"weight", {}, 3.0}};
  database.ingest(attempt, {{1, 1.0, choice}});
  EXPECT_EQ(scalar(database, "SELECT count(*) FROM sensitivities"), 1);
  EXPECT_EQ(
      scalar(database, "SELECT group_concat(text, '; ') FROM event WHERE type = 'non_finite'"),
      "the predicted rise of the loss is nan; the range of quantizer 0 is inf; "
      "the cost of quantizer 0 at 2 bits is nan");
}

TEST_F(DatabaseTest, ResultsOfTooManyNamesLeaveTheViewsReadable) {
  Database database(file_);
  database.record_sweep(make_plan({job_}));
  const Attempt attempt = make_attempt(job_, 1, folder_.path());
  database.begin(attempt);
  Finished finished;
  for (int i = 0; i < 2500; ++i) finished.results["m" + std::to_string(i)] = i;
  database.ingest(attempt, {{1, 1.0, finished}});
  for (const char* view : {"runs", "results"})
    EXPECT_EQ(database.reader().query(std::string("SELECT * FROM ") + view).size(), 1u);
  EXPECT_GT(scalar(database, "SELECT count(*) FROM event WHERE level = 'warning'"), 2000);
  EXPECT_EQ(scalar(database, "SELECT count(*) FROM metric"), 2500);
}

// Another connection stands in for a database browser with a change that is not written yet.
class Browser {
 public:
  explicit Browser(const std::filesystem::path& file)
      : database_(file.string(), SQLite::OPEN_READWRITE) {
    database_.exec("BEGIN IMMEDIATE");
  }
  void close() { database_.exec("ROLLBACK"); }

 private:
  SQLite::Database database_;
};

TEST_F(DatabaseTest, ALockOfAnotherProgramIsWaitedFor) {
  Database database(file_);
  database.record_sweep(make_plan({job_}));
  const Attempt attempt = make_attempt(job_, 1, folder_.path());
  std::optional<Browser> browser(file_);
  std::vector<std::string> told;
  const auto begun = std::chrono::steady_clock::now();
  database.set_meanwhile([&](const std::string& wait) {
    if (!wait.empty()) told.push_back(wait);
    if (std::chrono::steady_clock::now() - begun > std::chrono::milliseconds(2200))
      browser->close();
    return true;
  });
  database.begin(attempt);
  EXPECT_THAT(told, ElementsAre("waiting for another program, which has locked " + file_.string() +
                                "; running jobs continue"));
  EXPECT_EQ(scalar(database, "SELECT state FROM runs"), "running");
}

TEST_F(DatabaseTest, AWaitForALockCanBeGivenUp) {
  Database database(file_);
  database.record_sweep(make_plan({job_}));
  const Browser browser(file_);
  int asked = 0;
  database.set_meanwhile([&](const std::string&) { return ++asked < 5; });
  EXPECT_THROW(database.begin(make_attempt(job_, 1, folder_.path())), DatabaseError);
  EXPECT_EQ(asked, 5);
}

// SQLite does not wait by itself when it is to change the journal.
TEST_F(DatabaseTest, ALockIsWaitedForAlsoWhenTheFileIsOpened) {
  { Database database(file_); }
  Browser browser(file_);
  int asked = 0;
  DatabaseOptions options;
  options.meanwhile = [&](const std::string&) {
    if (++asked == 5) browser.close();
    return true;
  };
  Database database(file_, options);
  EXPECT_GE(asked, 5);
}

TEST_F(DatabaseTest, StatesFollowTheAttempts) {
  Database database(file_);
  const Plan plan = make_plan({job_});
  EXPECT_EQ(database.records(plan)[0].state, JobState::kNew);
  database.record_sweep(plan);
  const Attempt first = make_attempt(job_, 1, folder_.path());
  database.begin(first);
  EXPECT_EQ(database.records(plan)[0].state, JobState::kRunning);
  EXPECT_EQ(database.records(plan)[0].folder, first.folder);
  database.end(first, {.state = JobState::kInterrupted});
  EXPECT_EQ(database.records(plan)[0].state, JobState::kInterrupted);
  const Attempt second = make_attempt(job_, 2, folder_.path());
  database.begin(second);
  database.end(second, {.state = JobState::kFailed,
                        .signal = 9,
                        .error_class = "lost",
                        .text = "killed by signal 9"});
  const JobRecord failed = database.records(plan)[0];
  EXPECT_EQ(failed.state, JobState::kFailed);
  EXPECT_EQ(failed.attempts, 2);
  EXPECT_EQ(failed.error_class, "lost");
  EXPECT_EQ(scalar(database, "SELECT signal FROM failures"), 9);
  database.reset({job_.key});
  EXPECT_EQ(database.records(plan)[0].state, JobState::kNew);
  EXPECT_EQ(database.records(plan)[0].attempts, 2);
}

// Its worker said that it failed; the driver saw why.
TEST_F(DatabaseTest, AFullDiskIsNotTheJobsFailure) {
  Database database(file_);
  const Plan plan = make_plan({job_});
  database.record_sweep(plan);
  const Attempt attempt = make_attempt(job_, 1, folder_.path());
  database.begin(attempt);
  database.ingest(attempt, {{1, 1.0, Started{}}, {2, 2.0, Failed{"internal", "No space left"}}});
  EXPECT_EQ(database.records(plan)[0].state, JobState::kFailed);
  database.end(attempt, {.state = JobState::kInterrupted, .error_class = "disk_full"});
  EXPECT_EQ(database.records(plan)[0].state, JobState::kInterrupted);
  EXPECT_TRUE(scalar(database, "SELECT error_class FROM runs").is_null());
  EXPECT_EQ(scalar(database, "SELECT error_class FROM failures"), "disk_full");
}

// Also if the driver dies before it comes to that.
TEST_F(DatabaseTest, AJobWhoseAttemptIsFollowedByAnotherIsNewAgain) {
  Database database(file_);
  const Plan plan = make_plan({job_});
  database.record_sweep(plan);
  const Attempt lost = make_attempt(job_, 1, folder_.path());
  database.begin(lost);
  database.end(lost, {.state = JobState::kFailed, .error_class = "lost", .will_retry = true});
  EXPECT_EQ(database.records(plan)[0].state, JobState::kNew);
  EXPECT_EQ(database.records(plan)[0].error_class, "lost");
  const Attempt failed = make_attempt(job_, 2, folder_.path());
  database.begin(failed);
  database.ingest(failed, {{1, 1.0, Failed{"data", "no such image"}}});
  EXPECT_EQ(database.records(plan)[0].state, JobState::kFailed);
  database.end(failed, {.state = JobState::kFailed, .error_class = "data", .will_retry = true});
  EXPECT_EQ(database.records(plan)[0].state, JobState::kNew);
  EXPECT_EQ(scalar(database, "SELECT count(*) FROM failures"), 2);
}

TEST_F(DatabaseTest, OnlyItsLastEventFinishesAJob) {
  Database database(file_);
  const Plan plan = make_plan({job_});
  database.record_sweep(plan);
  const Attempt attempt = make_attempt(job_, 1, folder_.path());
  database.begin(attempt);
  database.end(attempt, {.state = JobState::kFinished});
  EXPECT_EQ(database.records(plan)[0].state, JobState::kFailed);
  EXPECT_EQ(scalar(database, "SELECT error_class FROM runs"), "lost");
}

TEST_F(DatabaseTest, AnArtifactIsFoundBesideAMovedDatabase) {
  {
    Database database(file_);
    database.record_sweep(make_plan({job_}));
    const Attempt attempt = make_attempt(job_, 1, file_.parent_path());
    database.begin(attempt);
    database.ingest(attempt, events_of({}));
    std::filesystem::create_directories(attempt.folder);
    std::ofstream(attempt.folder + "/model") << "weights";
  }
  std::filesystem::rename(folder_ / "results", folder_ / "elsewhere");
  Database moved(folder_ / "elsewhere/qbitopt.db");
  const std::string model = moved.artifact(job_.key, "model");
  EXPECT_EQ(read_bytes(model), "weights");
  std::ofstream(model) << "weightz";
  try {
    moved.artifact(job_.key, "model");
    FAIL();
  } catch (const JobError& error) {
    EXPECT_EQ(error.error_class(), "damaged_input");
    EXPECT_EQ(std::string(error.what()),
              model + ": changed since job " + job_.key.substr(0, 10) + " left it: its sha256 is " +
                  sha256("weightz").substr(0, 10) + "..., expected " +
                  sha256("weights").substr(0, 10) + "...; `qbitopt retry " +
                  job_.key.substr(0, 10) +
                  "` makes it again, and then runs the jobs that failed without it");
  }
  std::filesystem::remove(model);
  EXPECT_THROW(moved.artifact(job_.key, "model"), InputError);
  EXPECT_THROW(moved.artifact(job_.key, "allocation"), InputError);
}

TEST_F(DatabaseTest, AnArtifactIsFoundByEveryNameOfTheDatabase) {
  std::filesystem::create_directories(file_.parent_path());
  std::filesystem::create_directory_symlink(file_.parent_path(), folder_ / "link");
  std::filesystem::create_symlink(file_, folder_ / "other_name.db");
  {
    Database database(folder_ / "link/qbitopt.db");
    database.record_sweep(make_plan({job_}));
    const Attempt attempt = make_attempt(job_, 1, file_.parent_path());
    database.begin(attempt);
    database.ingest(attempt, events_of({}));
    std::filesystem::create_directories(attempt.folder);
    std::ofstream(attempt.folder + "/model") << "weights";
    EXPECT_EQ(scalar(database, "SELECT folder LIKE 'qbitopt.runs/%' FROM attempt"), 1);
  }
  EXPECT_EQ(read_bytes(Database(folder_ / "other_name.db").artifact(job_.key, "model")), "weights");
}

TEST_F(DatabaseTest, AChangedSweepOrphansJobsAndKeepsThem) {
  Database database(file_);
  const Job other = make_job({{"method", "fp32"}});
  database.record_sweep(make_plan({job_, other}));
  Plan changed = make_plan({other});
  changed.text += "# changed\n";
  database.record_sweep(changed);
  database.record_sweep(changed);
  EXPECT_EQ(scalar(database, "SELECT count(*) FROM sweep_revision"), 2);
  EXPECT_EQ(scalar(database, "SELECT jobs FROM progress"), 1);
  EXPECT_EQ(scalar(database, "SELECT count(*) FROM runs"), 2);
}

TEST_F(DatabaseTest, AFinishedSweepThatIsRecordedAgainIsNotWrittenAgain) {
  Database database(file_);
  const Job other = make_job({{"method", "fp32"}, {"seed", 3}});
  const auto jobs = [&] {
    return database.reader().query("SELECT key, position FROM sweep_runs ORDER BY position").rows;
  };
  database.record_sweep(make_plan({job_, other}));
  for (const Job& job : {job_, other}) store_run(database, job, {});
  const auto before = jobs();
  const auto changes = [&] {
    return database.reader().query("SELECT total_changes()").rows[0][0].get<int64_t>();
  };
  const int64_t first = changes();
  database.record_sweep(make_plan({job_, other}));
  EXPECT_LE(changes() - first, 1) << "the sweep's own row";
  EXPECT_EQ(jobs(), before);
  database.record_sweep(make_plan({other}));
  EXPECT_EQ(jobs(), (std::vector<std::vector<Json>>{{other.key, 0}}));
  database.record_sweep(make_plan({job_, other}));
  EXPECT_EQ(jobs(), before) << "an orphan comes back";
}

TEST_F(DatabaseTest, ParametersOfASecondSweepAreColumnsBesideThoseOfTheFirst) {
  const Job first = make_job({{"method", "fp32"}, {"a.first", 1}});
  const Job second = make_job({{"method", "fp32"}, {"a.second", 2}});
  {
    Database database(file_);
    database.record_sweep(make_plan({first}, "first"));
  }
  Database database(file_);
  database.record_sweep(make_plan({second}, "second"));
  EXPECT_EQ(database.reader().query("SELECT a_first, a_second FROM runs ORDER BY a_first").rows,
            (std::vector<std::vector<Json>>{{nullptr, 2}, {1, nullptr}}));
}

TEST_F(DatabaseTest, EveryParameterAndResultIsAColumn) {
  Database database(file_);
  database.record_sweep(
      make_plan({make_job({{"method", "qbitopt"}, {"fit.decay", 0.94}, {"candidates", {2, 4}}})}));
  EXPECT_EQ(scalar(database, "SELECT fit_decay FROM runs"), 0.94);
  EXPECT_EQ(scalar(database, "SELECT candidates FROM runs"), "[2,4]");
  EXPECT_EQ(
      scalar(
          database,
          "SELECT meaning FROM schema_doc WHERE relation = 'runs' AND column_name = 'candidates'"),
      "parameter `candidates`");
}

TEST_F(DatabaseTest, AnotherProgramsDatabaseIsRefusedUntouched) {
  const auto file = folder_ / "other.db";
  ASSERT_EQ(
      std::system(
          ("sqlite3 " + file.string() + " 'CREATE TABLE t(x); PRAGMA application_id=1;'").c_str()),
      0);
  const std::string before = read_bytes(file);
  EXPECT_EQ(refusal(file),
            file.string() +
                ": a database of another program (application id 0x00000001, "
                "expected 0x51424f50); the file was not changed; name another file with --db");
  EXPECT_EQ(read_bytes(file), before);
}

TEST_F(DatabaseTest, AFileThatIsNoDatabaseIsRefusedUntouched) {
  const auto file = folder_ / "notes.txt";
  std::ofstream(file) << "my notes";
  EXPECT_EQ(refusal(file),
            file.string() +
                ": not a SQLite database; the file was not changed; name another file with --db");
  EXPECT_EQ(read_bytes(file), "my notes");
}

TEST_F(DatabaseTest, ANewerVersionIsRefusedUntouched) {
  { Database database(file_); }
  ASSERT_EQ(std::system(("sqlite3 " + file_.string() + " 'PRAGMA user_version=99;'").c_str()), 0);
  const std::string before = read_bytes(file_);
  EXPECT_EQ(refusal(file_),
            file_.string() + ": written by a newer qbitopt (schema 99, this one knows up to " +
                std::to_string(kSchemaVersion) +
                "); the file was not changed; update qbitopt, or name another file with --db");
  EXPECT_EQ(read_bytes(file_), before);
}

TEST_F(DatabaseTest, AFolderIsNoDatabase) {
  EXPECT_THAT(refusal(folder_.path()), HasSubstr("a folder, not a database"));
}

TEST_F(DatabaseTest, AFullDiskLosesNothingThatWasStored) {
  Database database(file_);
  database.record_sweep(make_plan({job_}));
  const Attempt attempt = make_attempt(job_, 1, folder_.path());
  database.begin(attempt);
  database.commit();
  // Files of this process may not grow, as on a full disk.
  struct RlimitGuard {
    RlimitGuard() {
      signal(SIGXFSZ, SIG_IGN);
      getrlimit(RLIMIT_FSIZE, &old);
      rlimit small = old;
      small.rlim_cur = 4096;
      setrlimit(RLIMIT_FSIZE, &small);
    }
    ~RlimitGuard() { setrlimit(RLIMIT_FSIZE, &old); }
    rlimit old{};
  };
  {
    const RlimitGuard full;
    EXPECT_THROW(
        {
          database.ingest(attempt, events_of({}));
          database.commit();
        },
        DatabaseError);
  }
  database.ingest(attempt, events_of({}));
  EXPECT_EQ(scalar(database, "SELECT state FROM runs"), "finished");
}

// The child ingests and commits one event after another, and says so in a pipe; it is killed in the
// middle.
TEST_F(DatabaseTest, KillingTheWriterLosesNothingThatWasCommitted) {
  { Database(file_).record_sweep(make_plan({job_})); }
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  const Attempt attempt = make_attempt(job_, 1, folder_.path());
  const pid_t child = fork();
  if (child == 0) {
    Database database(file_, {.commit_events = 1});
    database.begin(attempt);
    for (int64_t n = 1;; ++n) {
      database.ingest(attempt, {{n, 1.0, Metrics{n, "train", {{"loss", double(n)}}}}});
      if (write(pipe_ends[1], &n, sizeof n) < 0) _exit(1);
    }
  }
  int64_t committed = 0;
  while (committed < 200 && read(pipe_ends[0], &committed, sizeof committed) > 0) {
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(pipe_ends[1]);
  for (int64_t n = 0; read(pipe_ends[0], &n, sizeof n) > 0;) committed = n;
  close(pipe_ends[0]);

  Database database(file_);
  EXPECT_GE(scalar(database, "SELECT count(*) FROM curves").get<int64_t>(), committed);
  EXPECT_EQ(scalar(database, "SELECT max(step) = count(*) FROM curves"), 1);
  EXPECT_EQ(scalar(database, "SELECT last_event = (SELECT max(step) FROM curves) FROM attempt"), 1);
  EXPECT_EQ(database.records(make_plan({job_}))[0].state, JobState::kRunning);
}

TEST_F(DatabaseTest, ARunCountsThatFinishedWithinItsBudgetAndIsNoTrial) {
  Database database(folder_ / "counts.db");
  const Job fp32 = make_job({{"method", "fp32"}});
  const auto with = [](const char* name) { return make_job({{"method", name}, {"seed", 0}}); };
  Job good = with("good");
  good.needs = {{"fp32_checkpoint", fp32.key}};
  const Job missed = with("missed"), trial = with("trial"), waiting = with("waiting");
  Plan plan = make_plan({fp32, good, missed, trial, waiting});
  for (PlannedJob& planned : plan.jobs) {
    JobShape shape = *planned.shape;
    shape.guarantees_budget = false;
    if (planned.key == good.key) shape.artifacts = {{"fp32_checkpoint", "model"}};
    planned.shape = std::make_shared<JobShape>(shape);
    if (planned.key == trial.key) planned.trial = 1;
  }
  database.record_sweep(plan);
  store_run(database, fp32, {.bits = {}});
  store_run(database, good, {});
  store_run(database, missed, {.budget_met = false});
  store_run(database, trial, {});
  const Rows rows = database.reader().query(
      "SELECT method, counts, substr(checkpoint, 1, 10) FROM runs ORDER BY method");
  EXPECT_EQ(rows.rows, (std::vector<std::vector<Json>>{{"fp32", 1, nullptr},
                                                       {"good", 1, short_key(fp32.key)},
                                                       {"missed", 0, nullptr},
                                                       {"trial", 0, nullptr},
                                                       {"waiting", 0, nullptr}}));
  const Rows results = database.reader().query(
      "SELECT method, n_jobs, n_seeds, top1_mean, checkpoint FROM results WHERE method IN ('good', "
      "'trial') ORDER BY method");
  EXPECT_EQ(results.rows, (std::vector<std::vector<Json>>{{"good", 1, 1, 80.0, fp32.config_key},
                                                          {"trial", 1, 0, nullptr, nullptr}}));
}

}  // namespace
}  // namespace qbitopt
