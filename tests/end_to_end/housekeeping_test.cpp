// Verbs that look after jobs and their files: cancel, logs, note, merge, rm, gc, diff.
#include <gmock/gmock.h>

#include <csignal>
#include <fstream>
#include <sstream>

#include "end_to_end/sandbox.h"
#include "end_to_end/sweeps.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class HousekeepingTest : public testing::Sandbox {
 protected:
  HousekeepingTest() { write("small.yaml", testing::kSmallSweep); }

  // The short key of a job, by what `jobs()` calls it.
  std::string key_of(const std::string& method, const std::string& bits, int seed) {
    for (const Json& job : json_of("ls")) {
      if (job["method"] == method && job["bits"].dump() == bits && job["seed"] == seed)
        return job["job"];
    }
    ADD_FAILURE() << "no such job";
    return "";
  }
  std::string state_of(const std::string& key) {
    return json_of("show " + key)["run"]["state"].get<std::string>();
  }
  Json rows(const std::string& sql, const std::string& database = "results/qbitopt.db") {
    return json_of("sql \"" + sql + "\" --db " + database);
  }
  size_t files_below(const fs::path& folder) {
    size_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / folder))
      files += entry.is_regular_file();
    return files;
  }
};

TEST_F(HousekeepingTest, CancelIsObeyedByTheRunningDriverAndRetryGoesOnFromTheCheckpoint) {
  set_rules({{{"where", {{"budget.average_bits", 2}, {"seed", 1}}},
              {"attempt", 1},
              {"step_seconds", 100}}});
  auto driver = start_qbitopt("run small.yaml --jobs 1");
  wait_until([&] { return count("running") == 1 && count("finished") == 2; });
  const std::string running = key_of("fixed_precision", "2", 1);
  const std::string waiting = key_of("fixed_precision", "4", 2);
  const testing::Result cancelled = qbitopt("cancel " + running + " " + waiting);
  EXPECT_EQ(cancelled.exit_code, 0) << cancelled.err;
  wait_until([&] { return driver->try_reap().has_value(); });
  EXPECT_EQ(WEXITSTATUS(*driver->try_reap()), 3);
  EXPECT_EQ(count("finished"), 8u);
  EXPECT_EQ(count("failed"), 2u);
  EXPECT_THAT(read("background.err"), AllOf(HasSubstr("cancelled " + running),
                                            HasSubstr("2 cancelled"), Not(HasSubstr("error:"))));
  EXPECT_THAT(qbitopt("run small.yaml").err, HasSubstr("0 finished, 8 cached, 2 failed before"));
  const testing::Result again = qbitopt("retry --failed");
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_THAT(again.err, HasSubstr("from its checkpoint"));
  EXPECT_EQ(count("finished"), 10u);
}

TEST_F(HousekeepingTest, ARequestThatComesWhileTheDriverStillPlansIsObeyed) {
  qbitopt("run small.yaml --case fp32");
  const std::string key = key_of("fixed_precision", "3", 1);
  const Json full = rows("SELECT key FROM runs WHERE job = '" + key + "'");
  fs::create_directories(folder_ / "results/qbitopt.runs/cancel");
  write("results/qbitopt.runs/cancel/1.json", Json::array({full[0]["key"]}).dump());
  EXPECT_THAT(qbitopt("run small.yaml").err, HasSubstr("1 cancelled"));
  EXPECT_EQ(state_of(key), "failed");
  EXPECT_EQ(count("finished"), 9u);
}

TEST_F(HousekeepingTest, CancelWithoutADriverMarksTheJobsAndTouchesNothingElse) {
  set_rules({{{"do", "fail"}}});
  qbitopt("run small.yaml");
  EXPECT_EQ(count("failed"), 1u);
  EXPECT_THAT(qbitopt("cancel small").err, HasSubstr("9 cancelled"));
  EXPECT_EQ(count("failed"), 10u);
  EXPECT_THAT(qbitopt("cancel small").err, HasSubstr("ended already: 10"));
  EXPECT_EQ(qbitopt("cancel nobody").exit_code, 2);
  EXPECT_EQ(qbitopt("cancel").exit_code, 2);
}

TEST_F(HousekeepingTest, LogsPrintsTheLogAndFollowsARunningJobToItsEnd) {
  set_rules({{{"where", {{"budget.average_bits", 3}, {"seed", 1}}}, {"step_seconds", 0.3}}});
  auto driver = start_qbitopt("run small.yaml --jobs 1");
  wait_until([&] { return count("running") == 1 && count("finished") == 5; });
  const std::string key = key_of("fixed_precision", "3", 1);
  const testing::Result followed = qbitopt("logs -f " + key);
  EXPECT_EQ(followed.exit_code, 0);
  EXPECT_EQ(followed.out, "fake worker, attempt 1\n");
  EXPECT_EQ(state_of(key), "finished");
  wait_until([&] { return driver->try_reap().has_value(); });
  const fs::path log = folder_ / "results/qbitopt.runs" / key / "1/log.txt";
  std::ofstream(log) << "first\nsecond\nthird";
  EXPECT_EQ(qbitopt("logs " + key).out, "first\nsecond\nthird");
  EXPECT_EQ(qbitopt("logs -n 2 " + key).out, "second\nthird");
  EXPECT_EQ(qbitopt("logs -n 9 " + key).out, "first\nsecond\nthird");
  EXPECT_THAT(qbitopt("logs " + key + " --attempt 2").err,
              HasSubstr("has no attempt 2; it has one"));
  fs::remove(log);
  const testing::Result gone = qbitopt("logs " + key);
  EXPECT_EQ(gone.exit_code, 2);
  EXPECT_THAT(gone.err, HasSubstr("log.txt: no such file"));
}

TEST_F(HousekeepingTest, NotesAndTagsAreSeenWhereJobsAndSweepsAreListed) {
  qbitopt("run small.yaml");
  const std::string key = key_of("fixed_precision", "3", 1);
  EXPECT_EQ(qbitopt("note " + key + " 'looks odd' --tag odd --tag to-check").exit_code, 0);
  EXPECT_EQ(qbitopt("note small --tag paper").exit_code, 0);
  EXPECT_EQ(qbitopt("note " + key).out, "looks odd\ntags: odd to-check\n");
  EXPECT_EQ(rows("SELECT note, tags FROM runs WHERE job = '" + key + "'"),
            Json::parse(R"([{"note": "looks odd", "tags": "odd paper to-check"}])"));
  EXPECT_THAT(qbitopt("ls").out, HasSubstr("odd paper to-check"));
  EXPECT_THAT(qbitopt("ls --sweeps").out, HasSubstr("paper"));
  EXPECT_EQ(qbitopt("note " + key + " '' --untag odd").exit_code, 0);
  EXPECT_EQ(qbitopt("note " + key).out, "tags: to-check\n");
  EXPECT_THAT(qbitopt("note " + key + " --untag to-chek").err, HasSubstr("did you mean"));
  EXPECT_THAT(qbitopt("note " + key + " --tag 'a b'").err, HasSubstr("'a b' is not a tag"));
}

TEST_F(HousekeepingTest, ANoteIsWrittenWhileASweepRuns) {
  set_rules({{{"where", {{"budget.average_bits", 2}, {"seed", 0}}}, {"step_seconds", 0.2}}});
  auto driver = start_qbitopt("run small.yaml --jobs 1");
  wait_until([&] { return count("running") == 1 && count("finished") == 1; });
  const testing::Result noted = qbitopt("note small 'first try'");
  EXPECT_EQ(noted.exit_code, 0) << noted.err;
  wait_until([&] { return driver->try_reap().has_value(); });
  EXPECT_EQ(driver->try_reap(), 0) << read("background.err");
  EXPECT_EQ(qbitopt("note small").out, "first try\n");
}

TEST_F(HousekeepingTest, DiffShowsWhatTwoJobsDoNotShare) {
  qbitopt("run small.yaml");
  const std::string a = key_of("fixed_precision", "3", 1), b = key_of("fixed_precision", "4", 1);
  const testing::Result diff = qbitopt("diff " + a + " " + b);
  EXPECT_THAT(diff.out, AllOf(HasSubstr("budget.average_bits"), HasSubstr("+1"), HasSubstr("top1"),
                              HasSubstr("versions: the same"), Not(HasSubstr("  model")),
                              Not(HasSubstr("_at "))));
  const Json json = json_of("diff " + a + " " + b);
  EXPECT_EQ(json["parameters"],
            Json::parse(R"([{"name": "budget.average_bits", "a": 3, "b": 4, "difference": 1.0}])"));
  EXPECT_THAT(qbitopt("diff " + a + " " + b + " --all").out, HasSubstr("  model"));
  EXPECT_EQ(qbitopt("diff " + a).exit_code, 2);
}

TEST_F(HousekeepingTest, RunSaysThatOptionsForGpusChangeNothingWithoutAJobForThem) {
  EXPECT_THAT(qbitopt("run small.yaml --limit 1 --gpus x").err, HasSubstr("change nothing"));
  EXPECT_THAT(qbitopt("run small.yaml").err, Not(HasSubstr("change nothing")));
}

TEST_F(HousekeepingTest, TheResultsOfTwoMachinesBecomeOne) {
  write("small.yaml", testing::small_sweep("2, 3"));
  qbitopt("run small.yaml");
  write("small.yaml", testing::small_sweep("3, 4"));
  qbitopt("run small.yaml --db there/results.db");
  qbitopt("note small theirs --tag far --db there/results.db");
  EXPECT_THAT(qbitopt("merge there/results.db --dry-run").err, HasSubstr("would add 3 new jobs"));
  EXPECT_EQ(count("finished"), 7u);
  const testing::Result merged = qbitopt("merge there/results.db");
  EXPECT_EQ(merged.exit_code, 0) << merged.err;
  EXPECT_THAT(merged.err, HasSubstr("added 3 new jobs, 3 results, 3 attempts, 0 new sweeps"));
  EXPECT_THAT(qbitopt("db check --artifacts").out, HasSubstr("no errors found"));

  write("small.yaml", testing::kSmallSweep);
  qbitopt("run small.yaml --db all.db");
  for (const char* view : {"runs", "results", "bits", "bits_history", "sensitivities", "curves",
                           "allocations", "pareto"}) {
    const std::string count = std::string("SELECT count(*) AS n FROM ") + view;
    EXPECT_EQ(rows(count), rows(count, "all.db")) << view;
  }
  const std::string top1 = "SELECT job, top1, weight_bits FROM runs ORDER BY job";
  EXPECT_EQ(rows(top1), rows(top1, "all.db"));
  EXPECT_EQ(qbitopt("note small").out, "theirs\ntags: far\n");
  EXPECT_THAT(qbitopt("run small.yaml").err, HasSubstr("0 finished, 10 cached"));
  EXPECT_THAT(qbitopt("merge there/results.db").err, HasSubstr("added 0 new jobs, 0 results"));
  EXPECT_THAT(qbitopt("merge results/qbitopt.db").err, HasSubstr("another driver is using"));
  EXPECT_EQ(qbitopt("merge nobody.db").exit_code, 2);
}

TEST_F(HousekeepingTest, AMergeFinishesTheJobsThatFailedHere) {
  set_rules({{{"where", {{"seed", 2}}}, {"do", "fail"}}});
  qbitopt("run small.yaml");
  set_rules(Json::array());
  EXPECT_EQ(count("failed"), 3u);
  qbitopt("run small.yaml --db there/results.db");
  EXPECT_THAT(qbitopt("merge there/results.db").err,
              HasSubstr("0 new jobs, 3 results, 3 attempts"));
  EXPECT_EQ(count("finished"), 10u);
  const std::string key = key_of("fixed_precision", "3", 2);
  EXPECT_EQ(json_of("show " + key)["attempts"].size(), 2u);
  EXPECT_TRUE(fs::exists(folder_ / "results/qbitopt.runs" / key / "2/events.jsonl"));
}

TEST_F(HousekeepingTest, RmShowsAndThenDeletesASweepButNotWhatOthersHave) {
  write("other.yaml", R"(qbitopt: 1
name: other
set: {model: resnet8, data.name: synthetic, pretraining.steps: 10, training.steps: 10}
cases:
  fixed: {set: {method: fixed_precision, budget.average_bits: 3, seed: 0}}
)");
  qbitopt("run small.yaml");
  qbitopt("run other.yaml");
  const std::string needed = key_of("fp32", "null", 0);
  EXPECT_THAT(qbitopt("rm " + needed).err, HasSubstr("is needed by job"));
  EXPECT_THAT(qbitopt("rm small").err, HasSubstr("would delete jobs: 8, with 8 attempts"));
  EXPECT_EQ(count("finished"), 10u);
  EXPECT_THAT(qbitopt("rm small --delete").err, HasSubstr("deleted jobs: 8"));
  EXPECT_EQ(count("finished"), 2u);
  EXPECT_EQ(rows("SELECT sweep FROM progress"), Json::parse(R"([{"sweep": "other"}])"));
  EXPECT_THAT(qbitopt("db check --artifacts").out, HasSubstr("no errors found"));
  size_t folders = 0;
  for (const auto& entry : fs::directory_iterator(folder_ / "results/qbitopt.runs"))
    folders += entry.is_directory();
  EXPECT_EQ(folders, 2u);
  EXPECT_THAT(qbitopt("run small.yaml").err, HasSubstr("8 finished, 2 cached"));
  EXPECT_THAT(qbitopt("rm --where 'seed = 2' --delete").err, HasSubstr("deleted jobs: 3"));
  EXPECT_EQ(count("finished"), 7u);
}

TEST_F(HousekeepingTest, GcDeletesWhatNoResultNeedsAndTheResultsStay) {
  set_rules({{{"where", {{"seed", 2}}}, {"do", "fail"}}});
  qbitopt("run small.yaml");
  set_rules(Json::array());
  qbitopt("retry --failed");
  fs::create_directories(folder_ / "results/qbitopt.runs/0123456789/1");
  write("results/qbitopt.runs/0123456789/1/job.json", "{}");
  const Json before = rows("SELECT job, top1 FROM runs ORDER BY job");
  const testing::Result shown = qbitopt("gc");
  EXPECT_THAT(shown.out,
              AllOf(HasSubstr("attempts that the database does not have"),
                    HasSubstr("attempts that are not the result of their finished job       3")));
  EXPECT_THAT(shown.err, HasSubstr("nothing was deleted"));
  const size_t files = files_below("results/qbitopt.runs");
  EXPECT_EQ(qbitopt("gc --older-than 1h").out, "nothing to delete\n");
  EXPECT_EQ(qbitopt("gc --delete").exit_code, 0);
  EXPECT_LT(files_below("results/qbitopt.runs"), files);
  EXPECT_EQ(qbitopt("gc").out, "nothing to delete\n");
  EXPECT_THAT(qbitopt("gc --networks --logs --delete").out, HasSubstr("networks of finished runs"));
  EXPECT_THAT(qbitopt("db check --artifacts").out, HasSubstr("no errors found"));
  EXPECT_EQ(rows("SELECT job, top1 FROM runs ORDER BY job"), before);
  // The network that others start from is still there.
  write("small.yaml", testing::small_sweep("5"));
  EXPECT_THAT(qbitopt("run small.yaml").err, HasSubstr("3 finished, 1 cached"));
}

// Seed 4 learns nothing. It is stopped by a later driver than that of its peers.
TEST_F(HousekeepingTest, AHopelessRunIsStoppedAndEntersNoTable) {
  write("small.yaml", R"(qbitopt: 1
name: small
set: {model: resnet8, data.name: synthetic, pretraining.steps: 10, training.steps: 10, training.validate_every: 1}
seeds: 6
cases:
  fp32: {set: {method: fp32, seed: 0}}
  fixed: {set: {method: fixed_precision, budget.average_bits: 3}}
stop: {metric: validation_loss, after: 0.3, rule: median}
)");
  set_rules({{{"where", {{"seed", 4}}}, {"validation_loss", 5}, {"step_seconds", 0.3}},
             {{"validation_loss", 0.4}}});
  ASSERT_EQ(qbitopt("run small.yaml --limit 5").exit_code, 0);
  const testing::Result result = qbitopt("run small.yaml -j 1");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("1 stopped early"));
  const std::string stopped = key_of("fixed_precision", "3", 4);
  EXPECT_THAT(result.err, HasSubstr("stopped early " + stopped));
  EXPECT_EQ(state_of(stopped), "stopped");
  EXPECT_THAT(qbitopt("table small").out, HasSubstr("seed 4 (stopped early)"));
  const Json means = rows(
      "SELECT n_jobs, n_seeds, n_failed, n_stopped FROM results WHERE method = "
      "'fixed_precision'");
  EXPECT_EQ(means[0], Json({{"n_jobs", 6}, {"n_seeds", 5}, {"n_failed", 0}, {"n_stopped", 1}}));
  EXPECT_EQ(rows("SELECT n_seeds FROM pareto WHERE method = 'fixed_precision'")[0]["n_seeds"], 5);
  EXPECT_EQ(rows("SELECT count(*) AS n FROM failures")[0]["n"], 0);
  EXPECT_EQ(rows("SELECT failed, stopped FROM progress")[0], Json({{"failed", 0}, {"stopped", 1}}));
  EXPECT_EQ(json_of("ls --state stopped").size(), 1u);
  EXPECT_THAT(qbitopt("plan small.yaml").out, HasSubstr("stopped"));

  EXPECT_THAT(qbitopt("run small.yaml").err, HasSubstr("7 jobs: 0 finished, 6 cached, 1 stopped"));
  EXPECT_THAT(qbitopt("retry --failed").err, HasSubstr("no failed jobs"));
  set_rules({{{"validation_loss", 5}}});
  EXPECT_EQ(qbitopt("retry " + stopped).exit_code, 0);
  EXPECT_EQ(state_of(stopped), "finished");
}

TEST_F(HousekeepingTest, WatchMarksARunThatHasBeenSilentForLong) {
  set_rules({{{"step_seconds", 30}}});
  const auto driver = start_qbitopt("run small.yaml");
  const auto spool = [&] {
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / "results/qbitopt.runs")) {
      if (entry.path().filename() == "events.jsonl") return entry.path();
    }
    return fs::path();
  };
  wait_until([&] { return qbitopt("watch --once").out.find(" fp32 ") != std::string::npos; });
  wait_until([&] { return !spool().empty() && fs::file_size(spool()) > 0; });
  EXPECT_THAT(qbitopt("watch --once").out, Not(HasSubstr("STALLED")));
  driver->signal(SIGKILL);
  wait_until([&] { return driver->try_reap().has_value(); });
  // As if the worker had reported its start long ago.
  const std::string file = spool().string().substr(folder_.string().size() + 1);
  std::istringstream lines(read(file));
  std::string old;
  for (std::string line; std::getline(lines, line);) {
    Json event = Json::parse(line);
    event["t"] = event["t"].get<double>() - 1000;
    old += event.dump() + "\n";
  }
  write(file, old);
  EXPECT_THAT(qbitopt("watch --once").out, HasSubstr("STALLED for 1"));
  EXPECT_EQ(json_of("watch --once")["running"][0]["is_stalled"], true);
}

TEST_F(HousekeepingTest, ASweepThatCouldStopNothingIsRefused) {
  write("small.yaml", testing::small_sweep("3") + "stop: {after: 0.5}\n");
  const testing::Result result = qbitopt("plan small.yaml");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("small.yaml:8:"),
                                HasSubstr("no run is validated before its end; set "
                                          "training.validate_every to a number of steps")));
}

TEST_F(HousekeepingTest, CommandsOfTheSweepAreToldOfFailuresAndOfTheEnd) {
  write("small.yaml",
        testing::small_sweep("3") +
            "run: {on_failure: \"cat >> told.jsonl; yes | head -c 200000\", on_finish: "
            "\"cat >> told.jsonl; echo no mail here >&2; exit 7\"}\n");
  set_rules({{{"where", {{"seed", 1}, {"method", "fixed_precision"}}},
              {"do", "fail"},
              {"class", "non_finite"},
              {"text", "loss is nan"}}});
  const testing::Result result = qbitopt("run small.yaml");
  EXPECT_EQ(result.exit_code, 3);
  std::istringstream told(read("told.jsonl"));
  std::vector<Json> events;
  for (std::string line; std::getline(told, line);) events.push_back(Json::parse(line));
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0]["event"], "job_failed");
  EXPECT_EQ(events[0]["error_class"], "non_finite");
  EXPECT_EQ(events[0]["error_text"], "loss is nan");
  EXPECT_EQ(events[0]["parameters"]["seed"], 1);
  EXPECT_TRUE(fs::exists(events[0]["log"].get<std::string>()));
  EXPECT_EQ(events[1]["event"], "sweep_ended");
  EXPECT_EQ(events[1]["finished"], 3);
  EXPECT_EQ(events[1]["failed"], 1);
  EXPECT_EQ(events[1]["exit_status"], 3);
  EXPECT_THAT(result.err, HasSubstr("exit status 7: no mail here"));
}

}  // namespace
}  // namespace qbitopt
