#include "qbitopt/sweep/axis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/errors.h"
#include "core/temporary_folder.h"

namespace qbitopt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const ParameterSpec kFloat{.name = "rate", .type = "float"};

std::vector<Json> values(const std::string& text, const std::filesystem::path& folder = "") {
  std::vector<std::string> warnings;
  std::vector<Json> values;
  for (AxisValue& value : axis_values(kFloat, parse_yaml("a.yaml", text), folder, warnings)) {
    values.push_back(std::move(value.value));
  }
  EXPECT_THAT(warnings, IsEmpty());
  return values;
}

std::string axis_error(const std::string& text) {
  return input_error([&] { values(text); });
}

TEST(AxisTest, AScalarIsOneValue) { EXPECT_THAT(values("0.5"), ElementsAre(0.5)); }

TEST(AxisTest, ARangeIsInclusiveAndFreeOfRoundingErrors) {
  EXPECT_EQ(values("{from: 2.5, to: 6.0, step: 0.5}").size(), 8u);
  EXPECT_THAT(values("{from: 0.1, to: 0.5, step: 0.1}"), ElementsAre(0.1, 0.2, 0.3, 0.4, 0.5));
  EXPECT_THAT(values("{from: 1, to: 3}"), ElementsAre(1.0, 2.0, 3.0));
  EXPECT_THAT(values("{from: 3, to: 1, step: -1}"), ElementsAre(3.0, 2.0, 1.0));
  EXPECT_THAT(values("{from: 0, to: 1, step: 0.4}"), ElementsAre(0.0, 0.4, 0.8));
  EXPECT_THAT(values("{from: 2, to: 2}"), ElementsAre(2.0));
}

TEST(AxisTest, SpacesHaveTheirEnds) {
  EXPECT_THAT(values("{linspace: [0, 1], num: 5}"), ElementsAre(0.0, 0.25, 0.5, 0.75, 1.0));
  EXPECT_THAT(values("{logspace: [1e-4, 1e-1], num: 4}"), ElementsAre(1e-4, 1e-3, 1e-2, 1e-1));
  EXPECT_THAT(values("{powers_of: 2, from: 1, to: 10}"), ElementsAre(1.0, 2.0, 4.0, 8.0));
  EXPECT_THAT(values("{powers_of: 10, from: 1e-3, to: 1}"), ElementsAre(1e-3, 1e-2, 1e-1, 1.0));
}

TEST(AxisTest, AGlobListsTheFilesBesideTheSweep) {
  const TemporaryFolder folder;
  folder.write("masks/b.json", "");
  folder.write("masks/a.json", "");
  folder.write("masks/a.txt", "");
  const std::string masks = (folder.path() / "masks").string();
  EXPECT_THAT(values("{glob: ../masks/*.json}", folder.path() / "sweeps"),
              ElementsAre(masks + "/a.json", masks + "/b.json"));
  EXPECT_THAT(input_error([&] { values("{glob: '*.nothing'}", folder.path()); }),
              HasSubstr("no file matches " + folder.path().string() + "/*.nothing"));
}

TEST(AxisTest, AValueThatStandsTwiceIsRunOnceWithAWarning) {
  std::vector<std::string> warnings;
  const auto found = axis_values(kFloat, parse_yaml("a.yaml", "[4, 2, 4.0]"), "", warnings);
  EXPECT_EQ(found.size(), 2u);
  EXPECT_THAT(warnings, ElementsAre("a.yaml:1:8: 4 stands twice; it is run once"));
}

TEST(AxisTest, TheAxisOfAListIsAListOfLists) {
  const ParameterSpec bits{.name = "bits", .type = "list of int"};
  std::vector<std::string> warnings;
  EXPECT_EQ(axis_values(bits, parse_yaml("a.yaml", "[[2, 4], [8]]"), "", warnings).size(), 2u);
  EXPECT_THAT(input_error([&] { axis_values(bits, parse_yaml("a.yaml", "[2, 4]"), "", warnings); }),
              HasSubstr("the axis of a list of int is a list of lists; write [[2, 4]]"));
}

TEST(AxisTest, SaysWhatIsWrongWithAnAxis) {
  EXPECT_THAT(axis_error("[]"),
              HasSubstr("a.yaml:1:1: an empty list gives no jobs; add a value or remove the key"));
  EXPECT_THAT(axis_error("{from: 2, stp: 1, to: 3}"),
              HasSubstr("a.yaml:1:11: unknown key 'stp' in a range, did you mean 'step'?"));
  EXPECT_THAT(axis_error("{from: 2, step: 1}"),
              HasSubstr("'to' is missing; write {from: 2, to: 6, step: 0.5}"));
  EXPECT_THAT(axis_error("{from: 2, to: 3, step: 0}"),
              HasSubstr("the step of a range must not be 0"));
  EXPECT_THAT(axis_error("{from: 3, to: 2}"),
              HasSubstr("a range from 3 to 2 with step 1 is empty"));
  EXPECT_THAT(axis_error("{from: 0, to: 1, step: 1e-9}"),
              HasSubstr("this axis has more than a million values"));
  EXPECT_THAT(axis_error("{from: a, to: 1}"),
              HasSubstr("from must be a number, found the string 'a'"));
  EXPECT_THAT(axis_error("{linspace: [0, 1]}"), HasSubstr("'num' is missing"));
  EXPECT_THAT(axis_error("{linspace: [0, 1], num: 1}"),
              HasSubstr("num must be at least 2, found 1"));
  EXPECT_THAT(axis_error("{linspace: 3, num: 2}"), HasSubstr("linspace needs two ends"));
  EXPECT_THAT(axis_error("{logspace: [-4, -1], num: 4}"), HasSubstr("not exponents"));
  EXPECT_THAT(axis_error("{powers_of: 1, from: 1, to: 2}"), HasSubstr("must be above 1, found 1"));
  EXPECT_THAT(axis_error("{powers_of: 2, from: 5, to: 7}"),
              HasSubstr("no power of 2 lies between 5 and 7"));
}

TEST(DrawTest, StaysWithinItsEnds) {
  const auto draw = [](const std::string& text) { return *read_draw(parse_yaml("a.yaml", text)); };
  const ParameterSpec count{.name = "count", .type = "int"};
  EXPECT_EQ(draw("{min: 1, max: 3}").value(kFloat, 0.5), Json(2.0));
  EXPECT_EQ(draw("{min: 1, max: 3}").value(count, 0), Json(1));
  EXPECT_EQ(draw("{min: 1, max: 3}").value(count, 0.9999), Json(3));
  EXPECT_EQ(draw("{min: 1e-4, max: 1, distribution: log_uniform}").value(kFloat, 0.5), Json(1e-2));
  EXPECT_EQ(read_draw(parse_yaml("a.yaml", "[1, 2]")), std::nullopt);
  EXPECT_EQ(read_draw(parse_yaml("a.yaml", "{from: 1, to: 2}")), std::nullopt);
}

TEST(DrawTest, SaysWhatIsWrongWithADraw) {
  const auto error = [](const std::string& text) {
    return input_error([&] { read_draw(parse_yaml("a.yaml", text)); });
  };
  EXPECT_THAT(error("{min: 1}"), HasSubstr("'max' is missing"));
  EXPECT_THAT(error("{min: 3, max: 1}"), HasSubstr("min 3 is above max 1"));
  EXPECT_THAT(error("{min: 0, max: 1, distribution: log_uniform}"),
              HasSubstr("log_uniform needs min above 0"));
  EXPECT_THAT(error("{min: 0, max: 1, distribution: normal}"),
              HasSubstr("unknown distribution 'normal'; known: uniform, log_uniform"));
}

}  // namespace
}  // namespace qbitopt
