#include "qbitopt/config/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/errors.h"

namespace qbitopt {
namespace {

using ::testing::HasSubstr;

constexpr char kMethod[] = "kind: method\nname: m\nversion: 1\nsummary: A method.\n";

std::string manifest_error(const std::string& rest) {
  return input_error([&] { read_manifest("m.yaml", kMethod + rest); });
}

TEST(ManifestTest, ReadsEveryField) {
  const Manifest manifest = read_manifest("m.yaml", R"(
kind: method
name: qbitopt
version: 3
summary: Moves bits.
citation: Peters et al., 2023
guarantees_budget: false
needs: {fp32_checkpoint: {job: {method: fp32, seed: 0}, artifact: model}}
includes: {training: optimization, "": [quantizers, budget]}
parameters:
  reallocation.tau: {type: int, unit: steps, default: 250, min: 1, max: 1e6, description: Steps between allocations.}
  solver: {type: solver, default: relax_greedy, required: true, description: What allocates.}
  bits: {type: list of int, default: [2.0, 4], affects_result: false, neutral: [2], description: Candidates.}
)");
  EXPECT_EQ(manifest.kind, "method");
  EXPECT_EQ(manifest.name, "qbitopt");
  EXPECT_EQ(manifest.version, 3);
  EXPECT_EQ(manifest.citation, "Peters et al., 2023");
  EXPECT_FALSE(manifest.guarantees_budget);
  EXPECT_EQ(manifest.needs.at("fp32_checkpoint").changes, Json({{"method", "fp32"}, {"seed", 0}}));
  EXPECT_EQ(manifest.needs.at("fp32_checkpoint").artifact, "model");
  using Includes = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(manifest.includes,
            (Includes{{"training", "optimization"}, {"", "quantizers"}, {"", "budget"}}));
  ASSERT_EQ(manifest.parameters.size(), 3u);
  EXPECT_EQ(manifest.parameters[0].unit, "steps");
  EXPECT_EQ(manifest.parameters[0].default_value, Json(250));
  EXPECT_EQ(manifest.parameters[0].maximum, 1e6);
  EXPECT_TRUE(manifest.parameters[0].affects_result);
  EXPECT_TRUE(manifest.parameters[1].required);
  EXPECT_EQ(manifest.parameters[2].default_value.dump(), "[2,4]");
  EXPECT_EQ(manifest.parameters[2].neutral, Json({2}));
  EXPECT_FALSE(manifest.parameters[2].affects_result);
}

TEST(ManifestTest, AnOptionalGroupIsNeutralAtItsDefaults) {
  const auto read = [](const std::string& parameter) {
    return read_manifest("g.yaml",
                         "{kind: group, name: g, version: 2, summary: x, optional: true, "
                         "parameters: {g.x: {type: int, description: x" +
                             parameter + "}}}");
  };
  EXPECT_TRUE(read("").is_optional);
  EXPECT_EQ(read(", default: 3, neutral: 3").parameters[0].version, 2);
  EXPECT_THAT(input_error([&] { read(", default: 3"); }),
              HasSubstr("parameter 'g.x' of an optional group needs a neutral value equal to its "
                        "default"));
  EXPECT_THAT(manifest_error("optional: true\n"), HasSubstr("only a group can be optional"));
}

TEST(ManifestTest, ReadsTheFilesOfADataSet) {
  const Manifest manifest = read_manifest("d.yaml", R"(
{kind: data, name: d, version: 1, summary: Images., layout: imagenet, contents: {labels.gz: abc, images.gz: },
 obtain: apt-get install d})");
  EXPECT_EQ(manifest.layout, "imagenet");
  EXPECT_EQ(manifest.contents,
            (std::map<std::string, std::string>{{"images.gz", ""}, {"labels.gz", "abc"}}));
  EXPECT_EQ(manifest.obtain, "apt-get install d");
}

TEST(ManifestTest, ReadsWhereAFileIsPublished) {
  const auto read = [](const std::string& offer) {
    return read_manifest("m.yaml", "{kind: model, name: m, version: 1, summary: M., download: {" +
                                       offer + "}}")
        .download;
  };
  const auto offer = read("address: 'https://example.org/a/m-0123abcd.pth', sha256: 0123abcd");
  EXPECT_EQ(offer.address, "https://example.org/a/m-0123abcd.pth");
  EXPECT_EQ(offer.file, "m-0123abcd.pth");
  EXPECT_EQ(offer.sha256, "0123abcd");
  EXPECT_EQ(read("address: 'https://example.org/model', file: m.safetensors").file,
            "m.safetensors");
  const auto fault = [&](const std::string& text) { return input_error([&] { read(text); }); };
  EXPECT_THAT(fault("sha256: 0123abcd"), HasSubstr("download has no `address`"));
  EXPECT_THAT(fault("address: 'ftp://example.org/m'"), HasSubstr("must begin with https://"));
  EXPECT_THAT(fault("address: 'https://example.org/m/'"), HasSubstr("needs `file`"));
  EXPECT_THAT(fault("address: 'https://example.org/m', file: ../m"), HasSubstr("without slashes"));
  EXPECT_THAT(fault("address: 'https://example.org/m', sha256: 0123ABCD"),
              HasSubstr("8 to 64 hexadecimal digits in lower case, found '0123ABCD'"));
}

TEST(ManifestTest, RefusesWhatItDoesNotKnowAndSaysWhere) {
  EXPECT_THAT(
      manifest_error("parametres: {}\n"),
      HasSubstr("m.yaml:5:1: unknown key 'parametres' in a manifest, did you mean 'parameters'?"));
  EXPECT_THAT(manifest_error("parameters:\n  a: {type: integer, description: x}\n"),
              HasSubstr("m.yaml:6:13: unknown type 'integer' of parameter 'a'"));
  EXPECT_THAT(manifest_error("parameters:\n  a: {type: int}\n"),
              HasSubstr("parameter 'a' has no description"));
  EXPECT_THAT(manifest_error("parameters:\n  a: {type: choice, description: x}\n"),
              HasSubstr("is a choice, but has no `choices`"));
  EXPECT_THAT(manifest_error("parameters:\n  a: {type: int, default: 1.5, description: x}\n"),
              HasSubstr("default of parameter 'a': expects an int, found 1.5"));
  EXPECT_THAT(
      manifest_error(
          "parameters:\n  a: {type: int, default: 0, min: 1, unit: steps, description: x}\n"),
      HasSubstr("default of parameter 'a': must be at least 1 steps, found 0"));
  EXPECT_THAT(manifest_error("needs: {x: {artifact: model}}\n"),
              HasSubstr("need 'x' has no `job`"));
  EXPECT_THAT(
      manifest_error("needs: {x: {optional: true, artifact: model, job: {method: fp32}}}\n"),
      HasSubstr("need 'x' is optional and names a job; leave out `job`, because the sweep that "
                "uses the need names it"));
  EXPECT_THAT(
      manifest_error("needs: {x: {optional: true, artifact: model, if_given: seed}}\n"),
      HasSubstr("need 'x' is optional and has if_given; leave out `if_given`, because only a sweep "
                "that names the need uses it, or leave out `optional`"));
  EXPECT_THAT(input_error([] {
                read_manifest("m.yaml", "kind: widget\nname: w\nversion: 1\nsummary: x\n");
              }),
              HasSubstr("m.yaml:1:7: unknown kind 'widget'"));
  EXPECT_THAT(input_error([] { read_manifest("m.yaml", "kind: method\n"); }),
              HasSubstr("this manifest has no name"));
}

}  // namespace
}  // namespace qbitopt
