#include "qbitopt/report/page/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "qbitopt/report/page/html.h"
#include "qbitopt/report/table.h"
#include "qbitopt/report/table_format.h"
#include "qbitopt/runlog/queries.h"
#include "report/example_database.h"
#include "runlog/fixture.h"

namespace qbitopt::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// What the page's script gets.
Json data_of(const std::string& page) {
  const std::string begin = "id=\"data\">";
  const size_t from = page.find(begin) + begin.size();
  return Json::parse(page.substr(from, page.find("</script>", from) - from));
}

// Without vl-convert, to be fast: figures have tests of their own.
class PageTest : public ::testing::Test {
 protected:
  PageTest() : database_(folder_ / "example.db") {
    store_example(database_, folder_.path());
    ::setenv("QBITOPT_PYTHON", "/nowhere/python3", 1);
  }
  ~PageTest() override { ::unsetenv("QBITOPT_PYTHON"); }

  std::string page(PageOptions options = {}) {
    options.tables = {default_definition(database_.reader(), options.sweep.value_or("example"))};
    return render_page(database_.reader(), options);
  }

  TemporaryFolder folder_;
  Database database_;
};

TEST_F(PageTest, SaysWhyThereAreNoFigures) {
  EXPECT_THAT(page(), HasSubstr("vl-convert, which draws the figures, was not installed"));
}

TEST_F(PageTest, ShowsEveryJobOfTheSweep) {
  const Json data = data_of(page({.sweep = "example"}));
  std::vector<std::string> keys;
  for (const Json& row : data["runs"]["rows"]) keys.push_back(row.front());
  EXPECT_THAT(keys,
              ::testing::UnorderedElementsAreArray(stored_keys(database_.reader(), "example")));
}

TEST_F(PageTest, ShowsTheTableThatTheTableVerbMakes) {
  const TableDefinition definition = default_definition(database_.reader(), "example");
  const std::string html = table_as_html(build_table(database_.reader(), definition));
  EXPECT_THAT(html, HasSubstr("data-row=\"qbitopt@2.5\""));
  EXPECT_THAT(page(), HasSubstr("<div id=\"comparison-1\">\n" + html));
  EXPECT_THAT(page(), HasSubstr("WHERE sweep.name = &#39;example&#39;"));
}

TEST_F(PageTest, SaysTheVerdictOfAClaimAboveItsTable) {
  const std::string html =
      render_page(database_.reader(), {.tables = {parse_table_definition("t.yaml", R"(
sweep: example
split_by: [budget.average_bits]
rows: {fixed: {where: {method: fixed_precision}}, ours: {where: {method: qbitopt}}}
claims: [{say: Ours is better than <fixed>, better: ours, than: fixed, at: [4, 3]}]
)")}});
  const size_t verdict = html.find(
      "<li class=\"holds\"><strong>Ours is better than &lt;fixed&gt;: holds.</strong> Mean");
  ASSERT_NE(verdict, std::string::npos);
  EXPECT_LT(verdict, html.find("<div id=\"comparison-1\">"));
  EXPECT_EQ(html.find("&lt;fixed&gt;: holds", verdict + 60), std::string::npos) << "said twice";
}

TEST_F(PageTest, SaysWhichRunsAreInNoMean) {
  const auto count = [&](const std::string& condition) {
    return database_.reader()
        .query("SELECT count(*) FROM runs WHERE " + condition)
        .rows[0][0]
        .get<int>();
  };
  const int missed = count("state = 'finished' AND budget_met = 0");
  ASSERT_GT(missed, 1);
  ASSERT_EQ(count("state = 'failed'"), 1);
  EXPECT_THAT(page(), HasSubstr("<strong>Not in these means:</strong> " + std::to_string(missed) +
                                " finished runs above the budget, 1 failed job, 1 running job, 1 "
                                "new job.</p>"));
  const std::string some =
      render_page(database_.reader(),
                  {.tables = {parse_table_definition(
                       "t.yaml", "sweep: example\nrows: {ours: {where: {method: qbitopt}}}\n")}});
  EXPECT_THAT(some, HasSubstr(std::to_string(count("method = 'fixed_precision' AND counts")) +
                              " runs of fixed_precision that belong to no row"));
}

TEST_F(PageTest, SaysThatStoppedRunsAreInNoMean) {
  Attempt attempt;
  attempt.job.key =
      database_.reader().query("SELECT key FROM runs WHERE state = 'failed'").rows[0][0];
  attempt.number = 2;
  attempt.folder = folder_ / "stopped";
  database_.begin(attempt);
  database_.end(attempt, {.state = JobState::kStopped, .error_class = kStopped, .text = "worse"});
  database_.commit_if_due();
  EXPECT_THAT(page(), HasSubstr("above the budget, 1 stopped job, 1 running job, 1 new job.</p>"));
}

TEST_F(PageTest, ATableThatCannotBeMadeSaysWhyAndTheRestIsShown) {
  const std::string html = render_page(
      database_.reader(),
      {.tables = {parse_table_definition("t.yaml", "sweep: example\nrows: {a: {}}\n")}});
  EXPECT_THAT(html, HasSubstr("row &#39;a&#39; selects"));
  EXPECT_THAT(html, HasSubstr("id=\"all-runs\""));
}

TEST_F(PageTest, HasCurvesBitsConfigurationAndLogOfARun) {
  const Json data = data_of(page());
  const Rows run = database_.reader().query(
      "SELECT key, job FROM runs WHERE method = 'qbitopt' AND state = 'finished' LIMIT 1");
  const Json& detail = data["details"][run.at(0, "job")];
  const Json& loss = detail["curves"][0];
  EXPECT_EQ(loss[0], "loss");
  EXPECT_EQ(loss[1], "train");
  EXPECT_EQ(data["steps"][loss[2].get<size_t>()].size(), 40u);
  EXPECT_EQ(detail["history"].size(), 10u);
  const Rows bits = database_.reader().query(
      "SELECT group_concat(bits, '') AS digits FROM (SELECT bits FROM bits WHERE key = ?1 ORDER BY "
      "position)",
      {run.at(0, "key")});
  EXPECT_EQ(detail["bits"], bits.at(0, "digits"));
  EXPECT_EQ(data["common"]["training.steps"], 400);
  EXPECT_THAT(detail["log"].get<std::string>(), HasSubstr("step 400/400: loss"));
}

TEST_F(PageTest, CutsCurvesToAboutSixtyPointsAndKeepsTheirEnds) {
  Job job = make_job({{"method", "long"}});
  database_.record_sweep(make_plan({job}, "long"));
  const Attempt attempt = make_attempt(job, 1, folder_.path());
  database_.begin(attempt);
  std::vector<Event> events = {{1, 1.0, Started{.host = "here"}}};
  for (int step = 1; step <= 5000; ++step)
    events.push_back({step + 1, 1.0, Metrics{step, "train", {{"loss", 1.0 / step}}}});
  database_.ingest(attempt, events);
  database_.commit();
  const Json data = data_of(page({.sweep = "long"}));
  const Json& steps = data["steps"][0];
  EXPECT_LE(steps.size(), 61u);
  EXPECT_GE(steps.size(), 55u);
  EXPECT_EQ(steps.front(), 1);
  EXPECT_EQ(steps.back(), 5000);
}

// With its figures, where there is vl-convert.
TEST_F(PageTest, FiveHundredJobsFitIntoThreeMegabytes) {
  ::unsetenv("QBITOPT_PYTHON");
  Database database(folder_ / "many.db");
  store_example(database, folder_.path(), {.seeds = 31});
  EXPECT_GE(stored_keys(database.reader(), "example").size(), 495u);
  EXPECT_LT(render_page(database.reader(), {}).size(), 3'000'000u);
}

TEST_F(PageTest, LeavesStepsThatCurvesShowOutOfTheLog) {
  const Job job = make_job({{"method", "chatty"}});
  database_.record_sweep(make_plan({job}, "chatty"));
  const Attempt attempt = make_attempt(job, 1, folder_.path());
  database_.begin(attempt);
  std::filesystem::create_directories(attempt.folder);
  std::ofstream log(std::filesystem::path(attempt.folder) / "log.txt");
  log << "calibrated\n2026-11-26 07:36:06 step 1, train: loss 0.44\nfinished\n";
  log.close();
  database_.ingest(attempt, {{1, 1.0, Started{.host = "here"}}});
  database_.commit();
  const Json details = data_of(page({.sweep = "chatty"}))["details"];
  const std::string text = details.front()["log"];
  EXPECT_THAT(text, HasSubstr("calibrated\nfinished\n"));
}

TEST_F(PageTest, OfThousandsOfJobsShowsTheLogsOfThoseThatDidNotFinish) {
  std::vector<Job> jobs;
  for (int i = 0; i < 3100; ++i) jobs.push_back(make_job({{"method", "many"}, {"seed", i}}));
  database_.record_sweep(make_plan(jobs, "thousands"));
  for (const Job& job : {jobs[0], jobs[1]}) {
    const Attempt attempt = make_attempt(job, 1, folder_.path());
    database_.begin(attempt);
    std::filesystem::create_directories(attempt.folder);
    std::ofstream(std::filesystem::path(attempt.folder) / "log.txt") << "calibrated\n";
    if (job.key == jobs[0].key) database_.ingest(attempt, events_of(GoodRun{}));
    database_.end(attempt,
                  {.state = job.key == jobs[0].key ? JobState::kFinished : JobState::kFailed});
  }
  database_.commit();
  const Json details = data_of(page({.sweep = "thousands"}))["details"];
  const auto log_of = [&](const Job& job) { return details.at(job.key.substr(0, 10)).dump(); };
  EXPECT_THAT(log_of(jobs[0]), Not(HasSubstr("calibrated")));
  EXPECT_THAT(log_of(jobs[1]), HasSubstr("calibrated"));
}

TEST_F(PageTest, TellsParametersThatAllJobsShareFromTheirOwn) {
  database_.record_sweep(make_plan({make_job({{"method", "a"}, {"seed", 0}, {"tau", 20}}),
                                    make_job({{"method", "a"}, {"seed", 0}, {"gain", 1}}),
                                    make_job({{"method", "a"}, {"seed", 0}, {"tau", 40}})},
                                   "parameters"));
  const Json data = data_of(page({.sweep = "parameters"}));
  EXPECT_EQ(data["common"]["method"], "a");
  EXPECT_FALSE(data["common"].contains("tau"));
  std::set<Json> own;
  for (const Json& row : data["runs"]["rows"]) own.insert(row.back());
  EXPECT_EQ(own, (std::set<Json>{{{"tau", 20}}, {{"gain", 1}}, {{"tau", 40}}}));
}

TEST_F(PageTest, EscapesWhatComesFromConfigurationsAndLogs) {
  const std::string html = page();
  EXPECT_THAT(html, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(html, Not(HasSubstr("<img")));
  EXPECT_THAT(html, Not(HasSubstr("<b>nan</b>")));
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;"));
  EXPECT_THAT(data_of(html).dump(), HasSubstr("</script><img src=x onerror=alert(2)>"));
}

TEST_F(PageTest, AsksWhatTheSweepAsks) {
  EXPECT_THAT(page({.sweep = "example"}),
              HasSubstr("<p class=\"question\">What does choosing bits per tensor buy, and does"));
}

TEST_F(PageTest, SectionsAreLabeledByTheirHeadings) {
  EXPECT_THAT(page(), HasSubstr("<section id=\"runs\" aria-labelledby=\"runs-title\">\n"
                                "<h2 id=\"runs-title\">"));
}

TEST_F(PageTest, LoadsNothingFromElsewhere) {
  const std::string html = page();
  for (const char* mark : {"src=\"http", "href=\"http", "@import", "url(http", "src=\"//"})
    EXPECT_THAT(html, Not(HasSubstr(mark)));
  EXPECT_THAT(html, HasSubstr("Content-Security-Policy\" content=\"default-src 'none'"));
}

TEST_F(PageTest, RefreshesItselfOnlyWhileItIsRewritten) {
  EXPECT_EQ(data_of(page())["refresh_seconds"], 0);
  EXPECT_EQ(data_of(page({.refresh_seconds = 10}))["refresh_seconds"], 10);
}

TEST_F(PageTest, NamesWhatTellsConfigurationsOfAMethodApart) {
  std::vector<Job> jobs;
  for (const int tau : {20, 40}) jobs.push_back(make_job({{"method", "qbitopt"}, {"tau", tau}}));
  database_.record_sweep(make_plan(jobs, "taus"));
  EXPECT_THAT(page({.sweep = "taus"}), HasSubstr("tau=20"));
  EXPECT_THAT(page({.sweep = "taus"}), Not(HasSubstr("model=")));
}

TEST(HtmlTest, EscapesMarkupAndLeavesOutControlCharacters) {
  EXPECT_EQ(escaped("<a href='x'>&\"\x1b[1m\n"), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;[1m\n");
}

TEST(HtmlTest, JsonCannotEndItsScript) {
  EXPECT_EQ(json_for_page({{"a", "</script>"}}), "{\"a\":\"\\u003c/script>\"}");
  EXPECT_NO_THROW(json_for_page({{"a", "\xff"}}));
}

TEST(HtmlTest, HashesScriptsAsPoliciesDo) {
  // printf 'abc' | openssl dgst -sha256 -binary | base64
  EXPECT_EQ(script_hash("abc"), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
}

}  // namespace
}  // namespace qbitopt::testing
