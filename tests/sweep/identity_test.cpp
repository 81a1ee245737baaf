#include "qbitopt/sweep/identity.h"

#include <gtest/gtest.h>

namespace qbitopt {
namespace {

TEST(IdentityTest, IsCanonicalJson) {
  const Identity identity{
      {{"seed", 4.0}, {"method", "fp32"}}, {{"method:fp32", 1}}, "digits:abc", {{"start", "00ff"}}};
  EXPECT_EQ(
      identity_text(identity),
      R"({"data":"digits:abc","format":1,"needs":{"start":"00ff"},"parameters":{"method":"fp32","seed":4},)"
      R"("versions":{"method:fp32":1}})");
}

TEST(IdentityTest, FragmentsGiveTheSameText) {
  const std::map<std::string, int> versions = {{"group:job", 1}, {"method:fp32", 2}};
  const ParameterSpec any{.name = "x", .type = "float"};
  const IdentityText frame = identity_frame(versions, "digits:\"abc\"");
  std::string fragments =
      identity_fragment("method", any, "fp\n32") + identity_fragment("rate", any, 1e-7);
  fragments[0] = '{';
  EXPECT_EQ(
      frame.head + "{}" + frame.middle + fragments + "}" + frame.tail,
      identity_text({{{"method", "fp\n32"}, {"rate", 1e-7}}, versions, "digits:\"abc\"", {}}));
}

// A group that came later: no job's key knows its version but those that use it.
TEST(IdentityTest, AnOptionalGroupsVersionCountsWithTheParametersThatAreNotNeutral) {
  const ParameterSpec first{.name = "g.x", .type = "int", .neutral = 0, .version = 1};
  ParameterSpec second = first;
  second.version = 2;
  EXPECT_EQ(identity_fragment("g.x", second, 0), "");
  EXPECT_EQ(identity_fragment("g.x", first, 5), ",\"g.x\":5");
  EXPECT_EQ(identity_fragment("g.x", second, 5), ",\"g.x\":{\"value\":5,\"version\":2}");
}

TEST(IdentityTest, LeavesOutWhatDoesNotMatter) {
  const ParameterSpec path{.name = "data.root", .type = "string", .affects_result = false};
  EXPECT_EQ(identity_fragment("data.root", path, "/data"), "");
  const ParameterSpec gain{.name = "gain", .type = "float", .neutral = 0.0};
  EXPECT_EQ(identity_fragment("gain", gain, 0.0), "");
  EXPECT_EQ(identity_fragment("gain", gain, 0.5), ",\"gain\":0.5");
  EXPECT_EQ(identity_fragment("gain", gain, Json()), "");
}

}  // namespace
}  // namespace qbitopt
