#include "qbitopt/core/encoding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

using namespace std::string_view_literals;
using ::testing::HasSubstr;

std::string complaint(std::string_view text) {
  try {
    expect_utf8(text, "t.csv");
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(EncodingTest, TakesWhatIsUtf8) {
  for (const auto text : {""sv, "a"sv, "quantizer,group\n"sv, "\xEF\xBB\xBFumlaut \xC3\xA4"sv,
                          "\xE4\xB8\xAD\xF0\x9F\x98\x80"sv}) {
    EXPECT_EQ(complaint(text), "");
  }
}

TEST(EncodingTest, NamesWideEncodings) {
  EXPECT_THAT(complaint("\xFF\xFEq\0u\0"sv), HasSubstr("t.csv: is in UTF-16; save it as UTF-8"));
  EXPECT_THAT(complaint("\xFE\xFF\0q\0u"sv), HasSubstr("UTF-16"));
  EXPECT_THAT(complaint("q\0u\0a\0"sv), HasSubstr("UTF-16"));
  EXPECT_THAT(complaint("\xFF\xFE\0\0q\0\0\0"sv), HasSubstr("UTF-32"));
}

TEST(EncodingTest, NamesLatin1WithThePlaceOfItsFirstByte) {
  EXPECT_THAT(complaint("name\nr\xE9seau,W"),
              HasSubstr("t.csv:2:2: byte \\xe9 is not UTF-8; the file seems to be in Latin-1"));
}

// Overlong forms, surrogates, beyond Unicode, cut off.
TEST(EncodingTest, RefusesWhatOnlyLooksLikeUtf8) {
  for (const auto text : {"\xC0\x80"sv, "\xE0\x80\x80"sv, "\xED\xA0\x80"sv, "\xF4\x90\x80\x80"sv,
                          "\xE4\xB8"sv, "\x80"sv}) {
    EXPECT_EQ(first_invalid_utf8(text), 0u);
  }
  EXPECT_EQ(first_invalid_utf8("ab\xFF"), 2u);
}

TEST(EncodingTest, NoControlCharacterReachesAScreen) {
  EXPECT_EQ(printable("a\x1b[31mred\n\t\x7f"), "a\\x1b[31mred\\n\\t\\x7f");
  EXPECT_EQ(printable("one\ntwo\r", "\n"), "one\ntwo\\r");
  EXPECT_EQ(printable("\xC2\x9B"
                      "31m \xFF \xC3\xA4"),
            "\\xc2\\x9b31m \\xff \xC3\xA4");
}

}  // namespace
}  // namespace qbitopt
