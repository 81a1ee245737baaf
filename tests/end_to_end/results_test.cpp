// What comes out of a database: sql, table, show --cell, export, db.
#include <gmock/gmock.h>

#include "end_to_end/sandbox.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;

constexpr const char* kSweep = R"(qbitopt: 1
name: small
set: {model: resnet8, data.name: synthetic, pretraining.steps: 10, training.steps: 10}
seeds: 3
cases:
  continued: {set: {method: fp32_continued}}
  fixed: {set: {method: fixed_precision}, grid: {budget.average_bits: [3, 2]}}
  static: {set: {method: static_allocation}, grid: {budget.average_bits: [3]}}
tables: [results/small.yaml]
)";

constexpr const char* kTable = R"(title: A small comparison
split_by: [budget.average_bits]
rows:
  continued: {label: full precision, where: {method: fp32_continued}}
  fixed:     {label: fixed precision, where: {method: fixed_precision}}
  static:    {label: static allocation, where: {method: static_allocation}}
claims: [{say: Static is better, better: static, than: fixed}]
expect: {"fixed@3:n": {value: 3, tolerance: 0}}
)";

class ResultsTest : public testing::Sandbox {
 protected:
  ResultsTest() {
    fs::create_directories(folder_ / "results" / "queries");
    write("small.yaml", kSweep);
    write("results/small.yaml", kTable);
    write("results/queries/by-method.sql",
          "-- How many runs has each method?\n-- :state  only these\n"
          "SELECT method, count(*) AS runs FROM runs WHERE state = COALESCE(:state, state)\n"
          "GROUP BY method ORDER BY method;\n");
  }
};

TEST_F(ResultsTest, ARunPrintsItsTableAndWritesItBesideTheDatabase) {
  const testing::Result result = qbitopt("run small.yaml");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("## A small comparison"),
                                HasSubstr("| fixed precision |"), HasSubstr("- Static is better: "),
                                HasSubstr("All rows start from one full-precision checkpoint")));
  EXPECT_EQ(read("results/small.md"), result.out);
  EXPECT_THAT(result.err, HasSubstr("wrote results/small.md"));
  EXPECT_EQ(qbitopt("run small.yaml -q").out, result.out);
  EXPECT_EQ(qbitopt("run small.yaml -q seeds=1 --db trial/runs.db").exit_code, 0);
  EXPECT_TRUE(fs::exists(folder_ / "trial/small.md"));
  EXPECT_EQ(read("results/small.md"), result.out);
  const Json made = json_of(
      "sql 'SELECT name, format, json_array_length(jobs) AS jobs FROM "
      "rendered_table'");
  EXPECT_EQ(made, Json::parse(R"([{"name": "small", "format": "markdown", "jobs": 13}])"));
}

TEST_F(ResultsTest, SweepsShareADefinitionThatNamesNone) {
  std::string other = kSweep;
  other.replace(other.find("name: small"), 11, "name: other");
  write("other.yaml", other);
  const testing::Result result = qbitopt("run other.yaml");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(read("results/small.other.md"), result.out);
  EXPECT_THAT(result.err, HasSubstr("`qbitopt table small --sweep other` prints other formats"));
  EXPECT_EQ(qbitopt("table small --sweep other").out, result.out);
  EXPECT_EQ(qbitopt("table other").out, result.out);
  EXPECT_THAT(qbitopt("table small").err, HasSubstr("unknown sweep 'small'"));
  EXPECT_THAT(qbitopt("show --cell small:fixed@3:n --sweep other").out, HasSubstr("from 3 runs"));
  EXPECT_EQ(qbitopt("report --output r.html").exit_code, 0);
  EXPECT_THAT(read("r.html"), HasSubstr("<caption>A small comparison</caption>"));
}

TEST_F(ResultsTest, AWrongDefinitionStopsARunBeforeItBegins) {
  write("results/small.yaml", "rowz: {}\n");
  const testing::Result result = qbitopt("run small.yaml");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("results/small.yaml:1:1: unknown key 'rowz'"));
  EXPECT_FALSE(fs::exists(folder_ / "results/qbitopt.db"));
}

TEST_F(ResultsTest, AFailedSeedIsAFootnoteOfTheTable) {
  set_rules({{{"where", {{"method", "fixed_precision"}, {"seed", 1}}}, {"do", "fail"}}});
  const testing::Result result = qbitopt("run small.yaml");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.out, HasSubstr("Mean without 1 of 3 seeds: seed 1 (failed: internal)."));
}

TEST_F(ResultsTest, TablesComeInEveryFormat) {
  ASSERT_EQ(qbitopt("run small.yaml -q").exit_code, 0);
  EXPECT_THAT(qbitopt("table small").out, HasSubstr("| static allocation |"));
  EXPECT_THAT(qbitopt("table small --format latex").out, HasSubstr("\\toprule"));
  EXPECT_THAT(qbitopt("table small --format csv").out, HasSubstr("\nfixed@3,,3,fixed precision,"));
  EXPECT_THAT(qbitopt("table small --format html").out, HasSubstr("<table>"));
  EXPECT_EQ(json_of("table small")["table"], "small");
  EXPECT_THAT(qbitopt("table small -o out.tex").err, HasSubstr("wrote out.tex"));
  EXPECT_THAT(read("out.tex"), HasSubstr("\\begin{tabular}"));
  EXPECT_EQ(
      json_of("sql \"SELECT count(*) AS n FROM rendered_table WHERE format = 'latex'\"")[0]["n"],
      1);
  EXPECT_FALSE(fs::exists(folder_ / "results/qbitopt.db-wal"));
  const testing::Result unknown = qbitopt("table smal");
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("unknown table 'smal', did you mean 'small'?"));
}

TEST_F(ResultsTest, ASweepWithoutADefinitionHasATableToo) {
  fs::remove(folder_ / "results/small.yaml");
  write("small.yaml", std::string(kSweep).substr(0, std::string(kSweep).find("tables:")));
  ASSERT_EQ(qbitopt("run small.yaml -q").exit_code, 0);
  EXPECT_THAT(
      qbitopt("table small").out,
      AllOf(HasSubstr("| 3 | static |"), HasSubstr("| 2 | fixed |"), HasSubstr("| continued |")));
}

TEST_F(ResultsTest, CheckComparesWithExpectations) {
  ASSERT_EQ(qbitopt("run small.yaml -q").exit_code, 0);
  EXPECT_EQ(qbitopt("table small --check").exit_code, 0);
  write("results/small.yaml", std::string(kTable) + "# and now\n");
  std::string stricter = kTable;
  stricter.replace(stricter.find("value: 3"), 8, "value: 4");
  write("results/small.yaml", stricter);
  const testing::Result result = qbitopt("table small --check");
  EXPECT_EQ(result.exit_code, 6);
  EXPECT_THAT(result.err, HasSubstr("fixed@3:n: 3, expected 4 ± 0"));
}

TEST_F(ResultsTest, EveryCellCanBeTraced) {
  ASSERT_EQ(qbitopt("run small.yaml -q").exit_code, 0);
  const Json cell = json_of("show --cell small:static@3:vs_fixed");
  ASSERT_EQ(cell["runs"].size(), 3u);
  const std::string key = cell["runs"][0]["key"];
  EXPECT_THAT(qbitopt("show --cell small:static@3:top1").out, HasSubstr(key.substr(0, 10)));
  EXPECT_EQ(qbitopt("show --cell small:top1").exit_code, 2);
  EXPECT_THAT(qbitopt("show --cell small:statc@3:top1").err, HasSubstr("unknown row 'statc@3'"));
}

TEST_F(ResultsTest, SqlPrintsTablesCsvJsonAndMarkdown) {
  ASSERT_EQ(qbitopt("run small.yaml -q").exit_code, 0);
  const std::string query =
      "\"SELECT method, count(*) AS n FROM runs GROUP BY 1 ORDER BY 1 LIMIT 1\"";
  EXPECT_EQ(qbitopt("sql " + query).out, "method           n\nfixed_precision  6\n");
  EXPECT_EQ(qbitopt("sql --csv " + query).out, "method,n\nfixed_precision,6\n");
  EXPECT_EQ(qbitopt("sql --markdown " + query).out,
            "| method | n |\n| --- | ---: |\n| fixed_precision | 6 |\n");
  EXPECT_EQ(json_of("sql " + query), Json::parse(R"([{"method": "fixed_precision", "n": 6}])"));
  write("question.sql", "SELECT 1 AS one");
  EXPECT_EQ(qbitopt("sql --csv --file question.sql").out, "one\n1\n");
  EXPECT_THAT(qbitopt("sql --csv --json " + query).err,
              HasSubstr("choose one of --csv, --json and --markdown"));
}

TEST_F(ResultsTest, SqlKnowsQueriesByNameAndDescribesEveryColumn) {
  ASSERT_EQ(qbitopt("run small.yaml -q").exit_code, 0);
  EXPECT_THAT(qbitopt("sql").out, HasSubstr("by-method  How many runs has each method?"));
  EXPECT_THAT(qbitopt("sql by-method --csv").out, HasSubstr("fixed_precision,6\n"));
  const testing::Result empty = qbitopt("sql by-method state=failed --csv");
  EXPECT_EQ(empty.out, "method,runs\n");
  EXPECT_EQ(empty.err,
            "no rows for state=failed; the query is:\n"
            "How many runs has each method?\n:state  only these\n");
  EXPECT_THAT(qbitopt("sql by-metod").err, HasSubstr("did you mean 'by-method'?"));
  EXPECT_THAT(qbitopt("sql --describe").out, AllOf(HasSubstr("bits_history"), HasSubstr("curves")));
  EXPECT_THAT(qbitopt("sql --describe runs").out, HasSubstr("weight_bytes"));
  EXPECT_THAT(qbitopt("sql --describe rums").err, HasSubstr("did you mean 'runs'?"));
}

TEST_F(ResultsTest, SqlChangesNothingAndHasATimeLimit) {
  ASSERT_EQ(qbitopt("run small.yaml -q").exit_code, 0);
  const testing::Result refused = qbitopt("sql 'DELETE FROM job'");
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("nothing can be changed"));
  const testing::Result late = qbitopt(
      "sql --time-limit 0.1 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
      "SELECT max(i) FROM n'");
  EXPECT_EQ(late.exit_code, 4);
  EXPECT_THAT(
      late.err,
      HasSubstr("took longer than 0.1 s and was stopped; ask for less, or raise --time-limit"));
}

TEST_F(ResultsTest, PublishedNumbersAreTakenInAndBadOnesRefused) {
  const std::string header =
      "model,method,kind,weight_bits,act_bits,constraint,fp32_top1,top1,source_title,source_url,"
      "quoted_from\n";
  write("results/published.csv",
        header + "resnet8,LSQ,fixed,3,3,uniform,91,90,A paper,https://example.org,own\n");
  write("results/small.yaml",
        std::string(kTable) +
            "fp32_row: continued\npublished: [{row: fixed@3, where: {method: LSQ}}]\n");
  const testing::Result result = qbitopt("run small.yaml -q");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out,
              HasSubstr("| resnet8 | LSQ | 3 / 3 | uniform | 91.00 | 90.00 | −1.00 | fixed@3 |"));
  EXPECT_THAT(result.out, HasSubstr("| [A paper](https://example.org); own |"));
  write("results/published.csv", header + "resnet8,LSQ,fixed,3,3,,91,90,A paper,,own\n");
  for (const char* verb : {"run small.yaml", "db published"}) {
    const testing::Result refused = qbitopt(verb);
    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_THAT(refused.err, HasSubstr("results/published.csv:2: source_url is empty"));
  }
}

TEST_F(ResultsTest, ExportWritesEveryView) {
  ASSERT_EQ(qbitopt("run small.yaml -q").exit_code, 0);
  EXPECT_THAT(qbitopt("export -o out").out, HasSubstr("wrote out/runs.csv\n"));
  EXPECT_THAT(read("out/runs.csv"), MatchesRegex("key,job,(.|\n)*"));
  EXPECT_TRUE(fs::exists(folder_ / "out/bits_history.csv"));
  EXPECT_EQ(qbitopt("export results --format jsonl -o lines").out, "wrote lines/results.jsonl\n");
  const std::string lines = read("lines/results.jsonl");
  EXPECT_GE(Json::parse(lines.substr(0, lines.find('\n')))["n_jobs"], 1);
  EXPECT_EQ(qbitopt("export --format sqlite -o plain.db").exit_code, 0);
  EXPECT_TRUE(fs::exists(folder_ / "plain.db"));
  EXPECT_THAT(qbitopt("export -o plain.db").err,
              HasSubstr("plain.db is a file, but csv needs a folder"));
  EXPECT_THAT(qbitopt("export runz -o out").err, HasSubstr("did you mean 'runs'?"));
}

TEST_F(ResultsTest, AWatchedReportIsRewrittenUntilTheSweepEnds) {
  set_rules({{{"where", {{"method", "static_allocation"}, {"seed", 2}}}, {"step_seconds", 0.2}}});
  const auto driver = start_qbitopt("run small.yaml");
  wait_until([&] { return count("running") > 0; });
  const testing::Result watched = qbitopt("report --watch --interval 0.2 --output r.html");
  EXPECT_EQ(watched.exit_code, 0) << watched.err;
  EXPECT_EQ(watched.out, "r.html\n");
  EXPECT_THAT(read("r.html"), Not(HasSubstr("this page looks again")));
  EXPECT_EQ(count("finished"), 13u);
  for (const auto& [name, job] : jobs())
    EXPECT_THAT(read("r.html"), HasSubstr(job["job"].get<std::string>()));
  wait_until([&] { return driver->try_reap().has_value(); });
}

TEST_F(ResultsTest, APageOfARunningSweepRefreshesItself) {
  set_rules({{{"where", {{"method", "static_allocation"}, {"seed", 2}}}, {"step_seconds", 100}}});
  const auto driver = start_qbitopt("run small.yaml");
  wait_until([&] { return count("running") > 0; });
  const auto report = start_qbitopt("report --watch --interval 3 --output r.html");
  wait_until([&] { return fs::exists(folder_ / "r.html"); });
  EXPECT_THAT(read("r.html"),
              HasSubstr("The sweep is still running: this page reloads every 3 s."));
  report->signal(SIGTERM);
  driver->signal(SIGTERM);
  wait_until([&] { return report->try_reap().has_value(); });
  wait_until([&] { return driver->try_reap().has_value(); });
  EXPECT_THAT(read("r.html"), Not(HasSubstr("this page looks again")));
}

TEST_F(ResultsTest, SeveralFiguresGoIntoAFolder) {
  const testing::Result result = qbitopt("plot curves cost -o one.svg");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err,
              HasSubstr("'one.svg' is one file, but there are 2 figures; name a folder"));
}

TEST_F(ResultsTest, DbChecksMigratesAndCopies) {
  ASSERT_EQ(qbitopt("run small.yaml -q").exit_code, 0);
  EXPECT_EQ(qbitopt("db check").out, "results/qbitopt.db: no errors found\n");
  EXPECT_THAT(qbitopt("db migrate").out, HasSubstr("up to date"));
  EXPECT_EQ(qbitopt("db backup copy.db").exit_code, 0);
  EXPECT_EQ(qbitopt("db check --db copy.db").exit_code, 0);
  EXPECT_THAT(qbitopt("db backup copy.db").err, HasSubstr("exists already"));
  EXPECT_THAT(qbitopt("db chekc").err, HasSubstr("did you mean 'check'?"));
  std::string bytes = read("copy.db");
  std::fill(bytes.begin() + 4096 * 8, bytes.begin() + 4096 * 16, '\x7f');
  write("copy.db", bytes);
  EXPECT_EQ(qbitopt("db check --db copy.db").exit_code, 4);
}

}  // namespace
}  // namespace qbitopt
