#include "qbitopt/config/value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "core/errors.h"

namespace qbitopt {
namespace {

ParameterSpec spec(const std::string& type) { return ParameterSpec{.name = "a", .type = type}; }

std::string value_error(const ParameterSpec& spec, const Json& value) {
  return input_error([&] { normalized(spec, value); });
}

TEST(NormalizedTest, EqualValuesBecomeTheSame) {
  EXPECT_EQ(normalized(spec("int"), 4.0).dump(), "4");
  EXPECT_EQ(normalized(spec("float"), 4).dump(), "4.0");
  EXPECT_EQ(normalized(spec("float"), -0.0).dump(), "0.0");
  EXPECT_EQ(normalized(spec("decimal"), 0.1 + 0.2).dump(), "0.3");
  EXPECT_EQ(normalized(spec("list of int"), Json({2.0, 4})).dump(), "[2,4]");
  EXPECT_EQ(normalized(spec("solver"), "exact"), Json("exact"));
}

TEST(NormalizedTest, SaysWhatItExpectedAndFound) {
  EXPECT_EQ(value_error(spec("int"), "many"), "expects an int, found 'many'");
  EXPECT_EQ(value_error(spec("int"), 2.5), "expects an int, found 2.5");
  EXPECT_EQ(value_error(spec("int"), uint64_t{1} << 63),
            "expects an int of at most 64 bits, found 9223372036854775808");
  EXPECT_EQ(value_error(spec("float"), true), "expects a float, found true");
  EXPECT_EQ(value_error(spec("float"), INFINITY), "expects a finite number, found infinity");
  EXPECT_EQ(value_error(spec("float"), -1e39),
            "expects a number that float32 can hold, found -1e+39");
  EXPECT_EQ(value_error(spec("bool"), "on"), "expects true or false, found 'on'");
  EXPECT_EQ(value_error(spec("string"), true), "expects a string, found true; put it in quotes");
  EXPECT_EQ(value_error(spec("list of int"), 2), "expects a list of int, found 2");
  EXPECT_EQ(value_error(spec("list of int"), Json({2, "x"})), "expects an int, found 'x'");
}

TEST(NormalizedTest, KeepsToRangesAndChoices) {
  ParameterSpec tau = spec("int");
  tau.minimum = 1;
  tau.maximum = 10;
  tau.unit = "steps";
  EXPECT_EQ(value_error(tau, 0), "must be at least 1 steps, found 0");
  EXPECT_EQ(value_error(tau, 11), "must be at most 10 steps, found 11");
  ParameterSpec schedule = spec("choice");
  schedule.choices = {"cosine", "constant"};
  EXPECT_EQ(value_error(schedule, "cosin"),
            "unknown choice 'cosin', did you mean 'cosine'?; known choices: constant, cosine");
}

TEST(RoundedTest, TwelveSignificantDigits) {
  EXPECT_EQ(rounded(0.1 + 0.2), 0.3);
  EXPECT_EQ(rounded(1e-17 + 1e-30), 1e-17);
  EXPECT_EQ(rounded(123456789012.7), 123456789013.0);
}

TEST(ValueTest, ATildeIsTheHomeFolderOfPathsOnly) {
  const std::string home = std::getenv("HOME") ? std::getenv("HOME") : "";
  ::setenv("HOME", "/home/me", 1);
  const ParameterSpec path{.name = "data.root", .type = "path"};
  EXPECT_EQ(normalized(path, "~/imagenet"), "/home/me/imagenet");
  EXPECT_EQ(normalized(path, "~"), "/home/me");
  EXPECT_EQ(normalized(path, "/a/~b"), "/a/~b");
  EXPECT_THAT(input_error([&] { normalized(path, "~you/imagenet"); }),
              ::testing::HasSubstr("'~' stands for your own home folder only"));
  EXPECT_EQ(normalized({.name = "text", .type = "string"}, "~/imagenet"), "~/imagenet");
  ::unsetenv("HOME");
  EXPECT_THAT(input_error([&] { normalized(path, "~/imagenet"); }),
              ::testing::HasSubstr("there is no home folder (HOME is not set)"));
  ::setenv("HOME", home.c_str(), 1);
}

}  // namespace
}  // namespace qbitopt
