#include "qbitopt/core/quantities.h"

#include <gtest/gtest.h>

#include <limits>

namespace qbitopt {
namespace {

TEST(QuantitiesTest, AWholeNumberMayBeWrittenAsAnyDecimal) {
  EXPECT_EQ(parse_whole("864"), 864);
  EXPECT_EQ(parse_whole("+3"), 3);
  EXPECT_EQ(parse_whole("-3"), -3);
  EXPECT_EQ(parse_whole("864.0"), 864);
  EXPECT_EQ(parse_whole("864."), 864);
  EXPECT_EQ(parse_whole("3e6"), 3'000'000);
  EXPECT_EQ(parse_whole("2.5e1"), 25);
  EXPECT_EQ(parse_whole("9223372036854775807"), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(parse_whole("9007199254740993.0"), 9007199254740993);  // no double in between
}

TEST(QuantitiesTest, WhatIsNotWholeIsNothing) {
  for (const char* text : {"",
                           " ",
                           "1.5",
                           "e",
                           "1e",
                           "1e-3",
                           "abc",
                           "3 ",
                           " 3",
                           "3_000",
                           "3,5",
                           "0x10",
                           "nan",
                           "inf",
                           "-inf",
                           "+-3",
                           ".",
                           "-.",
                           "1e19",
                           "3MB",
                           "9223372036854775808",
                           "99999999999999999999.0"}) {
    EXPECT_FALSE(parse_whole(text)) << text;
  }
}

TEST(QuantitiesTest, ACountHasBounds) {
  EXPECT_EQ(parse_count("4", 1), 4);
  EXPECT_EQ(parse_count("4.0", 1), 4);
  for (const char* text : {"0", "-1", "2147483648", "5000000000", "x"})
    EXPECT_FALSE(parse_count(text, 1)) << text;
}

TEST(QuantitiesTest, ATimeHasAUnitOrIsInSeconds) {
  EXPECT_EQ(parse_seconds("90"), 90);
  EXPECT_EQ(parse_seconds("90s"), 90);
  EXPECT_EQ(parse_seconds("1.5m"), 90);
  EXPECT_EQ(parse_seconds("12h"), 43200);
  EXPECT_EQ(parse_seconds("2d"), 172800);
  EXPECT_EQ(parse_seconds("1e3"), 1000);
  EXPECT_EQ(parse_seconds("0"), 0);
}

TEST(QuantitiesTest, NoTimeIsNegativeEndlessOrUndefined) {
  for (const char* text : {"", "h", "-5", "-0.1s", "nan", "nan s", "inf", "1e400", "1e300", "1e9h",
                           "soon", "1 h", "1w", "1h30m", "0x10", "--5"}) {
    EXPECT_FALSE(parse_seconds(text)) << text;
  }
}

}  // namespace
}  // namespace qbitopt
