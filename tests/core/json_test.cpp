#include "qbitopt/core/json.h"

#include <gtest/gtest.h>

#include <limits>

#include "qbitopt/core/error.h"
#include "qbitopt/core/hash.h"

namespace qbitopt {
namespace {

TEST(CanonicalJsonTest, EqualNumbersGiveEqualBytes) {
  EXPECT_EQ(canonical_json(Json::parse("4.0")), "4");
  EXPECT_EQ(canonical_json(Json::parse("-0.0")), "0");
  EXPECT_EQ(canonical_json(Json::parse("1e-4")), "0.0001");
}

// Samples of RFC 8785, appendix B.
TEST(CanonicalJsonTest, PrintsNumbersAsEcmaScriptDoes) {
  EXPECT_EQ(canonical_json(5e-324), "5e-324");
  EXPECT_EQ(canonical_json(1.7976931348623157e308), "1.7976931348623157e+308");
  EXPECT_EQ(canonical_json(9007199254740992.0), "9007199254740992");
  EXPECT_EQ(canonical_json(295147905179352830000.0), "295147905179352830000");
  EXPECT_EQ(canonical_json(9.999999999999997e22), "9.999999999999997e+22");
  EXPECT_EQ(canonical_json(333333333.33333329), "333333333.3333333");
  EXPECT_EQ(canonical_json(-0.0000033333333333333333), "-0.0000033333333333333333");
  EXPECT_EQ(canonical_json(1e-7), "1e-7");
}

TEST(CanonicalJsonTest, SortsKeysAndLeavesOutSpaces) {
  EXPECT_EQ(canonical_json(Json::parse(R"({"b": [1, true, null], "a": "x\n"})")),
            R"({"a":"x\n","b":[1,true,null]})");
}

TEST(CanonicalJsonTest, RefusesNumbersThatJsonCannotSay) {
  EXPECT_THROW(canonical_json(std::numeric_limits<double>::infinity()), InputError);
}

// FIPS 180-2, appendix B.
TEST(Sha256Test, MatchesThePublishedVectors) {
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace
}  // namespace qbitopt
