#include "qbitopt/config/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/errors.h"

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
            "a.yaml:3:1: duplicate key 'a', first set in line 1\n  a: 3\n  ^");
}

TEST(YamlTest, NamesThePlaceOfWhatIsNotYaml) {
  EXPECT_THAT(input_error([] { parse_yaml("a.yaml", "a: [1, 2\nb: 3\n"); }),
              StartsWith("a.yaml:2:"));
  EXPECT_THAT(input_error([] { parse_yaml("a.yaml", "a: 1\n---\nb: 2\n"); }),
              HasSubstr("a second YAML document"));
  EXPECT_THAT(input_error([] { parse_yaml("a.yaml", "a: !!float 2\n"); }),
              HasSubstr("the only known tag is !!str"));
  EXPECT_THAT(input_error([] { parse_yaml("a.yaml", "[a, b]: 2\n"); }),
              HasSubstr("a key must be a plain word"));
}

TEST(YamlTest, ALineThatIsNotUtf8IsNamed) {
  EXPECT_THAT(input_error([] { parse_yaml("a.yaml", "a: 1\nb: gr\xfcn\n"); }),
              StartsWith("a.yaml:2:6: byte \\xfc is not UTF-8; the file seems to be in Latin-1"));
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
              HasSubstr("anchors and aliases expand to more than 10 MB"));
  EXPECT_THAT(input_error([] {
                std::string long_text = "a: &a " + std::string(100'000, 'x') + "\nb: [";
                for (int i = 0; i < 1000; ++i) long_text += "*a, ";
                parse_yaml("a.yaml", long_text + "1]\n");
              }),
              HasSubstr("anchors and aliases expand to more than 10 MB"));
}

TEST(YamlTest, RefusesWhatIsNestedTooDeep) {
  const auto repeated = [](const std::string& text, size_t times) {
    std::string all;
    for (size_t i = 0; i < times; ++i) all += text;
    return all;
  };
  std::string chain = "a0: &a0 [x]\n";
  for (int i = 1; i < 100; ++i) {
    const std::string name = "a" + std::to_string(i);
    chain += name + ": &" + name + " [*a" + std::to_string(i - 1) + "]\n";
  }
  for (const std::string& text :
       {repeated("[", 65) + repeated("]", 65), repeated("[", 100'000), repeated("{a: ", 100'000),
        repeated("- ", 100'000) + "1", repeated("? ", 100'000), chain}) {
    EXPECT_THAT(input_error([&] { parse_yaml("a.yaml", text); }),
                HasSubstr("nested more than 64 levels deep"))
        << text.substr(0, 20);
  }
  EXPECT_EQ(input_error([&] { parse_yaml("a.yaml", repeated("[", 64) + repeated("]", 64)); }), "");
}

TEST(YamlTest, AMergeKeyTakesOverWhatTheMapDoesNotSay) {
  const char* text =
      "a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\n"
      "one: {<<: *a, y: 9}\nlist: {w: 0, <<: [*a, *b]}\nquoted: {'<<': 1}\n";
  const YamlNode node = parse_yaml("a.yaml", text);
  EXPECT_EQ(node.find("one")->json(), Json::parse(R"({"x": 1, "y": 9})"));
  EXPECT_EQ(node.find("list")->json(), Json::parse(R"({"w": 0, "x": 1, "y": 2, "z": 4})"));
  EXPECT_EQ(node.find("quoted")->json(), Json::parse(R"({"<<": 1})"));
  EXPECT_EQ(node.find("list")->entries[1].key, "x") << "in the merge key's place";
  EXPECT_THAT(input_error([] { parse_yaml("a.yaml", "a: {<<: 3}\n"); }),
              StartsWith("a.yaml:1:5: '<<' takes over the keys of another map; write <<: *base"));
  EXPECT_THAT(input_error([] { parse_yaml("a.yaml", "a: &a {x: 1}\nb: {<<: *a, <<: *a}\n"); }),
              HasSubstr("to merge several maps write <<: [*first, *second]"));
}

TEST(YamlTest, AnEmptyValueStandsAtItsKey) {
  const YamlNode node = parse_yaml("a.yaml", "a:\n  b:\n  c: ~\nd:\n  -\n  # none\n  - 1\n");
  EXPECT_EQ(location_text(node.find("a")->find("b")->place), "a.yaml:2:3");
  EXPECT_EQ(location_text(node.find("a")->find("c")->place), "a.yaml:3:6");
  EXPECT_EQ(location_text(node.find("d")->items[0].place), "a.yaml:5:3");
}

TEST(YamlTest, FindsThePlaceInATextOfAnyStyle) {
  const auto place = [](const std::string& text, const std::string& word) {
    const YamlNode node = parse_yaml("a.yaml", text).entries[0].value;
    return location_text(place_in_text(node, node.scalar.get<std::string>().find(word)));
  };
  EXPECT_EQ(place("a: one two\n", "two"), "a.yaml:1:8");
  EXPECT_EQ(place("a: 'it''s two'\n", "two"), "a.yaml:1:11");
  EXPECT_EQ(place("a: \"a \\\"b\\\" two\"\n", "two"), "a.yaml:1:13");
  EXPECT_EQ(place("a: >-\n  one\n\n  two three\n", "three"), "a.yaml:4:7");
  EXPECT_EQ(place("a: |  # why\n    one\n    two\n", "two"), "a.yaml:3:5");
  EXPECT_EQ(place("a: one\n   two\n", "two"), "a.yaml:2:4");
  EXPECT_EQ(place("a: &x !!str 'one two'\n", "two"), "a.yaml:1:18");
  EXPECT_EQ(place("a: 'grün two'\n", "two"), "a.yaml:1:10");
}

TEST(YamlTest, NamesOtherEncodings) {
  using namespace std::string_literals;
  for (const std::string& text : {"\xff\xfe"
                                  "a\0:\0 \0"
                                  "1\0"s,
                                  "\xfe\xff\0a\0:\0 \0"
                                  "1"s,
                                  "a\0:\0 \0"
                                  "1\0"s}) {
    EXPECT_THAT(input_error([&] { parse_yaml("a.yaml", text); }),
                StartsWith("a.yaml: is in UTF-16; save it as UTF-8"));
  }
  EXPECT_EQ(message_at(parse_yaml("a.yaml",
                                  "\xef\xbb\xbf"
                                  "abc: 1\r\n")
                           .find("abc")
                           ->place,
                       "here"),
            "a.yaml:1:6: here\n  abc: 1\n       ^");
}

TEST(YamlTest, ALongLineIsShownAroundItsColumn) {
  const std::string line = std::string(1000, 'x') + "HERE" + std::string(1000, 'y');
  const auto source = std::make_shared<SourceText>(SourceText{"a.yaml", {line}});
  const std::string message = message_at({source, 1, 1001}, "wrong");
  EXPECT_LT(message.size(), 400u);
  const size_t caret = message.rfind('^') - message.rfind('\n');
  const size_t second_line = message.find('\n');
  EXPECT_EQ(message.substr(second_line + caret, 4), "HERE");
  EXPECT_LT(input_error([] { parse_yaml("a.yaml", std::string(100'000, 'k') + ": 1"); }).size(),
            500u);
  EXPECT_LT(
      input_error([] { expect_int(YamlNode{.scalar = std::string(100'000, 'k')}, "n"); }).size(),
      400u);
}

TEST(YamlTest, WholeFloatsAreWholeNumbers) {
  const YamlNode node = parse_yaml("a.yaml", "[3, 3.0, 3e0, 3.5, 1e300, .nan]");
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(expect_int(node.items[i], "n"), 3);
  for (size_t i = 3; i < 6; ++i)
    EXPECT_THAT(input_error([&] { expect_int(node.items[i], "n"); }),
                HasSubstr("n must be a whole number"));
}

TEST(YamlTest, SaysWhatIsNoName) {
  const auto error = [](const std::string& name) {
    return input_error([&] { expect_name(Place{}, "the sweep's name", name); });
  };
  for (const char* good : {"quick", "a b", "50 %_#&", "grün", "lr=0.1", "a.b"})
    EXPECT_EQ(error(good), "");
  EXPECT_EQ(error(""), "the sweep's name is empty");
  for (const char* bad : {"a\nb", "a\x1b[31m", "a\tb", "a\x7f",
                          "a\xc2\x9b"
                          "b",
                          "a\xe2\x80\xae"
                          "b"})
    EXPECT_THAT(error(bad), HasSubstr("contains a control character")) << bad;
  for (const char* bad : {"a/b", "/", "a}\\input{b}"})
    EXPECT_THAT(error(bad), HasSubstr("contains a slash")) << bad;
  for (const char* bad : {"-x", "..", ".hidden"})
    EXPECT_THAT(error(bad), HasSubstr("begins with '")) << bad;
  for (const char* bad : {" a", "a "})
    EXPECT_THAT(error(bad), HasSubstr("begins or ends with a space"));
  EXPECT_THAT(error(std::string(201, 'a')), HasSubstr("more than 200 characters"));
}

TEST(YamlTest, TabsKeepTheCaretUnderItsColumn) {
  const auto source = std::make_shared<SourceText>(SourceText{"a.yaml", {"\tx: 1"}});
  EXPECT_EQ(message_at({source, 1, 5}, "here"), "a.yaml:1:5: here\n  \tx: 1\n  \t   ^");
}

TEST(YamlTest, ExpectationsSayWhatWasFound) {
  const YamlNode node = parse_yaml("a.yaml", "{text: abc, number: 3, list: [1], nothing: }");
  EXPECT_THAT(input_error([&] { expect_int(*node.find("text"), "seeds"); }),
              HasSubstr("seeds must be a whole number, found the string 'abc'"));
  EXPECT_THAT(input_error([&] { expect_text(*node.find("number"), "name"); }),
              HasSubstr("name must be a string, found the number 3"));
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

TEST(YamlTest, APathMayNameWhatCameWithTheProgram) {
  const YamlNode node = parse_yaml("test.yaml", "extends: qbitopt/sweeps/quick.yaml\n");
  const auto path = expect_path(*node.find("extends"), "extends", "/nowhere");
  EXPECT_TRUE(std::filesystem::exists(path)) << path;
  EXPECT_EQ(path.filename(), "quick.yaml");
}

}  // namespace
}  // namespace qbitopt
