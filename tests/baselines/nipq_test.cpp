#include "baselines/nipq/nipq.h"

#include <gmock/gmock.h>

#include <cmath>

#include "baselines/numeric.h"
#include "baselines/small_job.h"

namespace qbitopt::nipq {
namespace {

using torch::Tensor;

std::shared_ptr<NipqQuantizer> calibrated(bool is_signed, const Tensor& x) {
  auto quantizer = std::make_shared<NipqQuantizer>(
      QuantizerSpec{.name = "a.input",
                    .kind = TensorKind::kActivation,
                    .is_signed = is_signed,
                    .absorbs = is_signed ? Activation::kIdentity : Activation::kRelu},
      RangeInit::kMse);
  quantizer->begin_calibration();
  quantizer->forward(x);
  quantizer->end_calibration();
  return quantizer;
}

TEST(NipqQuantizerTest, BitsAreASigmoidBetweenTheEndsOfTheCandidates) {
  const auto quantizer = calibrated(true, gaussian({100}));
  EXPECT_FLOAT_EQ(quantizer->relaxed_bits().item<float>(), 5);
  const torch::NoGradGuard no_grad;
  quantizer->bit_parameters().at(0).fill_(-1.5);
  EXPECT_NEAR(quantizer->relaxed_bits().item<double>(), 2 + 6 / (1 + std::exp(1.5)), 1e-5);
}

TEST(NipqQuantizerTest, TheGradientOfTheBitsIsThatOfFiniteDifferences) {
  const auto quantizer = calibrated(true, gaussian({100}));
  expect_gradient(
      quantizer->bit_parameters().at(0), 0, [&] { return quantizer->relaxed_bits().square(); },
      1e-2, 1e-2);
}

TEST(NipqQuantizerTest, TrainingAddsRoundingErrorsInsideAndClipsOutside) {
  const Tensor x = gaussian({2000});
  for (const bool is_signed : {true, false}) {
    const auto quantizer = calibrated(is_signed, x);
    quantizer->train();
    torch::manual_seed(1);
    const Tensor a = is_signed ? x : x.relu();
    const Tensor out = quantizer->forward(x).detach();
    const double limit = quantizer->limit().item<double>();
    const double step = limit / (is_signed ? 7 : 15);  // drawn: 4 to 6 bits; at least 4
    const Tensor inside = a.abs() <= limit;
    EXPECT_LE((out - a).abs().masked_select(inside).max().item<double>(), step / 2 + 1e-5);
    EXPECT_GT((out - a).abs().masked_select(inside).max().item<double>(), step / 10);
    EXPECT_TRUE(torch::allclose(out.masked_select(inside.logical_not()),
                                (a.sign() * limit).masked_select(inside.logical_not())));
  }
}

TEST(NipqQuantizerTest, EvaluationAndWhatComesAfterTheSearchRound) {
  const Tensor x = gaussian({500});
  for (const bool is_signed : {true, false}) {
    const auto quantizer = calibrated(is_signed, x);
    const double limit = quantizer->limit().item<double>();
    const double p = is_signed ? 15 : 31;
    const Tensor v = (x / (limit / p)).clamp(is_signed ? -p : 0, p);
    const Tensor expected = v.round() * (limit / p);
    quantizer->eval();
    EXPECT_TRUE(torch::allclose(quantizer->forward(x), expected, 1e-4, 1e-5));
    quantizer->train();
    EXPECT_FALSE(torch::allclose(quantizer->forward(x), expected, 1e-4, 1e-5));
    quantizer->set_bits(5);
    EXPECT_TRUE(torch::allclose(quantizer->forward(x), expected, 1e-4, 1e-5));
  }
}

TEST(NipqQuantizerTest, NoiseCarriesAGradientToTheBits) {
  const auto quantizer = calibrated(true, gaussian({100}));
  quantizer->train();
  torch::manual_seed(3);
  const Tensor x = gaussian({500});
  const Tensor out = quantizer->forward(x);
  out.square().sum().backward();
  // dx_hat/dp = -e L / p^2, dp/db = ln 2 * (p + 1), db/dbeta = 6 / 4 at the middle.
  const double limit = quantizer->limit().item<double>();
  const Tensor noise = (out - x.clamp(-limit, limit)).detach();
  double p = 0, residue = 1e9;  // the drawn bits are those whose grid the steps of the noise fit
  const double gradient = quantizer->bit_parameters().at(0).grad().item<double>();
  for (const int bits : {4, 5, 6}) {
    const double levels = std::exp2(bits - 1) - 1;
    const double expected = -(2 * out.detach() * noise).sum().item<double>() * std::log(2) *
                            (levels + 1) / levels * 1.5;
    if (std::abs(expected - gradient) < residue) {
      residue = std::abs(expected - gradient);
      p = levels;
    }
  }
  EXPECT_NEAR(residue, 0, 1e-2) << "p " << p;
}

TEST(RoundingErrorsTest, AreThoseOfTheTensorBetweenItsEnds) {
  const Tensor x = torch::tensor({0.0, 0.3, 0.8, 1.4, 9.0});
  const Tensor errors = rounding_errors(x, torch::tensor({1.0}), 0, 3);
  EXPECT_TRUE(
      torch::allclose(std::get<0>(errors.sort()), torch::tensor({-0.4f, -0.3f, 0.2f}), 1e-5, 1e-6));
}

TEST(NipqQuantizerTest, ZerosOfAReluStayZero) {
  const Tensor x = gaussian({500});
  const auto quantizer = calibrated(false, x);
  quantizer->train();
  const Tensor out = quantizer->forward(x).detach();
  EXPECT_EQ(out.masked_select(x <= 0).abs().max().item<double>(), 0);
}

TEST(BudgetPenaltyTest, PullsWithOneStrengthUntilOneBitIsTooMany) {
  for (const double average : {3.5, 2.5}) {
    Tensor bits = torch::full({}, average).requires_grad_();
    const Tensor penalty = budget_penalty(bits, 3, /*elements=*/1000);
    EXPECT_NEAR(penalty.item<double>(), 0.5 - 0.5 / 1000, 1e-6);
    penalty.backward();
    EXPECT_EQ(bits.grad().item<double>(), average > 3 ? 1 : -1);
  }
  EXPECT_NEAR(budget_penalty(torch::full({}, 3.25), 3, /*elements=*/2).item<double>(),
              0.25 * 0.25 / (2 * 0.5), 1e-7);
}

TEST(NipqPenaltyTest, IsTheDistanceOfTheRoundedBitsFromEveryBudget) {
  SmallJob<Nipq> job({{"nipq.strength", 2},
                      {"nipq.search", 0.6},
                      {"nipq.bits_learning_rate", 0},
                      {"nipq.range_learning_rate", 0},
                      {"budget.average_bits", 4}});
  const auto place = [&](const std::string& name, double bits) {
    const double share = (bits - 2) / 6;
    job.set(name, {static_cast<float>(std::log(share / (1 - share)))});
  };
  place("a.weight", 5.3);  // counts as 5
  place("b.weight", 3);
  place("a.input", 6);
  place("b.input", 4.2);  // 4
  // Weights (6 * 5 + 18 * 3) / 24 = 3.5 of 24 elements, inputs (32 * 6 + 48 * 4) / 80 = 4.8 of 80.
  const Tensor penalty = job.penalty();
  EXPECT_NEAR(penalty.item<double>(), 2 * (0.5 - 0.5 / 24 + 0.8 - 0.5 / 80), 1e-5);
  // Rounding passes the gradient: d bits / d beta = 6 s (1 - s) at s = 3.3 / 6.
  penalty.backward();
  EXPECT_NEAR(job.variables("a.weight").grad().item<double>(), -2 * 6 / 24.0 * 6 * 0.55 * 0.45,
              1e-5);
}

}  // namespace
}  // namespace qbitopt::nipq
