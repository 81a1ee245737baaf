#include "qbitopt/methods/gradient_search.h"

#include <gmock/gmock.h>

#include "qbitopt/core/error.h"
#include "qbitopt/methods/budget_problem.h"
#include "qbitopt/quant/uniform_quantizer.h"

namespace qbitopt {
namespace {

using ::testing::HasSubstr;
using torch::Tensor;

// Bits are a parameter; values pass scaled by the range.
class PlainQuantizer : public RelaxedQuantizer {
 public:
  PlainQuantizer(QuantizerSpec spec, double bits)
      : RelaxedQuantizer(std::move(spec), RangeInit::kMinMax) {
    real_bits_ = register_parameter("real_bits", torch::full({1}, bits));
  }
  Tensor relaxed_bits() const override { return real_bits_.squeeze(0); }
  std::vector<Tensor> bit_parameters() const override { return {real_bits_}; }
  double limit = 0;

 protected:
  Tensor quantize(const Tensor& a) override { return 2 * a; }
  void fit(const RangeObserver& observer) override { limit = fitted_limit(observer, 3); }

 private:
  Tensor real_bits_;
};

class PlainSearch : public GradientSearch {
 public:
  using GradientSearch::GradientSearch;

 protected:
  std::shared_ptr<RelaxedQuantizer> make_relaxed(const QuantizerSpec& spec,
                                                 const Parameters&) override {
    return std::make_shared<PlainQuantizer>(spec, 4.0);
  }
  Tensor penalty(MethodContext&, const StepState&) override { return torch::ones({}); }
};

QuantizerSpec spec(const std::string& name, int64_t elements) {
  return {.name = name, .kind = TensorKind::kWeight, .elements = elements};
}

TEST(GradientSearchTest, PhasesAddUpToAllSteps) {
  // total, fraction, steps of the search
  const std::vector<std::tuple<int, double, int>> cases = {
      {400, 0.8, 320}, {10, 0.93, 9}, {10, 0.01, 1}, {3, 0.5, 2}};
  for (const auto& [total, fraction, first] : cases) {
    const auto phases = PlainSearch(fraction).phases(total);
    ASSERT_EQ(phases.size(), 2u);
    EXPECT_EQ(phases[0].name, "search");
    EXPECT_EQ(phases[0].steps, first);
    EXPECT_EQ(phases[1].steps, total - first);
  }
  EXPECT_EQ(PlainSearch(1).phases(10).size(), 1u);
}

TEST(GradientSearchTest, TheSecondPhaseIsAsAsked) {
  const auto phases =
      PlainSearch(0.5, {.name = "retrain", .restart_from_checkpoint = true}).phases(10);
  EXPECT_EQ(phases[1].name, "retrain");
  EXPECT_TRUE(phases[1].restart_from_checkpoint);
  EXPECT_EQ(phases[1].steps, 5);
}

TEST(GradientSearchTest, AFractionThatIsNoneIsAnError) {
  for (const double fraction : {0.0, 1.5}) {
    try {
      PlainSearch search(fraction);
      FAIL() << "expected InputError";
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr("expected more than 0 and at most 1"));
    }
  }
}

TEST(GradientSearchTest, PinnedTensorsKeepTheStandardQuantizer) {
  PlainSearch search(0.5);
  QuantizerSpec pinned = spec("stem.weight", 9);
  pinned.pinned_bits = 8;
  EXPECT_NE(std::dynamic_pointer_cast<UniformQuantizer>(search.make_quantizer(pinned, {})),
            nullptr);
  EXPECT_NE(
      std::dynamic_pointer_cast<PlainQuantizer>(search.make_quantizer(spec("a.weight", 9), {})),
      nullptr);
}

TEST(AverageBitsTest, WeighsRelaxedAndDecidedQuantizers) {
  const auto a = std::make_shared<PlainQuantizer>(spec("a.weight", 100), 3.5);
  const auto b = std::make_shared<PlainQuantizer>(spec("b.weight", 200), 5.0);
  const auto c = std::make_shared<PlainQuantizer>(spec("c.weight", 100), 2.2);
  c->set_bits(8);
  const Problem problem =
      budget_problem({a->spec(), b->spec(), c->spec()}, Parameters(Json{{"budget.weights", 4}}));
  const Tensor average = average_bits(problem, problem.budgets[0], {a, b, c});
  EXPECT_NEAR(average.item<double>(), (350 + 1000 + 800) / 400.0, 1e-6);
  average.backward();
  EXPECT_NEAR(a->bit_parameters()[0].grad().item<double>(), 0.25, 1e-6);
  EXPECT_NEAR(b->bit_parameters()[0].grad().item<double>(), 0.5, 1e-6);
  EXPECT_FALSE(c->bit_parameters()[0].grad().defined());
}

TEST(BudgetBitsTest, AreTheTightestLimitOfTheKind) {
  const auto limits = [](const Json& parameters) {
    return std::pair(budget_bits(TensorKind::kWeight, Parameters(parameters)),
                     budget_bits(TensorKind::kActivation, Parameters(parameters)));
  };
  EXPECT_EQ(limits({{"budget.average_bits", 4}, {"budget.weights", 3}}), std::pair(3.0, 4.0));
  EXPECT_EQ(limits({{"budget.weights", 5}, {"budget.joint", 4.5}}), std::pair(4.5, 4.5));
  EXPECT_TRUE(std::isinf(limits({{"budget.weights", 5}}).second));
}

TEST(RelaxedQuantizerTest, IsRelaxedUntilItGetsBits) {
  PlainQuantizer quantizer(spec("a.weight", 1), 3.4);
  EXPECT_TRUE(quantizer.is_relaxed());
  EXPECT_EQ(quantizer.bits(), 3);
  quantizer.set_bits(6);
  EXPECT_FALSE(quantizer.is_relaxed());
  EXPECT_EQ(quantizer.bits(), 6);
}

TEST(RelaxedQuantizerTest, CalibrationSeesTheTensorAboveItsOffset) {
  QuantizerSpec hard_swish{.name = "a.input",
                           .kind = TensorKind::kActivation,
                           .is_signed = false,
                           .has_offset = true,
                           .absorbs = Activation::kHardSwish};
  PlainQuantizer quantizer(hard_swish, 3);
  quantizer.begin_calibration();
  const Tensor x = torch::linspace(-3, 3, 1001), a = torch::hardswish(x);
  EXPECT_TRUE(torch::equal(quantizer.forward(x), a));
  quantizer.end_calibration();
  EXPECT_NEAR(quantizer.limit, 3 + 0.375, 1e-3);
  EXPECT_TRUE(torch::allclose(quantizer.forward(x), 2 * (a + 0.375) - 0.375, 1e-3, 1e-3));
  EXPECT_EQ(quantizer.range_parameters().size(), 1u);
}

TEST(RelaxedQuantizerTest, CalibrationWithoutDataNamesTheQuantizer) {
  PlainQuantizer quantizer(spec("a.weight", 1), 3);
  quantizer.begin_calibration();
  try {
    quantizer.end_calibration();
    FAIL() << "expected InputError";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("quantizer 'a.weight' saw no data during calibration"));
  }
}

TEST(RelaxedQuantizerTest, CandidatesNearAndBelow) {
  EXPECT_EQ(nearest_candidate({2, 4, 8}, 2.9), 2);
  EXPECT_EQ(nearest_candidate({2, 4, 8}, 3.0), 2);
  EXPECT_EQ(nearest_candidate({2, 4, 8}, 99), 8);
  EXPECT_EQ(candidate_below({2, 4, 8}, 4.0), 4);
  EXPECT_EQ(candidate_below({2, 4, 8}, 7.9), 4);
  EXPECT_EQ(candidate_below({2, 4, 8}, 1.0), 2);
}

}  // namespace
}  // namespace qbitopt
