#include "qbitopt/core/patterns.h"

#include <gtest/gtest.h>

namespace qbitopt {
namespace {

TEST(PatternsTest, AStarStandsForAnyTextAndAQuestionMarkForOneLetter) {
  const struct {
    const char *pattern, *name;
    bool fits;
  } cases[] = {{"head.weight", "head.weight", true},
               {"head.weight", "head.weights", false},
               {"head.weight", "ahead.weight", false},
               {"head.*", "head.weight", true},
               {"head.*", "head.", true},
               {"head.*", "head", false},
               {"*.weight", "layer1.0.conv1.weight", true},
               {"layer?.*.weight", "layer1.0.conv1.weight", true},
               {"layer?.*.weight", "layer10.conv1.weight", false},
               {"*", "", true},
               {"**", "x", true},
               {"", "", true},
               {"", "x", false},
               {"?", "", false},
               {"a*b*c", "a-b-b-c", true},
               {"a*b*c", "a-c-b", false}};
  for (const auto& [pattern, name, fits] : cases)
    EXPECT_EQ(matches(pattern, name), fits) << pattern << " and " << name;
  EXPECT_TRUE(matches_any({"a", "b*"}, "bc"));
  EXPECT_FALSE(matches_any({}, "bc"));
}

TEST(PatternsTest, APatternThatFitsNothingIsShownWithTheNearestNames) {
  const std::vector<std::string> names = {"stem.input", "stem.weight", "head.input", "head.weight"};
  EXPECT_EQ(unmatched_pattern("quantizer", {"stem.*", "*.weight"}, names), "");
  EXPECT_EQ(unmatched_pattern("quantizer", {"stem.*", "haed.*"}, names),
            "'haed.*' fits no quantizer; near: head.input, head.weight, stem.input, stem.weight");
  EXPECT_EQ(unmatched_pattern("quantizer", {"x"}, {}), "'x' fits no quantizer");
}

}  // namespace
}  // namespace qbitopt
