#include "qbitopt/report/rows_format.h"

#include <gtest/gtest.h>

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

TEST(RowsFormatTest, BytesThatAreNoUtf8DoNotBreakJson) {
  EXPECT_EQ(write_rows({{"a"}, {{"x\xff"}}}, RowsFormat::kJsonLines),
            "{\"a\":\"x\xef\xbf\xbd\"}\n");
}

}  // namespace
}  // namespace qbitopt
