#include "qbitopt/report/rows_format.h"

#include <gtest/gtest.h>

#include <limits>

namespace qbitopt {
namespace {

Rows make_rows() {
  return {{"name", "value", "value"}, {{"plain", 0.1, 3}, {"a,\"b\"\nc|<d>", nullptr, 12345678.9}}};
}

TEST(RowsFormatTest, CsvQuotesWhatMustBeQuotedAndKeepsAllDigits) {
  EXPECT_EQ(write_rows(make_rows(), RowsFormat::kCsv),
            "name,value,value\nplain,0.1,3\n\"a,\"\"b\"\"\nc|<d>\",,12345678.9\n");
}

TEST(RowsFormatTest, JsonKeepsTheColumnsInOrderAndTellsEqualNamesApart) {
  EXPECT_EQ(write_rows(make_rows(), RowsFormat::kJsonLines),
            "{\"name\":\"plain\",\"value\":0.1,\"value:2\":3}\n"
            "{\"name\":\"a,\\\"b\\\"\\nc|<d>\",\"value\":null,\"value:2\":12345678.9}\n");
  EXPECT_EQ(Json::parse(write_rows(make_rows(), RowsFormat::kJson)).size(), 2u);
  EXPECT_EQ(write_rows({{"a"}, {}}, RowsFormat::kJson), "[]\n");
}

TEST(RowsFormatTest, MarkdownPutsNumbersToTheRight) {
  EXPECT_EQ(write_rows(make_rows(), RowsFormat::kMarkdown),
            "| name | value | value |\n| --- | ---: | ---: |\n| plain | 0.1 | 3 |\n"
            "| a,\"b\"<br>c\\|&lt;d> |  | 1.23457e+07 |\n");
}

// Spreadsheets compute what begins so; numbers stay numbers.
TEST(RowsFormatTest, NoTextIsAFormulaInCsv) {
  const Rows rows = {{"=a", "b"},
                     {{"=1+1", -5},
                      {"@sum", -0.5},
                      {"+cmd|' /C calc'!A0", nullptr},
                      {"-2+3", "-7.5e3"},
                      {"\t=1", "+4"},
                      {"a=1", "a-b"}}};
  EXPECT_EQ(write_rows(rows, RowsFormat::kCsv),
            "'=a,b\n'=1+1,-5\n'@sum,-0.5\n'+cmd|' /C calc'!A0,\n'-2+3,-7.5e3\n'\t=1,+4\n"
            "a=1,a-b\n");
}

TEST(RowsFormatTest, InfinityIsNamedInCsv) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(write_rows({{"a", "b"}, {{infinity, -infinity}}}, RowsFormat::kCsv), "a,b\ninf,-inf\n");
}

TEST(RowsFormatTest, TextMeansNothingToMarkdown) {
  EXPECT_EQ(markdown_escaped("*a* `b` [c](d) ~~e~~ <f> &lt; $g$"),
            "\\*a\\* \\`b\\` [c\\](d) \\~~e\\~~ &lt;f> &amp;lt; \\$g\\$");
  EXPECT_EQ(markdown_escaped("fixed_precision _x_ a & b, C:\\d \\*"),
            "fixed_precision \\_x_ a & b, C:\\d \\\\\\*");
  EXPECT_EQ(markdown_escaped("one\ntwo\x1b[0m"), "one<br>two[0m");
}

TEST(RowsFormatTest, RowByRowIsTheSame) {
  for (const RowsFormat format : {RowsFormat::kCsv, RowsFormat::kJson, RowsFormat::kJsonLines}) {
    std::string text;
    RowsWriter writer(format, [&](const std::string& more) { text += more; });
    writer.begin(make_rows().columns);
    for (const auto& row : make_rows().rows) writer.add(row);
    writer.end();
    EXPECT_EQ(text, write_rows(make_rows(), format));
  }
  EXPECT_EQ(write_rows({{"a"}, {{1}, {"x"}}}, RowsFormat::kJson),
            "[\n  {\n    \"a\": 1\n  },\n  {\n    \"a\": \"x\"\n  }\n]\n");
}

TEST(RowsFormatTest, BytesThatAreNoUtf8DoNotBreakJson) {
  EXPECT_EQ(write_rows({{"a"}, {{"x\xff"}}}, RowsFormat::kJsonLines),
            "{\"a\":\"x\xef\xbf\xbd\"}\n");
}

}  // namespace
}  // namespace qbitopt
