#include "qbitopt/sweep/expand.h"

#include <gmock/gmock.h>

#include "graph/pt2.h"
#include "sweep/sweep_fixture.h"
#include "weights/files.h"

namespace qbitopt {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ExpandTest = SweepTest;
using namespace std::string_literals;

constexpr char kSolversByBits[] =
    "qbitopt: 1\nset: {method: qbitopt, model: tiny}\n"
    "grid: {solver: [exact, milp], budget.average_bits: [2, 3, 4]}\n";

TEST_F(ExpandTest, ExcludeDropsWhatMatchesInAllKeys) {
  const Plan plan =
      read(std::string(kSolversByBits) +
           "exclude: [solver == 'milp' and budget.average_bits > 2, budget.average_bits == 3]\n");
  EXPECT_THAT(values(plan, "solver"), ElementsAre("exact", "exact", "milp"));
  EXPECT_THAT(values(plan, "budget.average_bits"), ElementsAre(2.0, 4.0, 2.0));
}

TEST_F(ExpandTest, OnlyKeepsWhatMatchesSomeEntry) {
  const Plan plan =
      read(std::string(kSolversByBits) +
           "only: [solver == 'milp' and budget.average_bits == 2, budget.average_bits == 4]\n");
  EXPECT_THAT(values(plan, "solver"), ElementsAre("exact", "milp", "milp"));
  EXPECT_THAT(values(plan, "budget.average_bits"), ElementsAre(4.0, 2.0, 4.0));
}

TEST_F(ExpandTest, RulesSeeDefaults) {
  EXPECT_EQ(requested(read(std::string(kSolversByBits) +
                           "exclude: [sensitivity == 'fit' and solver == 'milp']\n")),
            3u);
}

TEST_F(ExpandTest, TheTopsRulesHoldForEveryCaseBesideItsOwn) {
  const Plan plan = read(R"(
qbitopt: 1
set: {model: tiny, method: qbitopt}
exclude: [budget.average_bits == 3]
cases:
  a: {set: {solver: exact}, grid: {budget.average_bits: [2, 3, 4]}}
  b: {set: {solver: milp}, grid: {budget.average_bits: [2, 3, 4]}, exclude: [budget.average_bits == 2]}
)");
  EXPECT_THAT(values(plan, "budget.average_bits"), ElementsAre(2.0, 4.0, 4.0));
}

TEST_F(ExpandTest, IncludeAddsJobsThatNoRuleDrops) {
  const Plan plan = read(std::string(kSolversByBits) + R"(
seeds: 2
only: [budget.average_bits == 2 and solver == 'exact']
include: [{solver: milp, budget.average_bits: 2.25}, {reallocation.tau: 9}]
)");
  EXPECT_THAT(values(plan, "solver"),
              ElementsAre("exact", "exact", "milp", "milp", "relax_greedy", "relax_greedy"));
  EXPECT_THAT(values(plan, "seed"), ElementsAre(0, 1, 0, 1, 0, 1));
  EXPECT_EQ(plan.jobs[3].axes(), Json({{"solver", "milp"}, {"budget.average_bits", 2.25}}));
  EXPECT_EQ(plan.jobs[5].axes(), Json({{"reallocation.tau", 9}}));
}

TEST_F(ExpandTest, IncludeOfACaseBelongsToIt) {
  const Plan plan = read(R"(
qbitopt: 1
set: {model: tiny}
include: [{method: fp32, seed: 5}]
cases: {a: {set: {method: qbitopt}, include: [{solver: exact}]}}
)");
  std::vector<std::string> names;
  for (const PlannedJob& job : plan.jobs) {
    if (job.requested)
      names.push_back(job.case_name + " " + job.job().parameters.at("method").get<std::string>());
  }
  EXPECT_THAT(names, ElementsAre("a qbitopt", "a qbitopt", " fp32"));
}

TEST_F(ExpandTest, WhenChangesTheJobsItMatchesAndSeesWhatCameBefore) {
  const Plan plan = read(std::string(kSolversByBits) + R"(
when:
  - if: "solver == 'milp' and budget.average_bits >= 3"
    set: {reallocation.tau: 7}
  - if: reallocation.tau == 7
    set: {sensitivity: hessian_trace, hessian.samples: 3}
)");
  EXPECT_THAT(values(plan, "reallocation.tau"), ElementsAre(250, 250, 250, 250, 7, 7));
  EXPECT_THAT(values(plan, "hessian.samples"), ElementsAre(Json(), Json(), Json(), Json(), 3, 3));
  EXPECT_THAT(plan.warnings, IsEmpty());
}

TEST_F(ExpandTest, WhenHoldsForNeededJobsAsForTheSameJobsInTheGrid) {
  const Plan plan = read(R"(
qbitopt: 1
set: {model: tiny, budget.average_bits: 3}
grid: {method: [qbitopt, replay]}
when: [{if: method == 'qbitopt', set: {reallocation.tau: 7}}, {if: method == 'fp32', set: {pretraining.steps: 9}}]
)");
  ASSERT_EQ(plan.jobs.size(), 3u) << "replay's allocation is the grid's own qbitopt";
  EXPECT_EQ(plan.jobs[0].job().parameters.at("pretraining.steps"), 9);
  EXPECT_EQ(plan.jobs[2].needs->at("allocation"), plan.jobs[1].key);
}

TEST_F(ExpandTest, ANeededJobInheritsWhatItReads) {
  const Plan plan = read(
      "qbitopt: 1\nset: {model: tiny, method: qbitopt, pretraining.steps: 7}\n"
      "grid: {pretraining.learning_rate: [0.1, 0.2], solver: [exact, milp]}\n");
  ASSERT_EQ(plan.jobs.size(), 6u);
  const auto start = [&](size_t i) { return plan.jobs[i].needs->at("fp32_checkpoint"); };
  EXPECT_EQ(start(1), start(2));
  EXPECT_NE(start(1), start(4));
  EXPECT_EQ(plan.jobs[0].job().parameters.at("pretraining.steps"), 7);
  EXPECT_EQ(plan.jobs[0].axes(), Json::object());
}

TEST_F(ExpandTest, AJobThatIsNeededAndWantedIsOneJobOfTheSweep) {
  const Plan plan = read(R"(
qbitopt: 1
set: {model: tiny}
cases: {quantized: {set: {method: qbitopt}}, plain: {set: {method: fp32}, grid: {pretraining.steps: [100, 5]}}}
)");
  ASSERT_EQ(plan.jobs.size(), 3u);
  EXPECT_TRUE(plan.jobs[0].requested);
  EXPECT_EQ(plan.jobs[0].case_name, "plain");
  EXPECT_EQ(plan.jobs[0].axes(), Json({{"pretraining.steps", 100}}));
}

TEST_F(ExpandTest, WarnsAboutWhatHasNoEffect) {
  const Plan plan = read(R"(
qbitopt: 1
set: {model: tiny, method: qbitopt, fracbits.kappa: 3}
grid: {solver: [exact, exact]}
exclude: [solver == 'milp']
only: [solver == 'exact', sensitivity == 'random']
when: [{if: solver == 'milp', set: {reallocation.tau: 3}}]
)");
  EXPECT_THAT(
      warnings(plan),
      ElementsAre("sweeps/sweep.yaml:4:24: 'exact' stands twice; it is run once",
                  "sweeps/sweep.yaml:5:11: this entry of exclude matches no job",
                  "sweeps/sweep.yaml:6:27: this entry of only matches no job",
                  "sweeps/sweep.yaml:7:8: this `when` never applies",
                  "sweeps/sweep.yaml:3:37: 'fracbits.kappa' applies to no job of this sweep"));
}

TEST_F(ExpandTest, RecipesMaySayMoreThanASweepUses) {
  folder_.write("recipe.yaml",
                "set: {model: tiny, fracbits.kappa: 3}\n"
                "exclude: [solver == 'milp']\n"
                "when: [{if: solver == 'milp', set: {reallocation.tau: 3}}]\n");
  EXPECT_THAT(read("qbitopt: 1\nextends: ../recipe.yaml\nset: {method: fp32}\n").warnings,
              IsEmpty());
}

TEST_F(ExpandTest, ACaseWithoutJobsIsAWarningASweepWithoutJobsAnError) {
  const std::string text =
      "qbitopt: 1\nset: {model: tiny}\nexclude: [method == 'fp32']\ncases:\n  a: {set: {method: "
      "fp32}}\n";
  EXPECT_THAT(error(text), HasSubstr("this sweep has no job"));
  EXPECT_THAT(
      warnings(read(text + "  b: {set: {method: qbitopt}}\n")),
      ElementsAre("sweeps/sweep.yaml:5:3: case 'a' has no jobs: its rules exclude every point"));
}

TEST_F(ExpandTest, AnExcludedBudgetNeedNotBeFeasible) {
  EXPECT_EQ(
      error("qbitopt: 1\nset: {model: tiny, method: qbitopt}\ngrid: {budget.weights: [1, 2]}\n"
            "exclude: [budget.weights == 1]\n"),
      "");
  EXPECT_THAT(error("qbitopt: 1\nset: {model: tiny, method: qbitopt, budget.weights: 3}\n"
                    "grid: {quantizers.candidate_bits: [[2, 4], [4, 8]]}\n"),
              HasSubstr("'budget.weights' is 3, below the smallest candidate of "
                        "quantizers.candidate_bits = [4, 8]"));
}

TEST_F(ExpandTest, ASweepOfABillionJobsIsRefused) {
  EXPECT_THAT(error("qbitopt: 1\nset: {model: tiny, method: qbitopt}\nseeds: 1000000\n"
                    "grid: {reallocation.tau: {from: 1, to: 1000}}\n"),
              HasSubstr("expected at most a hundred million; shorten its axes"));
}

TEST_F(ExpandTest, AMissingDataFileIsAnErrorOfThePlan) {
  const Catalog catalog = catalog_with_data(R"(
{kind: data, name: digits, version: 1, summary: Numbers., contents: [images.gz], obtain: "apt-get install digits, or set data.root=...",
 parameters: {data.root: {type: string, default: /nonexistent, affects_result: false, description: Folder.}}})");
  const auto sweep = folder_.write("s.yaml", "qbitopt: 1\nset: {method: fp32, model: tiny}\n");
  EXPECT_EQ(input_error([&] { read_sweep(sweep, {}, catalog); }),
            "data set 'digits': /nonexistent/images.gz is missing; expected below data.root = "
            "'/nonexistent'; to get it: "
            "apt-get install digits, or set data.root=...");
  EXPECT_THAT(input_error([&] { read_sweep(sweep, {"data.root=/elsewhere"}, catalog); }),
              HasSubstr("override:1:11: data set 'digits': /elsewhere/images.gz is missing"));
  folder_.write("data/images.gz", "1");
  folder_.write("copy/images.gz", "1");
  const std::string root = folder_.path().string();
  EXPECT_EQ(read_sweep(sweep, {"data.root=" + root + "/data"}, catalog).jobs[0].key,
            read_sweep(sweep, {"data.root=" + root + "/copy"}, catalog).jobs[0].key)
      << "the folder is not part of the identity";
  folder_.write("copy/images.gz", "2");
  EXPECT_NE(read_sweep(sweep, {"data.root=" + root + "/data"}, catalog).jobs[0].key,
            read_sweep(sweep, {"data.root=" + root + "/copy"}, catalog).jobs[0].key);
}

TEST_F(ExpandTest, PublishedWeightsArePartOfTheIdentityWhereverTheyLie) {
  const std::string root = folder_.path().string();
  const std::string header = R"({"a.b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";
  folder_.write("a/tiny.safetensors", weight_files::safetensors(header, "1"));
  folder_.write("b/tiny.safetensors", weight_files::safetensors(header, "1"));
  folder_.write("c/tiny.safetensors", weight_files::safetensors(header, "2"));
  const auto sweep = folder_.write("s.yaml", "qbitopt: 1\nset: {method: qbitopt, model: tiny}\n");
  // The checkpoint that it needs, and itself, whose key follows from that.
  const auto keys = [&](const std::vector<std::string>& overrides) {
    std::vector<std::string> keys;
    for (const PlannedJob& job : read_sweep(sweep, overrides, small_catalog()).jobs)
      keys.push_back(job.key);
    return keys;
  };
  const auto a = keys({"weights.root=" + root + "/a"});
  EXPECT_EQ(a, keys({"weights.root=" + root + "/b"}));
  for (const auto& other : {keys({"weights.root=" + root + "/c"}), keys({})}) {
    EXPECT_NE(a[0], other[0]);
    EXPECT_NE(a[1], other[1]);
  }
  const Plan both = read_sweep(
      folder_.write("both.yaml",
                    "qbitopt: 1\nset: {method: fp32, model: tiny}\ngrid: {weights.root: [" + root +
                        "/a, " + root + "/c]}\n"),
      {}, small_catalog());
  ASSERT_EQ(both.jobs.size(), 2u) << "as an axis, too";
}

TEST_F(ExpandTest, EveryMissingOrDamagedFileOfASweepIsNamed) {
  const Catalog catalog = catalog_with_data(
      "{kind: data, name: digits, version: 1, summary: Numbers., contents: [images.gz],\n"
      " parameters: {data.root: {type: string, default: /nonexistent, affects_result: false,\n"
      "                          description: Folder.}}}\n");
  folder_.write("weights/tiny.safetensors", "1");
  const auto sweep = folder_.write("s.yaml", "qbitopt: 1\nset: {method: qbitopt, weights.root: " +
                                                 (folder_.path() / "weights").string() +
                                                 "}\ngrid: {model: [resnet18, tiny]}\n");
  EXPECT_THAT(input_error([&] { read_sweep(sweep, {}, catalog); }),
              AllOf(HasSubstr("/nonexistent/images.gz is missing"),
                    HasSubstr("'resnet18' has no published weights"),
                    HasSubstr("tiny.safetensors contains no weights: it has only 1 bytes")));
}

TEST_F(ExpandTest, WeightsForOtherClassesAreAnErrorOfThePlan) {
  const Catalog catalog = catalog_with_data(
      "{kind: data, name: digits, version: 1, summary: Numbers.,\n"
      " parameters: {data.classes: {type: int, default: 2, description: Classes.}}}\n");
  folder_.write(
      "tiny.safetensors",
      weight_files::safetensors(R"({"fc.weight":{"dtype":"U8","shape":[4,2],"data_offsets":[0,8]},)"
                                R"("fc.bias":{"dtype":"U8","shape":[4],"data_offsets":[8,12]}})",
                                "123456789012"));
  const std::string root = folder_.path().string();
  const auto sweep = folder_.write(
      "s.yaml", "qbitopt: 1\nset: {method: qbitopt, model: tiny, weights.root: " + root + "}\n");
  EXPECT_THAT(input_error([&] { read_sweep(sweep, {}, catalog); }),
              HasSubstr("s.yaml:2:51: weights of 'tiny': " + root +
                        "/tiny.safetensors is of a network for 4 classes (fc.weight is [4, 2]), "
                        "but the data set has 2"));
  EXPECT_THAT(input_error([&] { read_sweep(sweep, {"data.classes=4,3"}, catalog); }),
              HasSubstr("but the data set has 3"));
  EXPECT_EQ(read_sweep(sweep, {"data.classes=4"}, catalog).jobs.size(), 2u);
}

TEST_F(ExpandTest, APt2FileForOtherImagesIsAnErrorOfThePlan) {
  const Catalog catalog = catalog_with_data(
      "{kind: data, name: digits, version: 1, summary: Numbers., classes: 3, image_channels: 1,\n"
      " parameters: {data.image_size: {type: int, default: 8, description: Size.}}}\n");
  const auto file = folder_.write("net.pt2", pt2::small_program().file());  // images of 1x4x4
  const auto sweep = folder_.write("s.yaml", "qbitopt: 1\nset: {method: fp32, model: net.pt2}\n");
  EXPECT_THAT(
      input_error([&] { read_sweep(sweep, {}, catalog); }),
      HasSubstr(sweep.string() + ":2:28: model '" + file.string() +
                "' takes images of 1x4x4 (channels x height x width), but those of the data set "
                "are 1x8x8; export it again with --input 1x8x8"));
  EXPECT_THAT(input_error([&] { read_sweep(sweep, {"data.image_size=4,5"}, catalog); }),
              HasSubstr("are 1x5x5"));
  EXPECT_EQ(read_sweep(sweep, {"data.image_size=4"}, catalog).jobs.size(), 1u);
  // A data set that does not say what its images are like is checked when the job starts.
  EXPECT_EQ(read_sweep(sweep, {}, small_catalog()).jobs.size(), 1u);
  const Catalog colored = catalog_with_data(
      "{kind: data, name: digits, version: 1, summary: Numbers., image_channels: 3}\n");
  EXPECT_THAT(input_error([&] { read_sweep(sweep, {}, colored); }), HasSubstr("are 3xanyxany"));
}

// One job each, though the folder is no part of their identity.
TEST_F(ExpandTest, WeightsFromTwoFoldersAreTwoStarts) {
  const std::string root = folder_.path().string();
  const std::string header = R"({"a.b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";
  folder_.write("a/tiny.safetensors", weight_files::safetensors(header, "1"));
  folder_.write("b/tiny.safetensors", weight_files::safetensors(header, "2"));
  const auto sweep = folder_.write(
      "s.yaml", "qbitopt: 1\nset: {method: fp32, model: tiny}\ngrid: {weights.root: [" + root +
                    "/a, " + root + "/b]}\n");
  EXPECT_EQ(read_sweep(sweep, {}, small_catalog()).jobs.size(), 2u);
}

TEST_F(ExpandTest, MissingPublishedWeightsAreAnErrorOfThePlan) {
  const auto sweep = folder_.write(
      "s.yaml", "qbitopt: 1\nset: {method: qbitopt, model: tiny, weights.root: /nonexistent}\n");
  EXPECT_THAT(
      input_error([&] { read_sweep(sweep, {}, small_catalog()); }),
      HasSubstr(
          "s.yaml:2:51: weights of 'tiny': /nonexistent/tiny.safetensors is missing; expected "
          "below weights.root = '/nonexistent'; to get it: tiny.pth, then "
          "tools/convert_weights.py tiny.pth tiny.safetensors"));
  EXPECT_THAT(input_error([&] { read_sweep(sweep, {"model=resnet18"}, small_catalog()); }),
              HasSubstr("'resnet18' has no published weights; leave weights.root out to train it "
                        "from scratch"));
}

constexpr char kOnlyQbitopt[] = "qbitopt: 1\nset: {method: qbitopt, model: tiny}\n";

TEST_F(ExpandTest, PointsThatAreOneJobAreNamed) {
  EXPECT_THAT(warnings(read(std::string(kOnlyQbitopt) + "seeds: [3, 3]\n")),
              ElementsAre("sweeps/sweep.yaml:3:12: seed 3 stands twice; it is run once"));
  EXPECT_THAT(warnings(read(std::string(kOnlyQbitopt) +
                            "grid: {budget.average_bits: [3.0000000000001, 3]}\n")),
              ElementsAre(HasSubstr("1 point of this product repeats the job of another point, "
                                    "which runs once; the first is budget.average_bits=3")));
  EXPECT_THAT(warnings(read(std::string(kOnlyQbitopt) +
                            "grid: {training.steps: [1, 2, 3]}\n"
                            "when: [{if: training.steps > 1, set: {training.steps: 1}}]\n")),
              ElementsAre(HasSubstr("2 points of this product repeat the job of another point, "
                                    "which runs once; the first is training.steps=2, whose job has "
                                    "training.steps=1")));
  EXPECT_THAT(warnings(read(std::string(kOnlyQbitopt) +
                            "grid: {training.steps: {min: 1, max: 2}}\nsample: {method: random, n: "
                            "50}\n")),
              ElementsAre(HasSubstr("48 points of this product repeat")));
}

TEST_F(ExpandTest, AnAxisThatDoesNotApplyRepeatsNothing) {
  EXPECT_THAT(warnings(read("qbitopt: 1\nset: {model: tiny}\n"
                            "grid: {method: [fp32, qbitopt], budget.average_bits: [2, 3, 4]}\n")),
              IsEmpty());
}

TEST_F(ExpandTest, EqualCasesShareTheirJobs) {
  const Plan plan = read(
      "qbitopt: 1\nset: {method: fp32, model: tiny}\nseeds: 2\n"
      "cases: {a: {}, b: {}, c: {set: {training.steps: 7}}}\n");
  ASSERT_EQ(plan.jobs.size(), 2u);
  EXPECT_THAT(plan.jobs[0].cases(), ElementsAre("a", "b", "c"));
  EXPECT_THAT(warnings(plan), ::testing::Contains(HasSubstr(
                                  "sweeps/sweep.yaml:4:16: 2 points of case 'b' are jobs of case "
                                  "'a', too, and run once for both")));
  EXPECT_EQ(to_json(plan)["counts"]["cases"], Json({{"a", 2}, {"b", 2}, {"c", 2}}));
}

TEST_F(ExpandTest, SeedsAreGivenInOneWay) {
  for (const char* other : {"grid: {seed: [7, 8]}\n", "set: {method: fp32, model: tiny, seed: 3}\n",
                            "zip: {a: {seed: [1, 2], training.steps: [1, 2]}}\n"}) {
    const std::string set =
        std::string(other).starts_with("set") ? "" : "set: {method: fp32, model: tiny}\n";
    EXPECT_THAT(error("qbitopt: 1\n" + set + other + "seeds: 3\n"),
                HasSubstr("the seeds are given by `seeds` and by the key 'seed' in `"));
  }
}

TEST_F(ExpandTest, RefusesWhatAJobWouldRefuse) {
  const auto complaint = [&](const std::string& set) {
    return error("qbitopt: 1\nset: {model: tiny, " + set + "}\n");
  };
  EXPECT_THAT(
      complaint("method: qbitopt, quantizers.candidate_bits: []"),
      HasSubstr(
          "sweeps/sweep.yaml:2:64: quantizers.candidate_bits must list at least one bit-width"));
  EXPECT_THAT(complaint("method: qbitopt, quantizers.candidate_bits: [8, 2]"),
              HasSubstr("quantizers.candidate_bits must be in ascending order, found [8, 2]"));
  EXPECT_THAT(complaint("method: qbitopt, quantizers.candidate_bits: [2, 2]"),
              HasSubstr("must be in ascending order"));
  EXPECT_THAT(complaint("method: qbitopt, quantizers.candidate_bits: [1]"),
              HasSubstr("need at least 2 bits"));
  EXPECT_THAT(complaint("method: qbitopt, solver: exact, budget.joint: 4"),
              HasSubstr("solver 'exact' takes one budget per quantizer"));
  EXPECT_THAT(error("qbitopt: 1\nset: {method: qbitopt, model: tiny}\n"
                    "needs: {fp32_checkpoint: {job: {method: fp32}, artifact: nonsense}}\n"),
              HasSubstr("unknown artifact 'nonsense'; known artifacts: model"));
  EXPECT_THAT(complaint("method: replay, replay.method: fp32"),
              HasSubstr("the job for the need 'allocation' has no 'allocation' to hand over, "
                        "because method 'fp32' does not quantize"));
}

TEST_F(ExpandTest, ASweepOfMoreThanAMillionJobsIsRefused) {
  EXPECT_THAT(
      error(std::string(kOnlyQbitopt) + "sample: {method: random, n: 1e9}\n"
                                        "grid: {training.learning_rate: {min: 1, max: 2}}\n"),
      HasSubstr("sweeps/sweep.yaml:3:29: n must be at most a million, found 1000000000"));
  EXPECT_THAT(error(std::string(kOnlyQbitopt) + "seeds: 1e9\n"),
              HasSubstr("more than a million seeds"));
  EXPECT_THAT(error(std::string(kOnlyQbitopt) +
                    "grid: {training.learning_rate: {linspace: [0, 1], num: 1e12}}\n"),
              HasSubstr("this axis has more than a million values"));
  EXPECT_THAT(error(std::string(kOnlyQbitopt) +
                    "grid: {training.steps: {from: 1, to: 1e5}, reallocation.tau: {from: 1, to: "
                    "1e5}, training.threads: {from: 1, to: 1e5}}\n"),
              HasSubstr("expected at most a hundred million; shorten its axes"));
}

TEST_F(ExpandTest, DrawsStayWithinWhatTheParameterTakes) {
  const auto drawn = [](const std::string& axis) {
    return std::string(kOnlyQbitopt) + "grid: {training.steps: " + axis +
           "}\nsample: {method: random, n: 50}\n";
  };
  EXPECT_THAT(values(read(drawn("{min: 0.5, max: 2.5}")), "training.steps"),
              Each(::testing::AnyOf(Json(1), Json(2))));
  EXPECT_THAT(error(drawn("{min: 0, max: 2}")),
              HasSubstr("an end of the drawn range is invalid: 'training.steps' must be at least 1 "
                        "steps, found 0"));
  EXPECT_THAT(error(drawn("{min: 1.2, max: 1.7}")), HasSubstr("no whole number lies between"));
  EXPECT_THAT(error(drawn("{min: 1, max: 1e300}")), HasSubstr("an end of the drawn range"));
}

TEST_F(ExpandTest, EveryPointIsChecked) {
  const std::string set = "qbitopt: 1\nset: {model: tiny, method: qbitopt}\ngrid: ";
  EXPECT_THAT(error(set + "{reallocation.tau: [1, 2], budget.average_bits: [3, 1]}\n"),
              HasSubstr("infeasible budget: 'budget.average_bits' is 1, below the smallest"));
  EXPECT_THAT(error(set + "{budget.average_bits: [3, 4, 1], reallocation.tau: [1, 2]}\n"),
              HasSubstr("sweeps/sweep.yaml:3:36: infeasible budget: 'budget.average_bits' is 1"));
  EXPECT_THAT(error(set + "{quantizers.candidate_bits: [[2, 4], [3, 8]], budget.average_bits: "
                          "[4, 2.5]}\n"),
              HasSubstr("'budget.average_bits' is 2.5, below the smallest candidate"));
}

TEST_F(ExpandTest, RulesMayNameCases) {
  const std::string text = R"(qbitopt: 1
set: {model: tiny, method: qbitopt}
grid: {solver: [exact, milp]}
cases: {a: {set: {reallocation.tau: 1}}, b: {set: {reallocation.tau: 2}}, c: {set: {reallocation.tau: 3}}}
)";
  EXPECT_THAT(values(read(text + "exclude: [{case: b, solver: milp}, \"case == 'c'\"]\n"),
                     "reallocation.tau"),
              ElementsAre(1, 1, 2));
  EXPECT_THAT(values(read(text + "only: [{case: [a, c]}]\n"), "reallocation.tau"),
              ElementsAre(1, 1, 3, 3));
  const Plan with_when = read(text + "when: [{if: case == 'b', set: {training.steps: 7}}]\n");
  EXPECT_THAT(values(with_when, "training.steps"), ElementsAre(100, 100, 7, 7, 100, 100));
  EXPECT_THAT(
      error(text + "exclude: [{case: d}]\n"),
      HasSubstr(
          "sweeps/sweep.yaml:5:11: unknown case 'd', did you mean 'a'?; known cases: a, b, c"));
  EXPECT_THAT(error(text + "exclude: [solver == 'milp' and case == 'aa']\n"),
              HasSubstr("sweeps/sweep.yaml:5:40: unknown case 'aa'"));
}

}  // namespace
}  // namespace qbitopt
