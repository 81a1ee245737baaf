#include "bayesian_bits.h"

#include <algorithm>
#include <cmath>

#include "qbitopt/core/error.h"
#include "qbitopt/quant/fake_quantize.h"
#include "qbitopt/quant/rounding.h"
#include "qbitopt/quant/uniform_quantizer.h"

namespace qbitopt::bayesian_bits {

using torch::Tensor;

namespace {

constexpr double kBeta = 2.0 / 3, kLow = -0.1, kHigh = 1.1;
constexpr double kShutThreshold = 0.34;
constexpr double kClip = 1 - 1e-7;

std::vector<int> levels_among(const QuantizerSpec& spec) {
  std::vector<int> levels;
  for (const int bits : {2, 4, 8}) {
    const auto& candidates = spec.candidate_bits;
    if (std::find(candidates.begin(), candidates.end(), bits) != candidates.end()) {
      levels.push_back(bits);
    }
  }
  if (levels.empty() || levels == std::vector<int>{2, 8}) {
    throw InputError("bayesian_bits doubles bits: quantizers.candidate_bits of '" + spec.name +
                     "' must hold some of 2, 4, 8 without a gap");
  }
  return levels;
}

}  // namespace

BayesianBitsQuantizer::BayesianBitsQuantizer(QuantizerSpec any_spec, RangeInit init,
                                             double start_phi)
    : RelaxedQuantizer(std::move(any_spec), init), levels_(levels_among(spec())) {
  maximum_ = register_parameter("maximum", torch::ones({1}));
  const auto gates = static_cast<int64_t>(levels_.size()) - 1;
  if (gates > 0) phi_ = register_parameter("phi", torch::full({gates}, start_phi));
}

Tensor BayesianBitsQuantizer::relaxed_bits() const {
  Tensor bits = torch::full({}, levels_.front(), maximum_.options().requires_grad(false));
  Tensor reached = torch::ones_like(bits);
  for (size_t i = 1; i < levels_.size(); ++i) {
    reached = reached * open_probability(phi_[static_cast<int64_t>(i) - 1]);
    bits = bits + reached * (levels_[i] - levels_[i - 1]);
  }
  return bits;
}

Tensor BayesianBitsQuantizer::cost() const {
  Tensor cost = torch::full({}, levels_.front(), maximum_.options().requires_grad(false));
  Tensor reached = torch::ones_like(cost);
  for (size_t i = 1; i < levels_.size(); ++i) {
    reached = reached * open_probability(phi_[static_cast<int64_t>(i) - 1]);
    cost = cost + reached * levels_[i];
  }
  return cost;
}

std::vector<Tensor> BayesianBitsQuantizer::bit_parameters() const {
  if (phi_.defined()) return {phi_};
  return {};
}

std::vector<Tensor> BayesianBitsQuantizer::range_parameters() const {
  std::vector<Tensor> parameters = RelaxedQuantizer::range_parameters();
  parameters.push_back(maximum_);
  return parameters;
}

int BayesianBitsQuantizer::nearest_bits() const {
  size_t level = 0;
  while (level + 1 < levels_.size() && is_open(phi_[static_cast<int64_t>(level)].item<double>())) {
    ++level;
  }
  return levels_[level];
}

void BayesianBitsQuantizer::fit(const RangeObserver& observer) {
  maximum_.fill_(fitted_limit(observer, bits()));
}

Tensor BayesianBitsQuantizer::quantize(const Tensor& a) {
  const Tensor maximum = maximum_.clamp_min(kRangeFloor);
  const Tensor low = spec().is_signed ? -maximum : torch::zeros_like(maximum);
  const Tensor x = torch::clamp(a, low, maximum) * kClip;
  if (!is_relaxed() || !is_training()) return quantize_nested(x, maximum, spec().is_signed, bits());
  std::vector<Tensor> gates;
  for (int closed = 2; closed < levels_.front(); closed *= 2) {
    gates.push_back(torch::ones({1}, maximum.options().requires_grad(false)));
  }
  if (phi_.defined()) {
    const Tensor u = torch::rand_like(phi_).clamp(1e-6, 1 - 1e-6);
    for (const Tensor& gate : hard_concrete(phi_, u).split(1)) gates.push_back(gate);
  }
  return quantize_nested(x, maximum, spec().is_signed, levels_.back(), gates);
}

Tensor hard_concrete(const Tensor& phi, const Tensor& u) {
  const Tensor logits = (u.log() - (1 - u).log() + phi) / kBeta;
  return (logits.sigmoid() * (kHigh - kLow) + kLow).clamp(0, 1);
}

Tensor open_probability(const Tensor& phi) {
  return (phi - kBeta * std::log(-kLow / kHigh)).sigmoid();
}

bool is_open(double phi) {
  return 1 / (1 + std::exp(phi - kBeta * std::log(-kLow / kHigh))) < kShutThreshold;
}

Tensor quantize_nested(const Tensor& x, const Tensor& maximum, bool is_signed, int bits,
                       const std::vector<Tensor>& gates) {
  std::vector<Tensor> parts;
  Tensor rest = x;
  Tensor step = maximum * ((is_signed ? 2.0 : 1.0) / 3);
  for (int b = 2; b <= bits; b *= 2) {
    if (b > 2) step = step / (std::exp2(b / 2) + 1);
    Tensor code = round_straight_through(rest / step);
    // 1 - 1e-7 keeps x below the half step at the ends, but for the rounding of float32.
    if (b == 2) code = code.clamp(is_signed ? -1 : 0, is_signed ? 1 : 3);
    parts.push_back(step * code);
    rest = rest - parts.back();
  }
  Tensor sum = parts.back();
  for (size_t i = parts.size() - 1; i > 0; --i) {
    sum = parts[i - 1] + (i - 1 < gates.size() ? gates[i - 1] * sum : sum);
  }
  return sum;
}

BayesianBits::BayesianBits(const Parameters& parameters)
    : GradientSearch(parameters.get<double>("bayesian_bits.search")),
      mu_(parameters.get<double>("bayesian_bits.mu")),
      gate_learning_rate_(parameters.get<double>("bayesian_bits.gate_learning_rate")),
      range_learning_rate_(parameters.get<double>("bayesian_bits.range_learning_rate")),
      start_phi_(parameters.get<double>("bayesian_bits.start_phi")) {}

std::shared_ptr<RelaxedQuantizer> BayesianBits::make_relaxed(const QuantizerSpec& spec,
                                                             const Parameters& parameters) {
  return std::make_shared<BayesianBitsQuantizer>(
      spec, UniformQuantizerOptions::from(parameters).range_init, start_phi_);
}

std::vector<ExtraParameters> BayesianBits::extra_parameters() {
  std::vector<ExtraParameters> groups = {
      {.tensors = all_range_parameters(), .learning_rate = range_learning_rate_}};
  if (!all_bit_parameters().empty()) {
    groups.push_back({.tensors = all_bit_parameters(), .learning_rate = gate_learning_rate_});
  }
  return groups;
}

Tensor BayesianBits::penalty(MethodContext& context, const StepState& state) {
  Tensor sum = torch::zeros({}, state.loss.options());
  for (const Budget& budget : context.problem().budgets) {
    int64_t largest = 1;
    for (const int member : budget.members) {
      largest = std::max(largest, context.problem().quantizers[member].weight);
    }
    for (const int member : budget.members) {
      const auto quantizer =
          std::dynamic_pointer_cast<BayesianBitsQuantizer>(context.quantizers()[member]);
      if (!quantizer) continue;
      const auto weight = static_cast<double>(context.problem().quantizers[member].weight);
      sum = sum + quantizer->cost() * (weight / static_cast<double>(largest));
    }
  }
  return mu_ * sum;
}

}  // namespace qbitopt::bayesian_bits
