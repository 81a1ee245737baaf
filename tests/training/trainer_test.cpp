#include "qbitopt/training/trainer.h"

#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <set>
#include <utility>

#include "qbitopt/allocation/budget_check.h"
#include "qbitopt/allocation/highs.h"
#include "qbitopt/allocation/solver.h"
#include "qbitopt/config/catalog.h"
#include "qbitopt/core/error.h"
#include "qbitopt/core/json.h"
#include "qbitopt/core/text_file.h"
#include "qbitopt/methods/allocation_method.h"
#include "qbitopt/models/weights.h"
#include "qbitopt/sensitivity/sensitivity.h"
#include "training/lab.h"

namespace qbitopt {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::Key;

// One for all tests: the fp32 checkpoint is trained once.
Lab& lab() {
  static Lab lab;
  return lab;
}

std::string settings(const std::string& method, const std::string& more = "") {
  const bool is_fp32 = method.rfind("fp32", 0) == 0;
  return "{method: " + method + (is_fp32 ? "" : ", budget.average_bits: 3") +
         (more.empty() ? "" : ", " + more) + "}";
}

// Everything but times, which differ from run to run.
Json timeless(const Recorder& recorder) {
  Json json = Json::array();
  for (const Metrics& m : recorder.all<Metrics>()) json.push_back({m.step, m.split, m.values});
  for (const Reallocation& r : recorder.all<Reallocation>()) {
    json.push_back(
        {r.step, r.status, r.objective, r.bound.value_or(-1), r.bits, r.sensitivities, r.ranges});
  }
  const Finished finished = recorder.finished();
  json.push_back({finished.steps, finished.results, finished.bits, finished.weight_bytes});
  for (const Artifact& a : recorder.all<Artifact>()) {
    if (a.name == "allocation") json.push_back({a.path, a.sha256, a.bytes});
  }
  return json;
}

class EveryMethod : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryMethod, TrainsTheRecipesStepsAndTellsItsResults) {
  const Recorder& told = lab().train(settings(GetParam()));
  const Finished finished = told.finished();
  EXPECT_EQ(finished.steps, GetParam() == "fp32" ? 12 : 10);
  for (const char* name :
       {"top1", "loss", "validation_top1", "validation_loss", "validation_top1_batch_mode"}) {
    EXPECT_THAT(finished.results, Contains(Key(name)));
  }
  EXPECT_THAT(told.all<Metrics>(), ::testing::SizeIs(finished.steps));
  EXPECT_THAT(finished.seconds, Gt(0));
  EXPECT_THAT(finished.peak_memory_bytes, Gt(1 << 20));
  EXPECT_EQ(told.resumed_from_step, 0);
}

TEST_P(EveryMethod, EndsWithBitsThatAreCandidates) {
  const Recorder& told = lab().train(settings(GetParam()));
  const std::vector<int> bits = told.finished().bits;
  if (told.all<Inventory>().empty()) return;
  const auto quantizers = told.all<Inventory>()[0].quantizers;
  ASSERT_EQ(quantizers.size(), bits.size());
  for (size_t i = 0; i < bits.size(); ++i) {
    if (quantizers[i].pinned_bits) {
      EXPECT_EQ(bits[i], quantizers[i].pinned_bits) << quantizers[i].name;
    } else {
      EXPECT_THAT(bits[i], ::testing::AllOf(::testing::Ge(2), ::testing::Le(8)))
          << quantizers[i].name;
    }
  }
}

TEST_P(EveryMethod, KeepsTheBudgetInExactIntegersIfItPromisesSo) {
  const Manifest& manifest = whole_catalog().get("method", GetParam());
  if (!manifest.guarantees_budget) return;
  const Recorder& told = lab().train(settings(GetParam()));
  const Finished finished = told.finished();
  EXPECT_TRUE(finished.budget_met);
  if (told.all<Inventory>().empty()) return;
  const auto quantizers = told.all<Inventory>()[0].quantizers;
  ASSERT_EQ(quantizers.size(), finished.bits.size());
  for (const char* kind : {"weight", "activation"}) {
    int64_t used = 0, allowed = 0;
    for (size_t i = 0; i < quantizers.size(); ++i) {
      if (quantizers[i].kind != kind || !quantizers[i].counted) continue;
      used += quantizers[i].elements * finished.bits[i];
      allowed += quantizers[i].elements * 3;
    }
    EXPECT_LE(used, allowed) << kind;
    // The budget is there to be spent.
    if (manifest.library.empty()) {
      EXPECT_GT(used, allowed * 9 / 10) << kind;
    }
  }
}

TEST_P(EveryMethod, GivesTheSameResultTwice) {
  EXPECT_EQ(timeless(lab().train(settings(GetParam()))),
            timeless(lab().train(settings(GetParam()))));
}

TEST_P(EveryMethod, GoesOnFromACheckpointToTheSameResult) {
  const Recorder& undisturbed = lab().train(settings(GetParam()));
  EXPECT_EQ(timeless(lab().train_in_two(settings(GetParam()), 5).whole), timeless(undisturbed));
}

// Their own rounding, and all that the tests above say of the default, joined passes.
TEST(TrainerTest, LibTorchsKernelsRepeatAndGoOnFromACheckpoint) {
  const std::string separate = settings("qbitopt", "training.kernels: libtorch");
  const Recorder& undisturbed = lab().train(separate);
  EXPECT_EQ(timeless(lab().train(separate)), timeless(undisturbed));
  EXPECT_NE(timeless(lab().train(settings("qbitopt"))), timeless(undisturbed));
  EXPECT_EQ(timeless(lab().train_in_two(separate, 5).whole), timeless(undisturbed));
}

TEST_P(EveryMethod, DependsOnTheSeed) {
  EXPECT_NE(timeless(lab().train(settings(GetParam()))),
            timeless(lab().train(settings(GetParam(), "seed: 1"))));
}

// Plugins included. That each is registered under its manifest's name: see load_plugin() and
// ConformanceTest.
// Bytes and bit operations recomputed from the network's own layers and the final bits.
struct Totals {
  int64_t weight_bits = 0;
  int64_t bops = 0;
};

Totals totals_of(const Recorder& told, Lab& lab) {
  const auto network = lab.registries().networks.make("resnet8", {});
  network->measure({1, 8, 8});
  std::map<std::string, int64_t> bits;
  const auto quantizers = told.all<Inventory>().at(0).quantizers;
  for (size_t i = 0; i < quantizers.size(); ++i)
    bits[quantizers[i].name] = told.finished().bits.at(i);
  Totals totals;
  const std::vector<LayerSites> layers = network->layer_sites();
  for (size_t i = 1; i + 1 < layers.size(); ++i) {
    const int64_t weight = bits.at(layers[i].weight->spec().name);
    totals.weight_bits += layers[i].latent.numel() * weight;
    totals.bops += layers[i].macs * weight * bits.at(layers[i].input->spec().name);
  }
  return totals;
}

double achieved(const Finished& finished, const std::string& kind) {
  for (const BudgetState& budget : finished.budgets) {
    if (budget.group == kind) return budget.achieved;
  }
  throw std::out_of_range(kind);
}

class EveryMethodThatTakesTotals : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryMethodThatTakesTotals, KeepsBytesAndBitOperationsInExactIntegers) {
  if (!Highs::why_missing().empty()) GTEST_SKIP() << Highs::why_missing();
  const auto settings = [&](const std::string& budgets) {
    return "{method: " + GetParam() + ", " + budgets +
           (GetParam() == "fixed_precision" ? "" : ", solver: milp") + "}";
  };
  // At 3 bits 76,288 weights are 28,608 bytes.
  const Recorder& bytes = lab().train(settings("budget.weight_bytes: 28607"));
  EXPECT_LE(totals_of(bytes, lab()).weight_bits, 28607 * 8);
  EXPECT_EQ(achieved(bytes.finished(), "weight_bytes"),
            static_cast<double>(totals_of(bytes, lab()).weight_bits) / 8);
  EXPECT_TRUE(bytes.finished().budget_met);
  // All at 4 bits, but for one bit operation.
  const auto network = lab().registries().networks.make("resnet8", {});
  network->measure({1, 8, 8});
  int64_t macs = 0;
  const std::vector<LayerSites> layers = network->layer_sites();
  for (size_t i = 1; i + 1 < layers.size(); ++i) macs += layers[i].macs;
  const int64_t limit = macs * 16 - 1;
  const Recorder& bops = lab().train(settings("budget.bops: " + std::to_string(limit)));
  EXPECT_LE(totals_of(bops, lab()).bops, limit);
  EXPECT_GT(totals_of(bops, lab()).bops, limit / 2);
  EXPECT_EQ(achieved(bops.finished(), "bops"), totals_of(bops, lab()).bops);
}

std::vector<std::string> methods_with_totals() {
  std::vector<std::string> names;
  for (const std::string& name : whole_catalog().names("method")) {
    const Manifest& manifest = whole_catalog().get("method", name);
    const bool takes = std::any_of(manifest.includes.begin(), manifest.includes.end(),
                                   [](const auto& i) { return i.second == "budget_totals"; });
    // Another job's bits, which the next test replays.
    if (takes && manifest.guarantees_budget) names.push_back(name);
  }
  return names;
}

INSTANTIATE_TEST_SUITE_P(All, EveryMethodThatTakesTotals,
                         ::testing::ValuesIn(methods_with_totals()),
                         [](const auto& info) { return info.param; });

TEST(TrainerTest, AReplayKeepsTheTotalsOfTheJobThatItReplays) {
  if (!Highs::why_missing().empty()) GTEST_SKIP() << Highs::why_missing();
  const std::string budgets = "budget.bops: 9000000, budget.weight_bytes: 40000, solver: milp";
  const Recorder& original = lab().train("{method: qbitopt, " + budgets + "}");
  const Recorder& replayed = lab().train("{method: replay, " + budgets + "}");
  EXPECT_EQ(replayed.finished().bits, original.finished().bits);
  EXPECT_TRUE(replayed.finished().budget_met);
  EXPECT_LE(totals_of(replayed, lab()).bops, 9000000);
  EXPECT_LE(totals_of(replayed, lab()).weight_bits, 40000 * 8);
}

INSTANTIATE_TEST_SUITE_P(Registered, EveryMethod,
                         ::testing::ValuesIn(whole_catalog().names("method")),
                         [](const auto& info) { return info.param; });

TEST(ConformanceTest, EveryManifestHasItsCode) {
  Registries registries;
  register_everything(registries);
  EXPECT_EQ(builtin_catalog().names("method"), registries.methods.names());
  EXPECT_EQ(builtin_catalog().names("model"), registries.networks.names());
  EXPECT_EQ(builtin_catalog().names("data"), registries.data_sets.names());
  SensitivityRegistry sensitivities("sensitivity");
  register_sensitivities(sensitivities);
  EXPECT_EQ(builtin_catalog().names("sensitivity"), sensitivities.names());
  SolverRegistry solvers("solver");
  register_solvers(solvers);
  EXPECT_EQ(builtin_catalog().names("solver"), solvers.names());
}

TEST(TrainerTest, StaticAndQbitoptAreTheSameAtTheStart) {
  const auto start = [](const char* method) {
    const Reallocation first = lab().train(settings(method)).all<Reallocation>().at(0);
    return Json{first.step, first.bits, first.ranges, first.objective, first.bound.value_or(-1)};
  };
  EXPECT_EQ(start("static_allocation"), start("qbitopt"));
}

TEST(TrainerTest, HawqV2IsTheStaticAllocationOfHessianTracesByAnIntegerProgram) {
  if (!Highs::why_missing().empty()) GTEST_SKIP() << Highs::why_missing();
  const std::string measure = "hessian_trace.samples: 16, hessian_trace.vectors: 8";
  const Recorder& plugin = lab().train(settings("hawq_v2", measure));
  const Recorder& built_in = lab().train(
      settings("static_allocation", "sensitivity: hessian_trace, solver: milp, " + measure));
  EXPECT_EQ(timeless(plugin), timeless(built_in));

  const auto choices = plugin.all<Reallocation>();
  ASSERT_EQ(choices.size(), 1u);  // once, before training
  EXPECT_EQ(choices[0].step, 0);
  EXPECT_EQ(choices[0].solver, "milp");
  EXPECT_EQ(choices[0].bits, plugin.finished().bits);

  // The answer of another solver to the costs that were told.
  Problem problem;
  problem.budgets = {{"weight", {}, Decimal::parse("3")}, {"activation", {}, Decimal::parse("3")}};
  const Inventory inventory = plugin.all<Inventory>()[0];
  for (const auto& quantizer : inventory.quantizers) {
    const int q = static_cast<int>(problem.quantizers.size());
    AllocationQuantizer& entry = problem.quantizers.emplace_back();
    entry = {quantizer.name, quantizer.elements, {}, {}};
    if (quantizer.pinned_bits) {
      entry.bits = {*quantizer.pinned_bits};
      entry.costs = {0};
    } else {
      for (const auto& [bits, cost] : choices[0].costs[q]) {
        entry.bits.push_back(bits);
        entry.costs.push_back(cost);
      }
    }
    if (quantizer.counted) {
      problem.budgets[quantizer.kind == "weight" ? 0 : 1].members.push_back(q);
    }
  }
  SolverRegistry solvers("solver");
  register_solvers(solvers);
  const Solution best = solvers.make("exact", Parameters())->solve(problem);
  EXPECT_NEAR(choices[0].objective, best.objective, 1e-9 * best.objective);
  EXPECT_TRUE(is_within_budgets(problem, choices[0].bits));
}

std::vector<int64_t> reallocation_steps(const std::string& more) {
  std::vector<int64_t> steps;
  for (const Reallocation& r : lab().train(settings("qbitopt", more)).all<Reallocation>())
    steps.push_back(r.step);
  return steps;
}

TEST(TrainerTest, BitsAreChosenEveryTauStepsUntilTheyRest) {
  // 10 steps, batch norm frozen at step 7
  EXPECT_THAT(reallocation_steps(""), ElementsAre(0, 2, 4, 6));
  EXPECT_THAT(reallocation_steps("reallocation.until: 0.5"), ElementsAre(0, 2, 4));
  EXPECT_THAT(reallocation_steps("reallocation.until: 1"), ElementsAre(0, 2, 4, 6, 8));
  // the 18th step of a cosine over 20 steps has 5.4% of the learning rate, the 19th 2.4%
  const std::string long_run = "reallocation.tau: 1, training.steps: 20, batch_norm.freeze_at: 1";
  EXPECT_EQ(reallocation_steps(long_run).back(), 18);
  EXPECT_EQ(reallocation_steps(long_run + ", training.schedule: constant").back(), 19);
}

TEST(TrainerTest, AScheduleWithoutAReallocationIsSaid) {
  const auto warnings = [](const std::string& more) {
    std::string text;
    for (const Note& note : lab().train(settings("qbitopt", more)).all<Note>()) text += note.text;
    return text;
  };
  EXPECT_THAT(warnings("reallocation.tau: 7"),
              HasSubstr("no reallocation fits between step reallocation.tau = 7 and the freeze of "
                        "batch norm at step 7 (of 10 steps)"));
  EXPECT_THAT(warnings("reallocation.tau: 2"), ::testing::Not(HasSubstr("no reallocation fits")));
}

CostTable equal_costs(const SensitivityContext& context) {
  CostTable table;
  for (const QuantizerPtr& quantizer : context.quantizers)
    table.costs.emplace_back(quantizer->spec().candidate_bits.size(), 1.0);
  return table;
}

// Runs a job whose method `make` makes, instead of the registered one, with the exact solver.
template <typename Make>
void run_instead(const std::string& method, const std::string& more, const Make& make) {
  Lab own_lab;
  SolverRegistry solvers("solver");
  register_solvers(solvers);
  MethodRegistry methods("method");
  methods.add(method, [&](const Parameters& parameters) {
    return make(parameters, solvers.make("exact", parameters));
  });
  const Attempt attempt = own_lab.attempt(settings(method, more));
  own_lab.registries().methods = methods;
  Recorder recorder;
  own_lab.run(attempt, recorder);
}

// The steps at which estimates were forgotten.
class Forgetful : public Sensitivity {
 public:
  explicit Forgetful(std::vector<int64_t>& forgotten) : forgotten_(forgotten) {}
  void observe_step(const std::vector<QuantizerPtr>&, int64_t, double) override { ++observed_; }
  void forget(const std::vector<QuantizerPtr>&) override { forgotten_.push_back(observed_); }
  CostTable estimate(SensitivityContext& context) override { return equal_costs(context); }

 private:
  std::vector<int64_t>& forgotten_;
  int64_t observed_ = 0;
};

// Takes down the bits at which it measures for the first time.
class BitsTaker : public Sensitivity {
 public:
  explicit BitsTaker(std::set<int>& bits) : bits_(bits) {}
  CostTable estimate(SensitivityContext& context) override {
    for (const QuantizerPtr& quantizer : context.quantizers) bits_.insert(quantizer->bits());
    return equal_costs(context);
  }

 private:
  std::set<int>& bits_;
};

TEST(TrainerTest, FirstSensitivitiesAreMeasuredAtTheBitsThatAreAskedFor) {
  const auto bits_at = [](int asked) {
    std::set<int> bits;
    run_instead("static_allocation", "", [&](const Parameters&, auto solver) {
      return std::make_unique<AllocationMethod>(std::make_unique<BitsTaker>(bits),
                                                std::move(solver), std::nullopt, asked);
    });
    return bits;
  };
  EXPECT_THAT(bits_at(0), ElementsAre(3, 8)) << "the budget's, and the pinned tensors'";
  EXPECT_THAT(bits_at(5), ElementsAre(5, 8));
  const auto sensitivities = [](const std::string& more) {
    return lab().train(settings("static_allocation", more)).all<Reallocation>().at(0).sensitivities;
  };
  EXPECT_NE(sensitivities(""), sensitivities("calibration.sensitivity_bits: 0"));
}

// Halfway the weights are put back.
class TwoPhases : public AllocationMethod {
 public:
  using AllocationMethod::AllocationMethod;
  std::vector<Phase> phases(int64_t steps) const override {
    return {{"search", steps / 2}, {"finetune", steps - steps / 2, true, true}};
  }
};

TEST(TrainerTest, EstimatesStartAnewWhenBatchNormFreezesAndWhenAPhaseRestarts) {
  std::vector<int64_t> forgotten;
  run_instead("qbitopt", "reallocation.until: 1", [&](const Parameters& parameters, auto solver) {
    return std::make_unique<TwoPhases>(std::make_unique<Forgetful>(forgotten), std::move(solver),
                                       ReallocationSchedule::from(parameters));
  });
  EXPECT_THAT(forgotten, ElementsAre(5, 7));
}

TEST(TrainerTest, AMinimumGainOfAllKeepsTheFirstBits) {
  const auto told =
      lab().train(settings("qbitopt", "reallocation.min_gain: 1")).all<Reallocation>();
  ASSERT_EQ(told.size(), 4u);
  for (const Reallocation& r : told) EXPECT_EQ(r.bits, told[0].bits);
}

TEST(TrainerTest, ASolverWithoutABoundTellsNone) {
  const auto told = lab().train(settings("qbitopt", "solver: uniform")).all<Reallocation>();
  EXPECT_FALSE(told.at(0).bound.has_value());
  EXPECT_FALSE(told.at(0).gap.has_value());
  EXPECT_TRUE(lab().train(settings("qbitopt")).all<Reallocation>().at(0).gap.has_value());
}

TEST(TrainerTest, RandomReallocationMovesTheBits) {
  const auto told = lab().train(settings("random_reallocation")).all<Reallocation>();
  EXPECT_NE(told.at(1).bits, told.at(2).bits);
}

TEST(TrainerTest, ReplayTrainsWithTheBitsOfTheOtherJob) {
  const Finished other = lab().train(settings("qbitopt")).finished();
  EXPECT_EQ(lab().train(settings("replay")).finished().bits, other.bits);
}

TEST(TrainerTest, ReplayRefusesTheAllocationOfAnotherNetwork) {
  Attempt attempt = lab().attempt(settings("replay"));
  attempt.inputs["allocation"] = attempt.folder + "/other.json";
  std::ofstream(attempt.inputs["allocation"]) << R"({"features.0.0.weight": 8})";
  Recorder recorder;
  try {
    lab().run(attempt, recorder);
    FAIL() << "expected InputError";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("other.json: no bits for quantizer 'conv1.input'"));
  }
}

TEST(TrainerTest, SplitFisherEstimatesRunTwoPassesAStep) {
  const Recorder& told = lab().train(settings("qbitopt", "fit.weights: split"));
  EXPECT_NE(timeless(told), timeless(lab().train(settings("qbitopt"))));
}

TEST(TrainerTest, AJointBudgetMovesBitsBetweenWeightsAndActivations) {
  const Finished finished = lab().train("{method: static_allocation, budget.joint: 3}").finished();
  std::vector<std::string> limited;
  for (const BudgetState& budget : finished.budgets) {
    if (budget.limit) limited.push_back(budget.group);
  }
  EXPECT_THAT(limited, ElementsAre("joint"));
  for (const BudgetState& budget : finished.budgets) {
    if (budget.group == "joint") {
      EXPECT_LE(budget.achieved, 3);
    }
    EXPECT_EQ(budget.limit.has_value(), budget.group == "joint");
  }
}

TEST(TrainerTest, ABudgetThatNoBitsMeetNamesTheSmallestThatCanBeMet) {
  try {
    lab().train("{method: qbitopt, budget.average_bits: 2, quantizers.count_first_last: true}");
    FAIL() << "expected InputError";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("the weight budget of 2 bits cannot be met: with every tensor at its "
                          "smallest candidate the average is 2.0"));
  }
}

TEST(TrainerTest, ADivergedRunFailsAndSaysSo) {
  try {
    lab().train("{method: fp32, pretraining.learning_rate: 1e30}");
    FAIL() << "expected JobError";
  } catch (const JobError& error) {
    EXPECT_EQ(error.error_class(), "non_finite");
    EXPECT_THAT(error.what(), HasSubstr("a smaller learning rate"));
  }
}

// The loss is looked at every third step here.
TEST(TrainerTest, ADivergedRunNamesTheStepAtWhichItsLossWasNoNumber) {
  Recorder told;
  try {
    lab().run(
        lab().attempt("{method: fp32, pretraining.learning_rate: 1e30, pretraining.steps: 300}"),
        told);
    FAIL() << "expected JobError";
  } catch (const JobError& error) {
    EXPECT_THAT(error.what(), HasSubstr("at step 2;"));
  }
  ASSERT_EQ(told.all<NonFinite>().size(), 1u);
  EXPECT_EQ(told.all<NonFinite>()[0].step, 2);
}

TEST(TrainerTest, WeightsThatAreNoNumbersAtTheEndAreNoResult) {
  try {
    lab().train(
        "{method: fp32, pretraining.learning_rate: 1e10, pretraining.weight_decay: 1e30,\n"
        " pretraining.steps: 1}");
    FAIL() << "expected JobError";
  } catch (const JobError& error) {
    EXPECT_EQ(error.error_class(), "non_finite");
    EXPECT_THAT(error.what(), ::testing::AllOf(HasSubstr("after the last step, 1, '"),
                                               HasSubstr("weight' holds infinity")));
  }
}

TEST(TrainerTest, ARangeThatDivergedIsNamed) {
  try {
    lab().train(
        settings("random_reallocation",
                 "reallocation.tau: 2, ranges.learning_rate: 1e30, training.learning_rate: 1e30"));
    FAIL() << "expected JobError";
  } catch (const JobError& error) {
    EXPECT_EQ(error.error_class(), "non_finite");
    EXPECT_THAT(error.what(), HasSubstr("the range of '"));
  }
}

TEST(TrainerTest, SettingsThatCannotTrainAreNamed) {
  const std::pair<std::string, std::string> cases[] = {
      {"quantizers.candidate_bits: [1]", "are signed and need at least 2 bits, found [1]"},
      {"quantizers.first_last_bits: 1", "need at least 2 bits"},
      {"fit.weights: split, training.batch_size: 7",
       "halves each batch, but 'training.batch_size' is 7"},
      {"fit.weights: split, calibration.batch_size: 1",
       "halves each batch, but 'calibration.batch_size' is 1"},
      {"fit.weights: split, training.accumulate: 3, training.batch_size: 16",
       "'training.accumulate' is 3, but 'training.batch_size' 16 is not a multiple"},
      {"training.nesterov: true, training.optimizer: adamw", "applies to training.optimizer: sgd"},
      {"training.schedule: linear",
       "unknown choice 'linear'; known choices: constant, cosine, polynomial, step"},
      {"training.nesterov: true, training.momentum: 0", "needs a momentum above 0"}};
  for (const auto& [setting, message] : cases) {
    try {
      lab().train(settings("qbitopt", setting));
      FAIL() << "expected InputError: " << setting;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr(message)) << setting;
    }
  }
}

TEST(TrainerTest, PinnedTensorsThatCountLeaveOneBitWidthLess) {
  const Recorder& told =
      lab().train(settings("fixed_precision", "quantizers.count_first_last: true"));
  EXPECT_TRUE(told.finished().budget_met);
  for (const BudgetState& budget : told.finished().budgets) {
    if (budget.limit) {
      EXPECT_LE(budget.achieved, 3);
    }
  }
}

// A loss that nothing can change.
TEST(TrainerTest, WithoutASensitivityBitsStayAndTheRunSaysSo) {
  const Recorder& told =
      lab().train(settings("qbitopt",
                           "training.label_smoothing: 1, training.distillation: 1, "
                           "reallocation.tau: 2, training.learning_rate: 0"));
  for (const Reallocation& choice : told.all<Reallocation>())
    EXPECT_EQ(choice.bits, told.all<Reallocation>().front().bits);
}

TEST(TrainerTest, ADamagedStartingCheckpointIsNamed) {
  Attempt attempt = lab().attempt(settings("fixed_precision"));
  attempt.inputs["fp32_checkpoint"] = attempt.folder + "/model.pth";
  std::ofstream(attempt.inputs["fp32_checkpoint"]) << "not a model";
  Recorder recorder;
  try {
    lab().run(attempt, recorder);
    FAIL() << "expected InputError";
  } catch (const InputError& error) {
    EXPECT_THAT(
        error.what(),
        HasSubstr("model.pth: is neither safetensors nor PyTorch's zip file, or was cut off"));
  }
}

// In its middle, where LibTorch would read it without a word; torn; gone.
TEST(TrainerTest, ADamagedCheckpointIsSaidAndTheJobStartsFromItsBeginning) {
  const Recorder& undisturbed = lab().train(settings("fixed_precision"));
  Attempt first = lab().attempt(settings("fixed_precision"));
  Recorder before;
  before.stop_at_step = 5;
  ASSERT_EQ(lab().run(first, before), RunOutcome::kInterrupted);
  const std::string whole = read_bytes(first.folder + "/checkpoint");
  std::string flipped = whole;
  flipped[flipped.size() / 2] ^= 0x40;
  for (const std::string& content : {flipped, whole.substr(0, whole.size() / 2), std::string()}) {
    Attempt second = lab().attempt(settings("fixed_precision"));
    second.resume_from = second.folder + "/damaged";
    if (!content.empty()) std::ofstream(second.resume_from, std::ios::binary) << content;
    Recorder after;
    ASSERT_EQ(lab().run(second, after), RunOutcome::kFinished);
    EXPECT_EQ(after.resumed_from_step, 0);
    EXPECT_THAT(after.all<Note>().front().text,
                HasSubstr("/damaged" + std::string(content.empty() ? "" : " is damaged")));
    EXPECT_THAT(after.all<Note>().front().text, HasSubstr("; the job starts from its beginning"));
    EXPECT_EQ(after.finished().results, undisturbed.finished().results);
  }
}

TEST(TrainerTest, WithoutTheFreezeBatchNormIsReestimated) {
  const Recorder& frozen = lab().train(settings("fixed_precision"));
  const Recorder& reestimated = lab().train(
      settings("fixed_precision", "batch_norm.freeze_at: 1, batch_norm.reestimate_batches: 3"));
  const Recorder& kept = lab().train(
      settings("fixed_precision", "batch_norm.freeze_at: 1, batch_norm.reestimate_batches: 0"));
  EXPECT_NE(frozen.finished().results, reestimated.finished().results);
  EXPECT_NE(kept.finished().results.at("loss"), reestimated.finished().results.at("loss"));
  EXPECT_EQ(kept.finished().results.at("validation_top1_batch_mode"),
            reestimated.finished().results.at("validation_top1_batch_mode"));
}

// A method that breaks rules, as a plugin might.
class Rogue : public Method {
 public:
  explicit Rogue(int bits) : bits_(bits) {}
  void finish(MethodContext& context) override {
    for (const QuantizerPtr& quantizer : context.quantizers()) {
      if (!quantizer->spec().pinned_bits) quantizer->set_bits(bits_);
    }
  }

 private:
  int bits_;
};

class RogueTest : public ::testing::Test {
 protected:
  // Runs a fixed_precision job with a rogue in the method's place.
  Recorder& run(int bits, bool guarantees_budget) {
    MethodRegistry methods("method");
    methods.add("fixed_precision",
                [bits](const Parameters&) { return std::make_unique<Rogue>(bits); });
    Attempt attempt = lab_.attempt(settings("fixed_precision"));
    attempt.job.guarantees_budget = guarantees_budget;
    lab_.registries().methods = methods;
    lab_.run(attempt, recorder_);
    return recorder_;
  }

  Lab lab_;
  Recorder recorder_;
};

TEST_F(RogueTest, AboveAPromisedBudgetTheJobFails) {
  try {
    run(4, /*guarantees_budget=*/true);
    FAIL() << "expected JobError";
  } catch (const JobError& error) {
    EXPECT_EQ(error.error_class(), "budget_exceeded");
    EXPECT_THAT(error.what(), HasSubstr("weight budget of 3 bits, used 4"));
  }
  EXPECT_TRUE(recorder_.all<Finished>().empty());
}

TEST_F(RogueTest, AboveAnUnpromisedBudgetTheRunIsStoredAsMissed) {
  const Finished finished = run(4, /*guarantees_budget=*/false).finished();
  EXPECT_FALSE(finished.budget_met);
}

TEST_F(RogueTest, BitsThatAreNoCandidateFailTheJob) {
  try {
    run(9, /*guarantees_budget=*/false);
    FAIL() << "expected JobError";
  } catch (const JobError& error) {
    EXPECT_EQ(error.error_class(), "invalid_bits");
    EXPECT_THAT(error.what(), HasSubstr("at 9 bits, expected [2,3,4,5,6,7,8]"));
  }
}

// Made-up images, five of which cannot be decoded; or none of the test images.
class ScratchedData : public DataSet {
 public:
  ScratchedData(std::unique_ptr<DataSet> whole, bool has_test)
      : whole_(std::move(whole)), has_test_(has_test) {}
  std::unique_ptr<BatchStream> train(const TrainStreamOptions& options) const override {
    return whole_->train(options);
  }
  std::unique_ptr<BatchStream> once(Split split, int64_t batch_size, int64_t limit,
                                    Transport transport) const override {
    if (split == Split::kTest && !has_test_) return std::make_unique<NoImages>();
    return whole_->once(split, batch_size, limit, transport);
  }
  int64_t size(Split split) const override { return whole_->size(split); }
  int64_t classes() const override { return whole_->classes(); }
  std::vector<int64_t> image_shape() const override { return whole_->image_shape(); }
  std::map<std::string, std::string> damaged() const override {
    return {{"a", "the file is empty"}, {"b", "no JPEG"}, {"c", "no PNG"}, {"d", ""}, {"e", ""}};
  }

 private:
  // One batch, of images that were all left out.
  class NoImages : public BatchStream {
    bool next(Batch& batch) override {
      batch = {torch::empty({0, 1, 8, 8}), torch::empty({0}, torch::kInt64)};
      return !std::exchange(is_over_, true);
    }
    bool is_over_ = false;
  };
  std::unique_ptr<DataSet> whole_;
  bool has_test_;
};

class DamageTest : public ::testing::Test {
 protected:
  Recorder& run(bool has_test) {
    DataSetRegistry data_sets("data set");
    data_sets.add("synthetic", [this, has_test](const Parameters& parameters) {
      return std::make_unique<ScratchedData>(whole_.make("synthetic", parameters), has_test);
    });
    const Attempt attempt = lab_.attempt(settings("fp32"));
    lab_.registries().data_sets = data_sets;
    lab_.run(attempt, recorder_);
    return recorder_;
  }

  Lab lab_;
  const DataSetRegistry whole_ = lab_.registries().data_sets;
  Recorder recorder_;
};

TEST_F(DamageTest, ImagesThatCannotBeDecodedAreWarnedOfOnceWithNumberAndNames) {
  std::vector<std::string> texts;
  for (const Note& note : run(/*has_test=*/true).all<Note>()) {
    EXPECT_EQ(note.level, "warning");
    if (note.text.find("decoded") != std::string::npos) texts.push_back(note.text);
  }
  EXPECT_THAT(texts, ElementsAre("5 images could not be decoded and were skipped: a (the file is "
                                 "empty), b (no JPEG), c (no PNG) and 2 more"));
}

TEST_F(DamageTest, WithoutOneReadableTestImageTheJobFails) {
  try {
    run(/*has_test=*/false);
    FAIL() << "expected JobError";
  } catch (const JobError& error) {
    EXPECT_EQ(error.error_class(), "data");
    EXPECT_THAT(error.what(), HasSubstr("none of the 64 test images can be decoded to measure "
                                        "accuracy; 5 images could not be decoded"));
  }
  EXPECT_TRUE(recorder_.all<Finished>().empty());
}

TEST(TrainerTest, PublishedWeightsAreTakenAsTheyAre) {
  Attempt trained = lab().attempt(settings("fp32"));
  Recorder from_scratch;
  lab().run(trained, from_scratch);
  const TemporaryFolder weights;
  std::filesystem::copy_file(trained.folder + "/model.pth", weights.path() / "resnet8.pth");
  Attempt taken = lab().attempt(settings("fp32"));
  taken.job.parameters["weights.root"] = weights.path().string();
  Recorder told;
  EXPECT_EQ(lab().run(taken, told), RunOutcome::kFinished);
  EXPECT_EQ(told.finished().steps, 0);
  EXPECT_EQ(told.finished().results, from_scratch.finished().results);
  EXPECT_THAT(told.all<Artifact>(), ::testing::Not(::testing::IsEmpty()));
}

TEST(TrainerTest, PublishedWeightsThatAreNoNumbersAreNamed) {
  Attempt trained = lab().attempt(settings("fp32"));
  Recorder ignored;
  lab().run(trained, ignored);
  StateDict state = read_weights(trained.folder + "/model.pth");
  state["bn1.running_var"][5] = NAN;
  const TemporaryFolder weights;
  write_file_atomically(weights.path() / "resnet8.pth", to_state_file(state));
  Attempt taken = lab().attempt(settings("fp32"));
  taken.job.parameters["weights.root"] = weights.path().string();
  try {
    lab().run(taken, ignored);
    FAIL() << "expected InputError";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("resnet8.pth: 'bn1.running_var' holds NaN (1 of 16 values)"));
  }
}

// Against labels that are spread over all ten classes no answer has less than their entropy.
TEST(TrainerTest, LabelsMayBeSmoothed) {
  const Recorder& told = lab().train(settings("fp32", "pretraining.label_smoothing: 1"));
  for (const Metrics& metrics : told.all<Metrics>())
    EXPECT_GE(metrics.values.at("loss"), std::log(10) - 1e-6);
}

// Close to float32, not equal to it; and evaluated in float32, so that answers do not depend on it.
TEST(TrainerTest, AutocastTrainsInSixteenBits) {
  for (const std::string method : {"fp32", "qbitopt"}) {
    const Recorder& full = lab().train(settings(method));
    for (const std::string type : {"bf16", "fp16"}) {
      const std::string place = method == "fp32" ? "pretraining" : "training";
      const Recorder& half = lab().train(settings(method, place + ".autocast: " + type));
      const double expected = full.all<Metrics>().front().values.at("loss");
      const double found = half.all<Metrics>().front().values.at("loss");
      EXPECT_NE(found, expected) << method << type;
      EXPECT_NEAR(found, expected, 0.02 * expected) << method << type;
      EXPECT_NEAR(half.all<Metrics>().back().values.at("loss"),
                  full.all<Metrics>().back().values.at("loss"), 0.3)
          << method << type;
    }
  }
}

// Squared gradients hold the square of the loss scale, at least 2^24 here.
TEST(TrainerTest, TheLossScaleOfFloat16DoesNotReachTheSensitivities) {
  const auto cost = [](const Recorder& told) {
    const std::vector<double> costs = told.all<Reallocation>().back().sensitivities;
    return std::accumulate(costs.begin(), costs.end(), 0.0);
  };
  const Recorder& full = lab().train(settings("qbitopt"));
  const Recorder& half = lab().train(settings("qbitopt", "training.autocast: fp16"));
  ASSERT_GT(half.all<Reallocation>().back().step, 0);
  EXPECT_NEAR(std::log2(cost(half) / cost(full)), 0, 1);
}

TEST(TrainerTest, Float16GoesOnFromACheckpointWithItsLossScale) {
  const std::string in_float16 = settings("qbitopt", "training.autocast: fp16");
  const Recorder& undisturbed = lab().train(in_float16);
  const Attempt first = lab().attempt(in_float16);
  Recorder before;
  before.stop_at_step = 5;
  ASSERT_EQ(lab().run(first, before), RunOutcome::kInterrupted);
  torch::serialize::InputArchive archive;
  archive.load_from(first.folder + "/checkpoint");
  const auto number = [&](const char* name) {
    c10::IValue value;
    archive.read(name, value);
    return value.toScalar().to<double>();
  };
  EXPECT_EQ(number("loss_scale"), 65536 * std::pow(0.5, number("skipped_steps")));
  EXPECT_GT(number("good_steps"), 0);

  Attempt second = lab().attempt(in_float16);
  second.resume_from = first.folder + "/checkpoint";
  Recorder whole;
  ASSERT_EQ(lab().run(second, whole), RunOutcome::kFinished);
  whole.events.insert(whole.events.begin(), before.events.begin(), before.events.end());
  EXPECT_EQ(timeless(whole), timeless(undisturbed));
}

// Everything that a recipe may have beside the defaults, on one method with bits that change and one
// with phases.
class EveryRecipe : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryRecipe, GoesOnFromACheckpointToTheSameResult) {
  const Recorder& undisturbed = lab().train(GetParam());
  EXPECT_NE(
      undisturbed.finished().results,
      lab().train(GetParam().substr(0, GetParam().find(", training.")) + "}").finished().results);
  for (const int stop_at : {3, 7}) {
    EXPECT_EQ(timeless(lab().train_in_two(GetParam(), stop_at).whole), timeless(undisturbed));
  }
}

constexpr const char* kRecipes[] = {
    "training.ema_decay: 0.7, training.validate_every: 2",
    "training.ema_decay: 0.7, training.autocast: fp16, training.accumulate: 2",
    "training.clip_gradient_norm: 0.5, training.schedule: step, training.warmup_steps: 2",
    "training.clip_gradient_norm: 0.5, training.autocast: fp16",
    "training.accumulate: 4, training.schedule: polynomial, training.end_factor: 0.1",
    "training.optimizer: adamw, training.learning_rate: 0.002, training.ema_decay: 0.5",
    "training.optimizer: adamw, training.autocast: fp16, training.accumulate: 2",
};

std::vector<std::string> every_recipe() {
  std::vector<std::string> all;
  for (const char* recipe : kRecipes) {
    all.push_back(settings("qbitopt", recipe));
    all.push_back(settings("qbitopt, reallocation.range_at_change: refit", recipe));
    all.push_back(settings("qbitopt, fit.weights: split", recipe));
    all.push_back(settings("fracbits", recipe));
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Recipes, EveryRecipe, ::testing::ValuesIn(every_recipe()));

TEST(TrainerTest, RecipesAtTheirDefaultsLeaveAJobItsKey) {
  const std::string key = lab().attempt(settings("qbitopt")).job.key;
  for (const std::string setting :
       {"ema_decay: 0", "clip_gradient_norm: 0", "accumulate: 1", "optimizer: sgd", "beta1: 0.9",
        "beta2: 0.999", "epsilon: 1.0e-8", "end_factor: 0", "power: 1", "milestones: [0.5, 0.75]",
        "gamma: 0.1"}) {
    EXPECT_EQ(lab().attempt(settings("qbitopt", "training." + setting)).job.key, key) << setting;
  }
  EXPECT_NE(lab().attempt(settings("qbitopt", "training.ema_decay: 0.9")).job.key, key);
}

// The tensors of a trained network, under their names.
StateDict trained(const std::string& settings) {
  const Attempt attempt = lab().attempt(settings);
  Recorder recorder;
  lab().run(attempt, recorder);
  return read_weights(attempt.folder + "/model.pth");
}

TEST(TrainerTest, AveragedWeightsAreTheMovingAverageOfTheSteps) {
  const auto after = [](int steps, const std::string& more) {
    return trained(settings("fixed_precision", "training.steps: " + std::to_string(steps) +
                                                   ", training.schedule: constant, " + more +
                                                   "batch_norm.freeze_at: 1, "
                                                   "batch_norm.reestimate_batches: 0"));
  };
  StateDict first = after(1, ""), second = after(2, "");
  for (const auto& [name, average] : after(2, "training.ema_decay: 0.75, ")) {
    const bool is_averaged = average.is_floating_point() && !name.ends_with(".fisher");
    const torch::Tensor expected =
        is_averaged ? 0.75 * first[name] + 0.25 * second[name] : second[name];
    EXPECT_TRUE(torch::allclose(average, expected, 1e-5, 1e-7)) << name;
  }
}

TEST(TrainerTest, AveragingStartsAfterWarmUpAndAnewWithEachPhase) {
  const auto results = [](const std::string& method, const std::string& more) {
    return lab().train(settings(method, more)).finished().results;
  };
  EXPECT_EQ(results("fixed_precision", "training.warmup_steps: 10, training.ema_decay: 0.9"),
            results("fixed_precision", "training.warmup_steps: 10"));
  // The average begins after the warm-up: of one step, it is that step's weights.
  EXPECT_EQ(results("fixed_precision", "training.warmup_steps: 9, training.ema_decay: 0.9"),
            results("fixed_precision", "training.warmup_steps: 9"));
  EXPECT_NE(results("fixed_precision", "training.warmup_steps: 8, training.ema_decay: 0.9"),
            results("fixed_precision", "training.warmup_steps: 8"));
  const std::string one_step = "fracbits.search: 0.9";  // and one to finetune
  EXPECT_EQ(results("fracbits", one_step + ", training.ema_decay: 0.9"),
            results("fracbits", one_step));
}

// Looking does not disturb the training, and sees what the final evaluation does.
TEST(TrainerTest, ValidationUsesTheAveragedWeights) {
  const std::string averaged = "training.ema_decay: 0.8";
  const Recorder& unseen = lab().train(settings("qbitopt", averaged));
  const Recorder& seen =
      lab().train(settings("qbitopt", averaged + ", training.validate_every: 5"));
  EXPECT_EQ(seen.finished().results, unseen.finished().results);
  const Metrics last = seen.all<Metrics>().back();
  ASSERT_EQ(last.split, "validation");
  EXPECT_NEAR(last.values.at("loss"), seen.finished().results.at("validation_loss"), 1e-5);
}

TEST(TrainerTest, WithoutTheFreezeBatchNormIsReestimatedForTheAveragedWeights) {
  const auto state = [](int batches) {
    return trained(settings("fixed_precision",
                            "training.ema_decay: 0.8, batch_norm.freeze_at: 1, "
                            "batch_norm.reestimate_batches: " +
                                std::to_string(batches)));
  };
  StateDict averaged = state(0), reestimated = state(3);
  EXPECT_TRUE(torch::equal(averaged["conv1.weight"], reestimated["conv1.weight"]));
  EXPECT_FALSE(torch::equal(averaged["bn1.running_mean"], reestimated["bn1.running_mean"]));
}

// With frozen batch norm the images of a batch do not see each other.
TEST(TrainerTest, AccumulatedPassesMakeTheStepOfTheWholeBatch) {
  const auto train = [](const std::string& passes, const std::string& more) -> const Recorder& {
    return lab().train(settings("qbitopt",
                                "batch_norm.freeze_at: 0, training.steps: 4, "
                                "reallocation.until: 1, "
                                "training.accumulate: " +
                                    passes + more));
  };
  for (const std::string more :
       {"", ", fit.weights: split", ", training.clip_gradient_norm: 0.1"}) {
    const bool is_split = more.find("split") != std::string::npos;
    const Recorder& whole = train("1", more);
    for (const std::string passes : {"2", "8"}) {
      const Recorder& parts = train(passes, more);
      const auto expected = whole.all<Metrics>(), found = parts.all<Metrics>();
      ASSERT_EQ(found.size(), expected.size());
      EXPECT_NEAR(found[1].values.at("loss"), expected[1].values.at("loss"),
                  1e-4 * expected[1].values.at("loss"));
      if (is_split && passes == "8") continue;  // another estimate of the same
      const Reallocation costs = whole.all<Reallocation>().at(1);
      const Reallocation from_parts = parts.all<Reallocation>().at(1);
      ASSERT_EQ(from_parts.costs.size(), costs.costs.size());
      for (size_t q = 0; q < costs.costs.size(); ++q) {
        for (const auto& [bits, cost] : costs.costs[q]) {
          EXPECT_NEAR(from_parts.costs[q].at(bits), cost, 2e-2 * cost) << q << " at " << bits;
        }
      }
    }
  }
}

// The job of settings("qbitopt"), whatever the one that starts from it has.
constexpr const char* kQbitoptJob =
    "{job: {method: qbitopt, budget.average_bits: 3, training.learning_rate: 0.01, "
    "ranges.learning_rate: 0.01, batch_norm.freeze_at: 0.7}}";
const std::string kFromQbitopt = std::string("{start_from: ") + kQbitoptJob + "}";
// Nothing moves, and frozen batch norm does not look at the images.
const std::string kStandStill =
    "training.learning_rate: 0, ranges.learning_rate: 0, batch_norm.freeze_at: 0";

TEST(TrainerTest, AStartFromAQuantizedNetworkTakesItsWeightsRangesAndBits) {
  const Finished other = lab().train(settings("qbitopt")).finished();
  for (const std::string method : {"qbitopt", "static_allocation", "replay"}) {
    const std::string needs = method == "replay" ? std::string("{allocation: ") + kQbitoptJob +
                                                       ", start_from: " + kQbitoptJob + "}"
                                                 : kFromQbitopt;
    const Recorder& told = lab().train(settings(method, kStandStill), needs);
    const Reallocation first = told.all<Reallocation>().at(0);
    EXPECT_EQ(first.status, "initial") << method;
    EXPECT_EQ(first.bits, other.bits) << method;
    EXPECT_EQ(told.finished().bits, other.bits) << method;
    EXPECT_EQ(told.finished().results, other.results) << method;
  }
}

TEST(TrainerTest, BitsThatExceedTheBudgetAreChosenAnewAndRangesStay) {
  const auto first = [](const std::string& method, const char* budget) {
    return lab()
        .train("{method: " + method + ", budget.average_bits: " + budget + ", " + kStandStill + "}",
               kFromQbitopt)
        .all<Reallocation>()
        .at(0);
  };
  const Reallocation kept = first("qbitopt", "3"), chosen = first("qbitopt", "2.5");
  EXPECT_EQ(kept.status, "initial");
  EXPECT_EQ(chosen.solver, "relax_greedy");
  EXPECT_NE(chosen.bits, kept.bits);
  EXPECT_EQ(chosen.ranges, kept.ranges);
  for (const BudgetState& budget : chosen.budgets) EXPECT_LE(budget.achieved, 2.5);
  EXPECT_EQ(first("fixed_precision", "4").ranges, kept.ranges);
  EXPECT_NE(lab().train(settings("fixed_precision")).all<Reallocation>().at(0).ranges, kept.ranges);
}

// What a metric measures of a weight before training is what it measures in training, where
// nothing has moved: with the trained widths, and not with those of a first calibration.
TEST(TrainerTest, AMeasuredStartFromAQuantizedNetworkSeesItsRanges) {
  const Recorder& told =
      lab().train(std::string("{method: qbitopt, sensitivity: quant_mse, budget.average_bits: 2.5, "
                              "reallocation.until: 1, ") +
                      kStandStill + "}",
                  kFromQbitopt);
  const auto allocations = told.all<Reallocation>();
  ASSERT_GE(allocations.size(), 2u);
  ASSERT_EQ(allocations[0].solver, "relax_greedy");
  const auto quantizers = told.all<Inventory>().at(0).quantizers;
  for (size_t q = 0; q < quantizers.size(); ++q) {
    if (quantizers[q].kind == "weight") {
      EXPECT_EQ(allocations[0].costs[q], allocations[1].costs[q]) << quantizers[q].name;
    }
  }
}

TEST(TrainerTest, AStartFromAQuantizedNetworkGoesOnFromACheckpointToTheSameResult) {
  const Recorder& undisturbed = lab().train(settings("qbitopt"), kFromQbitopt);
  EXPECT_EQ(timeless(lab().train_in_two(settings("qbitopt"), 5, kFromQbitopt).whole),
            timeless(undisturbed));
}

TEST(TrainerTest, ANetworkWithOtherQuantizersIsNoStart) {
  const std::pair<const char*, const char*> cases[] = {
      {"{start_from: {job: {method: fracbits}}}", "start_from needs a network that was trained"},
      {"{start_from: {job: {method: qbitopt, quantizers.per_channel_weights: true}}}",
       "range is [16], expected [1]"}};
  for (const auto& [needs, message] : cases) {
    try {
      lab().train(settings("qbitopt"), needs);
      FAIL() << "expected InputError: " << needs;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr(message));
    }
  }
}

// With the running statistics of batch norm the first answers are the teacher's own.
TEST(TrainerTest, DistillationLearnsFromTheStartingCheckpoint) {
  const Recorder& told =
      lab().train(settings("fp32_continued", "training.distillation: 1, batch_norm.freeze_at: 0"));
  const std::vector<Metrics> curve = told.all<Metrics>();
  EXPECT_NEAR(curve.front().values.at("loss"), 0, 1e-6);
  EXPECT_LT(curve.back().values.at("loss"), 0.1);
}

TEST(TrainerTest, DistillationNeedsATeacher) {
  try {
    lab().train(settings("fp32", "pretraining.distillation: 0.5"));
    FAIL() << "expected InputError";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("set distillation below `training`, not below `pretraining`"));
  }
}

}  // namespace
}  // namespace qbitopt
