#include "fracbits.h"

#include <algorithm>
#include <map>

#include "qbitopt/methods/budget_problem.h"
#include "qbitopt/quant/fake_quantize.h"
#include "qbitopt/quant/rounding.h"
#include "qbitopt/quant/uniform_quantizer.h"

namespace qbitopt::fracbits {

using torch::Tensor;

namespace {

constexpr int kTrials = 10;
constexpr double kTolerance = 0.01;

}  // namespace

FracBitsQuantizer::FracBitsQuantizer(QuantizerSpec any_spec, RangeInit init, double start_bits)
    : RelaxedQuantizer(std::move(any_spec), init),
      start_bits_(std::clamp<double>(start_bits, candidates().front(), candidates().back())) {
  lambda_ = register_parameter("lambda", torch::full({1}, start_bits_));
  if (spec().kind == TensorKind::kActivation) {
    alpha_ = register_parameter("alpha", torch::ones({1}));
  }
}

Tensor FracBitsQuantizer::relaxed_bits() const {
  return lambda_.clamp(candidates().front(), candidates().back()).squeeze(0);
}

std::vector<Tensor> FracBitsQuantizer::range_parameters() const {
  std::vector<Tensor> parameters = RelaxedQuantizer::range_parameters();
  if (alpha_.defined()) parameters.push_back(alpha_);
  return parameters;
}

void FracBitsQuantizer::clamp_bits() {
  const torch::NoGradGuard no_grad;
  lambda_.clamp_(candidates().front(), candidates().back());
}

void FracBitsQuantizer::fit(const RangeObserver& observer) {
  if (alpha_.defined()) {
    alpha_.fill_(fitted_limit(observer, nearest_candidate(candidates(), start_bits_)));
  }
}

Tensor FracBitsQuantizer::quantize(const Tensor& a) {
  const Tensor x = spec().kind == TensorKind::kWeight ? a.tanh() : a;
  if (!is_relaxed()) return at_bits(x, bits());
  const Tensor lambda = relaxed_bits();
  const int low = candidate_below(candidates(), lambda.item<double>());
  const auto above = std::upper_bound(candidates().begin(), candidates().end(), low);
  if (above == candidates().end() || lambda.item<double>() == low) return at_bits(x, low);
  return torch::lerp(at_bits(x, low), at_bits(x, *above), (lambda - low) / (*above - low));
}

Tensor FracBitsQuantizer::at_bits(const Tensor& x, int bits) const {
  if (spec().kind == TensorKind::kWeight) {
    return quantize_midrise(x, x.detach().abs().max().clamp_min(kRangeFloor).view({1}), bits);
  }
  if (spec().is_signed) return quantize_midrise(x, alpha_, bits);
  return fake_quantize(x, alpha_, Grid::make(bits, /*is_signed=*/false));
}

std::vector<int> assign_bits(const Problem& problem, const Budget& budget,
                             const std::vector<double>& lambdas) {
  const auto rounded = [&](double offset) {
    std::vector<int> bits;
    for (size_t i = 0; i < lambdas.size(); ++i) {
      bits.push_back(
          nearest_candidate(problem.quantizers[budget.members[i]].bits, lambdas[i] + offset));
    }
    return bits;
  };
  const int64_t allowed = capacity(budget, problem);
  const auto used = [&](const std::vector<int>& bits) {
    int64_t sum = 0;
    for (size_t i = 0; i < bits.size(); ++i) {
      sum += problem.quantizers[budget.members[i]].weight * bits[i];
    }
    return sum;
  };
  double low = -1, high = 0, offset = 0;
  std::vector<int> best = rounded(low);
  for (int trial = 0; trial <= kTrials; ++trial) {
    const std::vector<int> bits = rounded(offset);
    const int64_t now = used(bits);
    if (now > allowed) {
      high = offset;
    } else {
      low = offset;
      best = bits;
      const bool is_close =
          static_cast<double>(now) >= (1 - kTolerance) * static_cast<double>(allowed);
      if (is_close || offset == 0) break;
    }
    offset = (low + high) / 2;
  }
  return best;
}

FracBits::FracBits(const Parameters& parameters)
    : GradientSearch(parameters.get<double>("fracbits.search")),
      kappa_(parameters.get<double>("fracbits.kappa")),
      warmup_(parameters.get<double>("fracbits.warmup")),
      bits_learning_rate_(parameters.get<double>("fracbits.bits_learning_rate")),
      range_learning_rate_(parameters.get<double>("fracbits.range_learning_rate")) {}

std::shared_ptr<RelaxedQuantizer> FracBits::make_relaxed(const QuantizerSpec& spec,
                                                         const Parameters& parameters) {
  const double start = budget_bits(spec.kind, parameters) + 0.5;
  return std::make_shared<FracBitsQuantizer>(
      spec, UniformQuantizerOptions::from(parameters).range_init, start);
}

std::vector<ExtraParameters> FracBits::extra_parameters() {
  return by_gradient_descent(bits_learning_rate_, range_learning_rate_);
}

Tensor FracBits::penalty(MethodContext& context, const StepState& state) {
  if (static_cast<double>(state.step) < warmup_ * static_cast<double>(context.total_steps())) {
    return {};
  }
  Tensor sum;
  for (const Budget& budget : context.problem().budgets) {
    const Tensor excess = average_bits(context.problem(), budget, context.quantizers()) -
                          budget.average_bits.to_double();
    const Tensor term = kappa_ * excess.abs();
    sum = sum.defined() ? sum + term : term;
  }
  return sum;
}

void FracBits::after_step(MethodContext& context, const StepState& state) {
  for (const auto& quantizer : relaxed()) {
    std::static_pointer_cast<FracBitsQuantizer>(quantizer)->clamp_bits();
  }
  GradientSearch::after_step(context, state);
}

void FracBits::decide(MethodContext& context) {
  std::vector<double> lambdas;
  for (const QuantizerPtr& quantizer : context.quantizers()) {
    const auto relaxed = std::dynamic_pointer_cast<RelaxedQuantizer>(quantizer);
    lambdas.push_back(relaxed ? relaxed->relaxed_bits().item<double>() : quantizer->bits());
  }
  std::map<int, int> chosen;  // a member of two budgets gets the smaller bits
  for (const Budget& budget : context.problem().budgets) {
    std::vector<double> own;
    for (const int member : budget.members) own.push_back(lambdas[member]);
    const std::vector<int> bits = assign_bits(context.problem(), budget, own);
    for (size_t i = 0; i < bits.size(); ++i) {
      const auto [place, is_new] = chosen.emplace(budget.members[i], bits[i]);
      if (!is_new) place->second = std::min(place->second, bits[i]);
    }
  }
  for (const auto& [member, bits] : chosen) {
    Quantizer& quantizer = *context.quantizers()[member];
    if (!quantizer.spec().pinned_bits) quantizer.set_bits(bits);
  }
  GradientSearch::decide(context);  // what no budget counts
}

}  // namespace qbitopt::fracbits
