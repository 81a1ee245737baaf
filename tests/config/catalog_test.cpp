#include "qbitopt/config/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/errors.h"

namespace qbitopt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kJob[] = R"(
kind: group
name: job
version: 1
summary: Every job.
parameters:
  method: {type: method, required: true, description: Method.}
  seed: {type: int, default: 0, description: Seed.}
)";
constexpr char kFp32[] =
    "{kind: method, name: fp32, version: 2, summary: Plain., includes: {pretraining: "
    "optimization}}";
constexpr char kQbitopt[] = R"(
kind: method
name: qbitopt
version: 1
summary: Bits.
includes: {training: optimization}
parameters:
  solver: {type: solver, default: greedy, description: Solver.}
)";
constexpr char kOptimization[] =
    "{kind: group, name: optimization, version: 1, summary: x, parameters: {steps: {type: int, "
    "default: 5, description: x}}}";
constexpr char kGreedy[] =
    "{kind: solver, name: greedy, version: 1, summary: x, parameters: {greedy.start: {type: int, "
    "description: x}}}";
constexpr char kExact[] = "{kind: solver, name: exact, version: 1, summary: x}";

Catalog catalog_of_six() {
  return Catalog::from_text({{"job", kJob},
                             {"fp32", kFp32},
                             {"qbitopt", kQbitopt},
                             {"optimization", kOptimization},
                             {"greedy", kGreedy},
                             {"exact", kExact}});
}

std::vector<std::string> names_of(const Schema& schema) {
  std::vector<std::string> names;
  for (const auto& entry : schema.parameters) names.push_back(entry.name);
  return names;
}

TEST(CatalogTest, ASchemaFollowsIncludesAndParts) {
  const Catalog catalog = catalog_of_six();
  const Schema fp32 = catalog.schema([](const std::string& key) -> std::optional<std::string> {
    if (key == "method") return "fp32";
    return std::nullopt;
  });
  EXPECT_THAT(names_of(fp32), ElementsAre("method", "pretraining.steps", "seed"));
  EXPECT_EQ(fp32.versions, (std::map<std::string, int>{
                               {"group:job", 1}, {"group:optimization", 1}, {"method:fp32", 2}}));
  EXPECT_EQ(fp32.part("method")->name, "fp32");
  EXPECT_EQ(fp32.part("solver"), nullptr);

  const auto qbitopt = [](const char* solver) {
    return [solver](const std::string& key) -> std::optional<std::string> {
      if (key == "method") return "qbitopt";
      if (solver && key == "solver") return solver;
      return std::nullopt;
    };
  };
  EXPECT_THAT(names_of(catalog.schema(qbitopt(nullptr))),
              ElementsAre("greedy.start", "method", "seed", "solver", "training.steps"));
  EXPECT_THAT(names_of(catalog.schema(qbitopt("exact"))),
              ElementsAre("method", "seed", "solver", "training.steps"));
}

TEST(CatalogTest, AnOptionalGroupIsNoPartOfTheVersions) {
  const Catalog catalog = Catalog::from_text(
      {{"job", kJob},
       {"plain", "{kind: method, name: plain, version: 1, summary: x, includes: {'': [late]}}"},
       {"late",
        "{kind: group, name: late, version: 1, summary: x, optional: true, parameters: {late.x: "
        "{type: int, description: x}}}"}});
  const Schema schema = catalog.schema([](const std::string& key) -> std::optional<std::string> {
    return key == "method" ? std::optional<std::string>("plain") : std::nullopt;
  });
  EXPECT_THAT(names_of(schema), ElementsAre("late.x", "method", "seed"));
  EXPECT_EQ(schema.versions, (std::map<std::string, int>{{"group:job", 1}, {"method:plain", 1}}));
}

TEST(CatalogTest, KnowsTheKeysOfAllParts) {
  const Catalog catalog = catalog_of_six();
  EXPECT_EQ(catalog.keys().count("pretraining.steps"), 1u);
  EXPECT_EQ(catalog.keys().count("greedy.start"), 1u);
  EXPECT_EQ(catalog.keys().count("steps"), 0u);
  EXPECT_EQ(catalog.unknown_key("training.stpes"),
            "unknown key 'training.stpes', did you mean 'training.steps'?");
  EXPECT_EQ(catalog.unknown_key("steps"), "unknown key 'steps', did you mean 'pretraining.steps'?");
  EXPECT_EQ(catalog.unknown_key("xyzzy"), "unknown key 'xyzzy'; no part of any job declares it");
}

TEST(CatalogTest, UnknownPartsListTheKnownOnes) {
  const Catalog catalog = catalog_of_six();
  EXPECT_EQ(input_error([&] { catalog.get("solver", "gredy"); }),
            "unknown solver 'gredy', did you mean 'greedy'?; known solvers: exact, greedy");
  EXPECT_THAT(catalog.names("solver"), ElementsAre("exact", "greedy"));
}

TEST(CatalogTest, RefusesManifestsThatContradictOneAnother) {
  const auto error_with = [](const std::string& manifest) {
    return input_error([&] {
      Catalog::from_text({{"job.yaml", kJob},
                          {"fp32.yaml", kFp32},
                          {"optimization.yaml", kOptimization},
                          {"x.yaml", manifest}});
    });
  };
  EXPECT_EQ(error_with(kFp32), "x.yaml: a second method 'fp32'; the first is in fp32.yaml");
  EXPECT_THAT(
      error_with("{kind: method, name: x, version: 1, summary: x, includes: {'': optimisation}}"),
      HasSubstr("x.yaml: includes: unknown group 'optimisation', did you mean 'optimization'?"));
  EXPECT_THAT(error_with("{kind: method, name: x, version: 1, summary: x, parameters: {seed: "
                         "{type: float, description: x}}}"),
              HasSubstr("job.yaml: key 'seed' is declared as int here and as float elsewhere"));
  EXPECT_THAT(error_with("{kind: method, name: x, version: 1, summary: x, parameters: {solver: "
                         "{type: solver, default: y, description: x}}}"),
              HasSubstr("default of 'solver': unknown solver 'y'; known solvers: (none)"));
  const auto error_of_need = [&](const std::string& need) {
    return error_with(
        "{kind: method, name: x, version: 1, summary: x, needs: {n: {artifact: model, " + need +
        "}}}");
  };
  EXPECT_EQ(error_of_need("job: {method: fp32, sead: 0}"),
            "x.yaml: need 'n': unknown key 'sead', did you mean 'seed'?");
  EXPECT_EQ(error_of_need("job: {seed: $sed}"),
            "x.yaml: need 'n': unknown key 'sed', did you mean 'seed'?");
  EXPECT_EQ(error_of_need("job: {seed: 0}, if_given: teacher"),
            "x.yaml: need 'n': unknown key 'teacher'; no part of any job declares it");
  EXPECT_EQ(error_of_need("job: {seed: $seed}, if_given: seed"), "");
  EXPECT_EQ(input_error([] { Catalog::from_text({}); }),
            "there is no manifest of the group 'job', which declares the keys of every job");
}

}  // namespace
}  // namespace qbitopt
