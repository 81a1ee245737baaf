// `qbitopt solve` as a person runs it.
#include <gmock/gmock.h>

#include "end_to_end/sandbox.h"
#include "qbitopt/allocation/highs.h"

namespace qbitopt {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const char* const kCostTable =
    "quantizer,group,weight,bits,cost,layer,macs\n"
    "a,W,10,2,4,c1,100\n"
    "a,W,10,4,1,c1,100\n"
    "a,W,10,8,0,c1,100\n"
    "b,W,30,2,9,,\n"
    "b,W,30,4,3,,\n"
    "c,A,5,2,2,c1,\n"
    "c,A,5,8,1,c1,\n";

class SolveTest : public testing::Sandbox {
 protected:
  SolveTest() { write("t.csv", kCostTable); }
};

TEST_F(SolveTest, AnswersInJson) {
  const Json json = json_of("solve t.csv --budget W=3.5 --budget A=4");
  EXPECT_EQ(json["solver"], "exact");
  EXPECT_EQ(json["status"], "optimal");
  EXPECT_EQ(json["bits"], (Json{{"a", 2}, {"b", 4}, {"c", 2}}));
  EXPECT_EQ(json["objective"], 9);
  EXPECT_EQ(json["bound"], 9);
  EXPECT_EQ(json["gap"], 0);
  EXPECT_GT(json["microseconds"], 0);
  EXPECT_EQ(json["budgets"], (Json{{"W", {{"limit", 3.5}, {"achieved", 3.5}}},
                                   {"A", {{"limit", 4.0}, {"achieved", 2.0}}}}));
}

TEST_F(SolveTest, AnswersInATable) {
  const testing::Result result = qbitopt("solve t.csv --budget W=3.5 --budget A=4");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, IsEmpty());
  EXPECT_THAT(result.out, ContainsRegex("^exact: optimal, [0-9.e-]+ ms\n"));
  EXPECT_THAT(result.out, HasSubstr("cost 9, no allocation is below 9 (gap 0)\n\n"
                                    "budget  unit          limit  achieved\n"
                                    "W       average bits    3.5       3.5\n"
                                    "A       average bits      4         2\n\n"
                                    "quantizer  weight  bits  cost\n"
                                    "a              10     2     4\n"
                                    "b              30     4     3\n"
                                    "c               5     2     2\n"));
}

TEST_F(SolveTest, ReadsStandardInput) {
  const testing::Result result = qbitopt("solve - --budget all=8 --json < t.csv");
  EXPECT_EQ(Json::parse(result.out)["bits"], (Json{{"a", 8}, {"b", 4}, {"c", 8}}));
  EXPECT_THAT(qbitopt("solve - --budget all=8 < /dev/null").err,
              HasSubstr("<stdin>: empty; expected the header"));
}

TEST_F(SolveTest, BytesAreABudget) {
  const Json json = json_of("solve t.csv --bytes W=15 --solver relax_greedy");
  EXPECT_EQ(json["bits"]["a"], 4);
  EXPECT_EQ(json["bits"]["b"], 2);
  EXPECT_EQ(json["budgets"]["W"], (Json{{"limit", 15.0}, {"achieved", 12.5}}));
  EXPECT_EQ(json_of("solve t.csv --bytes W=18")["bits"]["b"], 4);
}

TEST_F(SolveTest, BitOperationsPairTheQuantizersOfALayer) {
  const Json json = json_of("solve t.csv --bops 1600");  // 8 * 2 or 2 * 8
  EXPECT_EQ(json["bits"], (Json{{"a", 8}, {"b", 4}, {"c", 2}}));
  EXPECT_EQ(json["budgets"]["bops"]["achieved"], 1600);
}

TEST_F(SolveTest, BudgetsInEachOtherGoToMilp) {
  if (!Highs::why_missing().empty()) GTEST_SKIP() << Highs::why_missing();
  const Json json = json_of("solve t.csv --budget W=4 --budget all=3");
  EXPECT_EQ(json["solver"], "milp");
  EXPECT_EQ(json["status"], "optimal");
  EXPECT_EQ(json["bits"], (Json{{"a", 4}, {"b", 2}, {"c", 2}}));
  EXPECT_DOUBLE_EQ(json["budgets"]["all"]["achieved"], 110 / 45.0);
}

TEST_F(SolveTest, AnInfeasibleBudgetEndsWithStatus3AndWhatCanBeReached) {
  const testing::Result text = qbitopt("solve t.csv --budget W=1.5 --budget A=3");
  EXPECT_EQ(text.exit_code, 3);
  EXPECT_THAT(text.out, HasSubstr("exact: infeasible"));
  EXPECT_THAT(text.out, HasSubstr("budget  unit          limit  smallest reachable\n"
                                  "W       average bits    1.5                   2\n"
                                  "A       average bits      3                   2\n"));
  EXPECT_THAT(text.err, HasSubstr("error: no allocation meets the budgets"));
  const testing::Result json = qbitopt("solve t.csv --budget W=1.5 --json");
  EXPECT_EQ(json.exit_code, 3);
  EXPECT_EQ(Json::parse(json.out)["status"], "infeasible");
  EXPECT_EQ(Json::parse(json.out)["budgets"]["W"]["achieved"], 2);
  EXPECT_EQ(Json::parse(json.out)["bits"], Json::object());
}

TEST_F(SolveTest, StartsFromAnEarlierAnswer) {
  write("start.json", qbitopt("solve t.csv --budget W=3.5 --json").out);
  // 3 bits lie above the line from 2 to 4, which relax_greedy goes along.
  write("bent.csv", "quantizer,group,weight,bits,cost\na,W,1,2,10\na,W,1,3,6\na,W,1,4,0\n");
  write("bent.json", R"({"bits": {"a": 3}})");
  const std::string bent = "solve bent.csv --budget W=3.5 --solver relax_greedy";
  EXPECT_EQ(json_of(bent)["objective"], 10);
  EXPECT_EQ(json_of(bent + " --start bent.json")["objective"], 6);
  // A control stays what it is.
  EXPECT_EQ(json_of("solve t.csv --budget W=3.5 --solver uniform --start start.json")["objective"],
            json_of("solve t.csv --budget W=3.5 --solver uniform")["objective"]);
  EXPECT_THAT(qbitopt("solve t.csv --budget W=2 --start start.json").err,
              HasSubstr("warning: start.json exceeds a budget, so it is not used as a start"));
  write("other.json", R"({"bits": {"a": 2}})");
  EXPECT_THAT(qbitopt("solve t.csv --budget W=4 --start other.json").err,
              HasSubstr("error: other.json: has no bits for quantizer 'b'"));
  write("list.json", "[]");
  EXPECT_THAT(
      qbitopt("solve t.csv --budget W=4 --start list.json").err,
      HasSubstr(
          "error: list.json: has no \"bits\"; expected the output of `qbitopt solve --json`"));
}

TEST_F(SolveTest, SaysWhenCostsWereMadeConvex) {
  write("bumpy.csv", "quantizer,group,weight,bits,cost\nq,W,1,2,1\nq,W,1,3,0.9\nq,W,1,4,0\n");
  const testing::Result result = qbitopt("solve bumpy.csv --budget W=3 --solver relax_greedy");
  EXPECT_THAT(result.err, HasSubstr("note: costs are not convex in the bits"));
}

TEST_F(SolveTest, TheTimeLimitAndTheSeedAreTheSolvers) {
  EXPECT_EQ(json_of("solve t.csv --budget W=3.5 --time-limit 0")["budgets"]["W"]["limit"], 3.5);
  EXPECT_EQ(json_of("solve t.csv --budget W=4 --solver random --seed 3")["bits"],
            json_of("solve t.csv --budget W=4 --solver random --seed 3")["bits"]);
}

TEST_F(SolveTest, WrongArgumentsEndWithStatus2) {
  const std::pair<std::string, std::string> cases[] = {
      {"solve", "error: solve needs a table: a CSV file, or - for stdin"},
      {"solve t.csv", "error: solve needs a budget: --budget GROUP=BITS"},
      {"solve nowhere.csv --budget W=4", "error: nowhere.csv: cannot be read"},
      {"solve . --budget W=4", "error: .: cannot be read"},
      {"solve t.csv --budget weights=4", "error: unknown group 'weights'; known groups: A, W, all"},
      {"solve t.csv --budget W=4 --solver gredy", "error: unknown solver 'gredy'"},
      {"solve t.csv --budget W=4 --time-limit -1",
       "error: --time-limit takes a time such as 90s, 30m or 12h, or a number of seconds, not "
       "'-1'"},
      {"solve t.csv --budget W=4 --budget all=3 --solver exact", "use milp"},
  };
  for (const auto& [arguments, message] : cases) {
    const testing::Result result = qbitopt(arguments);
    EXPECT_EQ(result.exit_code, 2) << arguments;
    EXPECT_THAT(result.out, IsEmpty());
    EXPECT_THAT(result.err, HasSubstr(message));
  }
  write("bad.csv", "quantizer,group,weight,bits,cost\nq,W,1,2,oops\n");
  EXPECT_THAT(qbitopt("solve bad.csv --budget W=3").err,
              HasSubstr("error: bad.csv:2:9: cost 'oops' is not a number"));
}

}  // namespace
}  // namespace qbitopt
