// What a person can type wrong: every verb answers with a line that says so, and nothing happened.
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>

#include "end_to_end/sandbox.h"
#include "end_to_end/sweeps.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kEsc = "\x1b";

class ArgumentsTest : public testing::Sandbox {
 protected:
  ArgumentsTest() {
    write("small.yaml", testing::kSmallSweep);
    write("t.csv", "quantizer,group,weight,bits,cost\nq,W,1,2,1\nq,W,1,4,0\n");
    fs::create_directory(folder_ / "folder");
  }
  void run_small() { ASSERT_EQ(qbitopt("run small.yaml -q").exit_code, 0); }

  // Ends with `status`, says `text`, and is nobody's internal trouble.
  void expect_refusal(const std::string& arguments, const std::string& text, int status = 2) {
    const testing::Result result = qbitopt(arguments);
    EXPECT_EQ(result.exit_code, status) << arguments << "\n" << result.err;
    EXPECT_THAT(result.err,
                AllOf(HasSubstr("error: "), HasSubstr(text), Not(HasSubstr("internal"))))
        << arguments;
  }
};

const std::vector<std::string> kVerbs = {
    "plan", "run",   "retry", "watch",  "ls",      "show",   "sql",           "table",   "export",
    "db",   "solve", "plot",  "report", "methods", "models", "sensitivities", "solvers", "doctor"};

TEST_F(ArgumentsTest, TimesAndCountsAreCheckedBeforeAnythingIsWritten) {
  const std::string time = "takes a time such as 90s, 30m or 12h, or a number of seconds";
  for (const char* word : {"nan", "-5", "inf", "1e300", "soon", "\"''\"", "1e400h", "0x10"}) {
    const std::string value = std::string(" '") + word + "'";
    expect_refusal("run small.yaml --timeout=" + value.substr(1), "--timeout " + time);
    expect_refusal("retry --failed --timeout=" + value.substr(1), "--timeout " + time);
    expect_refusal("watch --interval=" + value.substr(1), "--interval " + time);
    expect_refusal("report -o r.html --watch --interval=" + value.substr(1), "--interval " + time);
    expect_refusal("sql 'SELECT 1' --time-limit=" + value.substr(1), "--time-limit " + time);
    expect_refusal("solve t.csv --budget W=4 --time-limit=" + value.substr(1),
                   "--time-limit " + time);
  }
  expect_refusal("watch --interval 0", "--interval takes a time");
  for (const char* word : {"-1", "0", "1.5", "many", "5000000000", "nan"}) {
    expect_refusal(std::string("run small.yaml --fail-fast=") + word, "--fail-fast takes a number");
    expect_refusal(std::string("run small.yaml --jobs=") + word,
                   "--jobs takes 'auto' or a number of at least 1");
    expect_refusal(std::string("run small.yaml -j ") + word, "--jobs takes 'auto'");
  }
  for (const char* word : {"-1", "1.5", "nan", "99999999999999999999"})
    expect_refusal(std::string("solve t.csv --budget W=4 --seed=") + word, "--seed takes");
  EXPECT_FALSE(fs::exists(folder_ / "results"));
}

TEST_F(ArgumentsTest, OptionsTakeTheTimesThatFilesTake) {
  EXPECT_EQ(qbitopt("run small.yaml -q --timeout 1h --jobs 2").exit_code, 0);
  EXPECT_EQ(qbitopt("sql 'SELECT 1' --time-limit 0.5m").exit_code, 0);
  EXPECT_EQ(qbitopt("solve t.csv --budget W=4 --time-limit 10s").exit_code, 0);
  EXPECT_EQ(qbitopt("watch --once --interval 1m").exit_code, 0);
}

// Each verb with what is wrong for any verb, and the names of files that are none.
TEST_F(ArgumentsTest, NothingThatCanBeTypedIsInternal) {
  run_small();
  write("folder/in_it", "x");
  const std::string utf8 = "\"$(printf '\\377')\"";
  const std::string longest = "$(printf '%0100000d' 7)";
  const std::vector<std::string> wrong = {"--nonsense",
                                          "''",
                                          "' '",
                                          utf8,
                                          longest,
                                          "nothing-of-the-kind",
                                          "folder",
                                          "t.csv",
                                          "/dev/null",
                                          "--db ''",
                                          "--db",
                                          "--db folder",
                                          "--db folder/in_it/x",
                                          "--db t.csv",
                                          "--db missing.db",
                                          "--db " + utf8,
                                          "--db " + longest,
                                          "--db a.db --db b.db",
                                          "--json=yes",
                                          "--output ''",
                                          "-o folder/in_it/x",
                                          "-o " + longest,
                                          "--format ''",
                                          "--format bogus",
                                          "--sweep ''",
                                          "--sweep bogus",
                                          "--where ''",
                                          "--where ')'",
                                          "--state bogus",
                                          "--cell ''",
                                          "--cell a:b:c",
                                          "a b c d e f"};
  for (const std::string& verb : kVerbs) {
    for (const std::string& words : wrong) {
      const testing::Result result = qbitopt(verb + " " + words + " </dev/null");
      EXPECT_THAT(result.exit_code, AnyOf(0, 2, 3, 4)) << verb << " " << words.substr(0, 60);
      EXPECT_THAT(result.err, Not(HasSubstr("internal"))) << verb << " " << words.substr(0, 60);
      if (result.exit_code == 0 || result.exit_code == 3) continue;
      EXPECT_THAT(result.err + result.out, AnyOf(HasSubstr("error: "), HasSubstr("MISSING")))
          << verb << " " << words.substr(0, 60);
    }
  }
}

TEST_F(ArgumentsTest, EachMistakeIsNamed) {
  run_small();
  expect_refusal("ls --db ''", "--db takes the name of a file, not ''");
  expect_refusal("ls --state bogus", "unknown state 'bogus'");
  expect_refusal("ls --state finishd", "did you mean 'finished'?");
  expect_refusal("ls --sweeps --state new", "--sweeps lists all sweeps");
  expect_refusal("help nosuch", "unknown verb 'nosuch'");
  expect_refusal("help run plan", "help takes one verb");
  expect_refusal("sql ' '", "there is no statement in the query");
  expect_refusal("sql ''", "the query is empty");
  expect_refusal("sql '/* nothing */'", "there is no statement in the query");
  expect_refusal("ls -v", "unrecognised option '-v'");
  expect_refusal("ls --db \"$(printf 'a\\377b')\"", "'a\\xffb' is not UTF-8");
  expect_refusal("report -o folder", "folder is a folder; name a file in it");
  expect_refusal("table small -o folder", "folder is a folder; name a file in it");
  expect_refusal("table small -o small.yaml/x", "small.yaml");
  expect_refusal("table small --json --format csv", "choose one of --json and --format");
  expect_refusal("table small --check -o x.md", "--check writes no table");
  expect_refusal("export -o ''", "--output takes the name of a file");
  expect_refusal("plot curves -o ''", "--output takes the name of a file");
  expect_refusal("db migrate --db missing.db", "missing.db: no such database");
  expect_refusal("db check small", "db check takes no file");
  expect_refusal("db backup ''", "names no file");
  expect_refusal("show abc --cell small:fixed@3:top1", "show needs KEY or --cell, but not both");
  expect_refusal("ls --db /dev/null", "a device or a pipe, not a database", 4);
  expect_refusal("solve t.csv --budget W=4 --start ''", "--start takes the name of a file");
  EXPECT_FALSE(fs::exists(folder_ / "missing.db.lock"));
}

TEST_F(ArgumentsTest, ADatabaseMayBeNamedInAnyWay) {
  run_small();
  const std::string file = (folder_ / "results/qbitopt.db").string();
  fs::create_symlink("results/qbitopt.db", folder_ / "link.db");
  const std::vector<std::string> names = {"/" + file, "//" + file, "link.db",
                                          "./results/../results/qbitopt.db"};
  for (const std::string& name : names) {
    EXPECT_EQ(json_of("ls --db " + name).size(), 10u) << name;
    EXPECT_EQ(json_of("watch --once --db " + name)["driver"], false) << name;
  }
  EXPECT_EQ(qbitopt("run small.yaml -q --db /" + file).exit_code, 0);
}

TEST_F(ArgumentsTest, OutputLeavesDevicesPipesAndLinksWhatTheyAre) {
  run_small();
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  write("target", "precious");
  fs::create_symlink("target", folder_ / "link");
  for (const char* verb : {"table small", "report"}) {
    EXPECT_EQ(qbitopt(std::string(verb) + " -o /dev/null").exit_code, 0);
    EXPECT_TRUE(fs::is_character_file("/dev/null"));
    EXPECT_EQ(qbitopt(std::string(verb) + " -o pipe", "{ cat pipe >received & } &&").exit_code, 0);
    EXPECT_TRUE(fs::is_fifo(folder_ / "pipe"));
    wait_until([&] { return read("received").size() > 100; });
    write("target", "precious");
    EXPECT_EQ(qbitopt(std::string(verb) + " -o link").exit_code, 0);
    EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
    EXPECT_THAT(read("target"), Not(HasSubstr("precious")));
  }
  for (const char* standard_output : {"/dev/stdout", "-"}) {
    EXPECT_THAT(qbitopt(std::string("table small -q -o ") + standard_output).out,
                HasSubstr("| fixed"));
    EXPECT_THAT(qbitopt(std::string("report -o ") + standard_output).out, EndsWith("</html>\n"));
  }
  const testing::Result refused = qbitopt("export --format sqlite -o link");
  EXPECT_THAT(refused.err, HasSubstr("exists already"));
}

// Names of one word of another's: "b" and "b c".
TEST_F(ArgumentsTest, ASweepIsFoundByItsWholeName) {
  const auto sweep = [](const std::string& name, int steps) {
    return "qbitopt: 1\nname: " + name +
           "\nset: {method: fp32, model: resnet8, data.name: synthetic, pretraining.steps: " +
           std::to_string(steps) + "}\n";
  };
  write("one.yaml", sweep("b c", 1));
  write("two.yaml", sweep("b", 2));
  ASSERT_EQ(qbitopt("run one.yaml -q").exit_code, 0);
  ASSERT_EQ(qbitopt("run two.yaml -q").exit_code, 0);
  EXPECT_EQ(json_of("ls b").size(), 1u);
  EXPECT_EQ(json_of("ls 'b c'").size(), 1u);
  EXPECT_EQ(json_of("ls").size(), 2u);
  ASSERT_EQ(qbitopt("report --sweep b -o r.html").exit_code, 0);
  EXPECT_THAT(read("r.html"), HasSubstr(json_of("ls b")[0]["job"].get<std::string>()));
  EXPECT_THAT(read("r.html"), Not(HasSubstr(json_of("ls 'b c'")[0]["job"].get<std::string>())));
}

TEST_F(ArgumentsTest, NoControlCharacterOfANameIsPrinted) {
  run_small();
  const std::string query = "sql \"SELECT char(27) || '[31mred' AS \\\"a\\\", 1 AS b\"";
  EXPECT_THAT(qbitopt(query).out, AllOf(Not(HasSubstr(kEsc)), HasSubstr("\\x1b[31mred")));
  EXPECT_THAT(qbitopt(query + " --csv").out, HasSubstr("\x1b[31mred"));  // as it is
  EXPECT_THAT(qbitopt(query + " --markdown").out, Not(HasSubstr(kEsc)));
  const testing::Result result = qbitopt("ls \"$(printf 'a\\033[31mb\\007')\"");
  EXPECT_THAT(result.err, AllOf(Not(HasSubstr(kEsc)), HasSubstr("'a\\x1b[31mb\\x07'")));
}

TEST_F(ArgumentsTest, LargeAnswersArePrintedRowByRow) {
  run_small();
  const std::string query =
      "sql 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) "
      "SELECT i FROM n'";
  // 100 MB are enough for the program, not for 300,000 rows in memory.
  const testing::Result csv = qbitopt(query + " --csv", "ulimit -v 200000;");
  EXPECT_EQ(csv.exit_code, 0) << csv.err;
  EXPECT_EQ(std::count(csv.out.begin(), csv.out.end(), '\n'), 300001);
  EXPECT_EQ(Json::parse(qbitopt(query + " --json").out).size(), 300000u);
  expect_refusal(query, "more than 100000 rows");
}

TEST_F(ArgumentsTest, TheTimeLimitHoldsWithinOneCallOfAFunction) {
  run_small();
  const auto begun = std::chrono::steady_clock::now();
  expect_refusal(
      "sql --time-limit 0.2 \"SELECT instr(hex(zeroblob(40000000)), hex(zeroblob(20000000)) || "
      "'1')\"",
      "took longer than 0.2 s, within one call of a function", 4);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(20));
  expect_refusal("sql 'SELECT randomblob(1000000000)'", "a value of more than 100 MB");
}

// Who may read the results and not write them watches too.
TEST_F(ArgumentsTest, WatchingNeedsNoPermissionToWrite) {
  if (::getuid() != 0) GTEST_SKIP() << "only root can become someone else";
  run_small();
  write("results/qbitopt.db.lock", "{}");
  for (fs::path path = folder_; path != path.root_path(); path = path.parent_path())
    fs::permissions(path, fs::perms(0005), fs::perm_options::add);
  const std::string as_nobody = "cd '" + folder_.string() +
                                "' && setpriv --reuid=65534 --regid=65534 --clear-groups " +
                                QBITOPT_PROGRAM;
  EXPECT_EQ(std::system((as_nobody + " watch --once >seen 2>&1").c_str()), 0) << read("seen");
  EXPECT_THAT(read("seen"), HasSubstr("no driver is running"));
  EXPECT_EQ(std::system((as_nobody + " report --watch -o /dev/stdout >page 2>seen").c_str()), 0)
      << read("seen");
  EXPECT_THAT(read("page"), HasSubstr("</html>"));
}

// A look from outside must not make a start fail.
TEST_F(ArgumentsTest, NeitherWatchingNorTablesKeepADriverFromStarting) {
  run_small();
  const auto watcher = start_qbitopt("watch --json --interval 0.1");
  for (int i = 0; i < 5; ++i) {
    const auto table = start_qbitopt("table small -o t.md");
    const testing::Result result = qbitopt("run small.yaml -q");
    EXPECT_EQ(result.exit_code, 0) << result.err;
    wait_until([&] { return table->try_reap().has_value(); });
  }
  watcher->signal(SIGTERM);
  wait_until([&] { return watcher->try_reap().has_value(); });
}

}  // namespace
}  // namespace qbitopt
