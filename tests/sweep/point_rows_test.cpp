#include "qbitopt/sweep/point_rows.h"

#include <gmock/gmock.h>

#include "qbitopt/core/hash.h"
#include "sweep/sweep_fixture.h"

namespace qbitopt {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PointRowsTest : public SweepTest {
 protected:
  static constexpr const char* kText =
      "qbitopt: 1\nset: {method: qbitopt, model: tiny}\nrows: points.csv\n";

  Plan read_with(const std::string& csv, const std::string& more = "",
                 const std::vector<std::string>& overrides = {}) {
    folder_.write("sweeps/points.csv", csv);
    return read(kText + more, overrides);
  }
  std::string error_with(const std::string& csv, const std::string& more = "") {
    return without_folder(input_error([&] { read_with(csv, more); }));
  }
};

TEST_F(PointRowsTest, EachLineIsAPointWithYamlsScalars) {
  const Plan plan = read_with(
      "reallocation.tau,reallocation.min_gain,solver,quantizers.candidate_bits\n"
      "5,1e-4,exact,\"[2, 4]\"\n"
      "\n"
      "7,,milp,\r\n");
  EXPECT_THAT(values(plan, "reallocation.tau"), ElementsAre(5, 7));
  EXPECT_THAT(values(plan, "reallocation.min_gain"), ElementsAre(1e-4, 0.0));
  EXPECT_THAT(values(plan, "solver"), ElementsAre("exact", "milp"));
  EXPECT_THAT(values(plan, "quantizers.candidate_bits"),
              ElementsAre(Json({2, 4}), Json({2, 3, 4, 8})));
  EXPECT_EQ(plan.jobs.back().axes().size(), 4u);
}

TEST_F(PointRowsTest, APointIsTheJobOfTheSameSettings) {
  const Plan from_file = read_with("reallocation.tau,solver\n5,exact\n");
  const Plan written =
      read("qbitopt: 1\nset: {method: qbitopt, model: tiny, reallocation.tau: 5, solver: exact}\n");
  EXPECT_EQ(from_file.jobs.back().key, written.jobs.back().key);
}

TEST_F(PointRowsTest, IsOneAxisBesideTheOthers) {
  const Plan plan = read_with("reallocation.tau,solver\n5,exact\n7,milp\n",
                              "grid: {budget.average_bits: [3, 4]}\nseeds: 2\n");
  EXPECT_THAT(values(plan, "reallocation.tau"), ElementsAre(5, 5, 7, 7, 5, 5, 7, 7));
  EXPECT_THAT(values(read_with("reallocation.tau,solver\n5,exact\n7,milp\n", "", {"~rows"}),
                     "reallocation.tau"),
              ElementsAre(250));
  EXPECT_THAT(values(read_with("reallocation.tau,solver\n5,exact\n7,milp\n", "", {"solver=exact"}),
                     "solver"),
              Each(Json("exact")));
}

TEST_F(PointRowsTest, TheFileIsOnRecord) {
  const std::string csv = "reallocation.tau\n5\n";
  const Plan plan = read_with(csv);
  ASSERT_EQ(plan.included.size(), 1u);
  EXPECT_EQ(without_folder(plan.included[0].first), "sweeps/points.csv");
  EXPECT_EQ(plan.included[0].second, sha256(csv));
}

TEST_F(PointRowsTest, ErrorsNameFileLineAndColumn) {
  EXPECT_EQ(error_with("reallocation.tau,solvr\n5,exact\n"),
            "sweeps/points.csv:1:18: unknown key 'solvr', did you mean 'solver'?\n"
            "  reallocation.tau,solvr\n"
            "                   ^");
  EXPECT_EQ(error_with("reallocation.tau,solver\n5,exact\n6\n"),
            "sweeps/points.csv:3:1: expected a value for each of the 2 keys of the header, "
            "found 1\n"
            "  6\n"
            "  ^");
  EXPECT_THAT(error_with("reallocation.tau,solver\n5,exact\noften,milp\n"),
              HasSubstr("sweeps/points.csv:3:1: 'reallocation.tau' expects an int, found 'often'"));
  EXPECT_THAT(error_with("reallocation.tau,solver\n5,gredy\n"),
              HasSubstr("sweeps/points.csv:2:3: unknown solver 'gredy'"));
  EXPECT_THAT(error_with("reallocation.tau,reallocation.tau\n5,6\n"),
              HasSubstr("points.csv:1:18: key 'reallocation.tau' stands twice in the header"));
  EXPECT_THAT(error_with("reallocation.tau\n\"5\n"),
              HasSubstr("points.csv:2:1: this quote does not end on its line"));
  EXPECT_THAT(error_with(""), HasSubstr("points.csv:1:1: this file is empty"));
  EXPECT_THAT(error_with("reallocation.tau\n"),
              HasSubstr("points.csv:1:1: this file has a header, but no line with values"));
  EXPECT_THAT(error_with("reallocation.tau\n5\n", "grid: {reallocation.tau: [1]}\n"),
              HasSubstr("key 'reallocation.tau' is in `rows` and, in sweeps/sweep.yaml:4:8, in "
                        "`grid`"));
  EXPECT_THAT(error("qbitopt: 1\nset: {method: fp32, model: tiny}\nrows: none.csv\n"),
              HasSubstr("sweeps/sweep.yaml:3:7: cannot read sweeps/none.csv"));
}

}  // namespace
}  // namespace qbitopt
