#include "qbitopt/sweep/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "sweep/errors.h"

namespace qbitopt {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// YAML 1.2, chapter 10.3.2 (core schema).
TEST(CoreSchemaTest, ScalarsMeanWhatYaml12Says) {
  EXPECT_EQ(core_schema_scalar("1e-4"), Json(1e-4));
  EXPECT_TRUE(core_schema_scalar("1e-4").is_number_float());
  EXPECT_TRUE(core_schema_scalar("4").is_number_integer());
  EXPECT_TRUE(core_schema_scalar("4.0").is_number_float());
  EXPECT_EQ(core_schema_scalar(".5"), Json(0.5));
  EXPECT_EQ(core_schema_scalar("+12"), Json(12));
  EXPECT_EQ(core_schema_scalar("0x1F"), Json(31));
  EXPECT_EQ(core_schema_scalar("0o17"), Json(15));
  EXPECT_EQ(core_schema_scalar("017"), Json(17));
  EXPECT_EQ(core_schema_scalar("-.inf"), Json(-INFINITY));
  EXPECT_EQ(core_schema_scalar("~"), Json());
  EXPECT_EQ(core_schema_scalar("True"), Json(true));
  for (const char* text :
       {"no", "on", "yes", "off", "y", "12h", "1_000", "1:30", "2024-01-01", "e5", "."}) {
    EXPECT_EQ(core_schema_scalar(text), Json(text)) << text;
  }
}

TEST(YamlTest, QuotedScalarsAreTexts) {
  const YamlNode node = parse_yaml("a.yaml", "{a: '1', b: \"true\", c: !!str 2}");
  EXPECT_EQ(node.json(), Json({{"a", "1"}, {"b", "true"}, {"c", "2"}}));
}

TEST(YamlTest, EveryValueKnowsItsPlace) {
  const YamlNode node = parse_yaml("a.yaml", "# comment\na:\n  b: [1, 22]\n");
  const YamlNode& second = node.find("a")->find("b")->items[1];
  EXPECT_EQ(message_at(second.place, "here"), "a.yaml:3:10: here\n    b: [1, 22]\n           ^");
}

TEST(YamlTest, KeepsTheOrderOfKeys) {
  const YamlNode node = parse_yaml("a.yaml", "z: 1\na: 2\nm: 3\n");
  ASSERT_EQ(node.entries.size(), 3u);
  EXPECT_EQ(node.entries[0].key + node.entries[1].key + node.entries[2].key, "zam");
}

TEST(YamlTest, AnEmptyTextIsAnEmptyMap) {
  EXPECT_EQ(parse_yaml("a.yaml", "# nothing\n").json(), Json::object());
}

TEST(YamlTest, RepeatsAnAliasedValue) {
  EXPECT_EQ(parse_yaml("a.yaml", "a: &x [1, 2]\nb: *x\n").json(),
            Json::parse(R"({"a": [1, 2], "b": [1, 2]})"));
}

TEST(YamlTest, RefusesAKeyThatStandsTwice) {
  EXPECT_EQ(input_error([] { parse_yaml("a.yaml", "a: 1\nb: 2\na: 3\n"); }),
            "a.yaml:3:1: key 'a' stands twice; first in line 1\n  a: 3\n  ^");
}

TEST(YamlTest, NamesThePlaceOfWhatIsNotYaml) {
  EXPECT_THAT(input_error([] { parse_yaml("a.yaml", "a: [1, 2\nb: 3\n"); }),
              StartsWith("a.yaml:2:"));
  EXPECT_THAT(input_error([] { parse_yaml("a.yaml", "a: 1\n---\nb: 2\n"); }),
              HasSubstr("a second YAML document"));
  EXPECT_THAT(input_error([] { parse_yaml("a.yaml", "a: !!float 2\n"); }),
              HasSubstr("only !!str is understood"));
  EXPECT_THAT(input_error([] { parse_yaml("a.yaml", "[a, b]: 2\n"); }),
              HasSubstr("a key must be a plain word"));
}

TEST(YamlTest, ALineThatIsNotUtf8IsNamed) {
  EXPECT_THAT(input_error([] { parse_yaml("a.yaml", "a: 1\nb: gr\xfcn\n"); }),
              StartsWith("a.yaml:2:1: this line is not UTF-8; save the file as UTF-8"));
}

TEST(YamlTest, ANumberOfManyDigitsIsAText) {
  const std::string digits(100'000, '1');
  EXPECT_EQ(core_schema_scalar(digits), Json(digits));
}

TEST(YamlTest, RefusesAliasesThatMultiply) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int j = 1; j < 10; ++j) text += ", " + before;
    text += "]\n";
  }
  EXPECT_THAT(input_error([&] { parse_yaml("a.yaml", text); }),
              HasSubstr("aliases repeat more than a million values"));
}

TEST(YamlTest, TabsKeepTheCaretUnderItsColumn) {
  const auto source = std::make_shared<SourceText>(SourceText{"a.yaml", {"\tx: 1"}});
  EXPECT_EQ(message_at({source, 1, 5}, "here"), "a.yaml:1:5: here\n  \tx: 1\n  \t   ^");
}

TEST(YamlTest, ExpectationsSayWhatWasFound) {
  const YamlNode node = parse_yaml("a.yaml", "{text: abc, number: 3, list: [1], nothing: }");
  EXPECT_THAT(input_error([&] { expect_int(*node.find("text"), "seeds"); }),
              HasSubstr("seeds must be a whole number, found the text 'abc'"));
  EXPECT_THAT(input_error([&] { expect_text(*node.find("number"), "name"); }),
              HasSubstr("name must be a text, found the number 3"));
  EXPECT_THAT(input_error([&] { expect_bool(*node.find("list"), "flag"); }),
              HasSubstr("flag must be true or false, found a list"));
  EXPECT_THAT(input_error([&] { expect_number(*node.find("nothing"), "step"); }),
              HasSubstr("step must be a number, found nothing"));
  EXPECT_THAT(
      input_error([&] {
        expect_keys(node, "the sweep", {"text", "numbers"});
      }),
      HasSubstr(
          "unknown key 'number' in the sweep, did you mean 'numbers'?; known keys: text, numbers"));
}

TEST(YamlTest, SaysWhyAFileCannotBeRead) {
  EXPECT_EQ(input_error([] { read_text("/nonexistent.yaml"); }),
            "cannot read /nonexistent.yaml: No such file or directory");
  EXPECT_EQ(input_error([] { read_text("/tmp"); }), "cannot read /tmp: it is a folder");
}

}  // namespace
}  // namespace qbitopt
