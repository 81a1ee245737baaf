#include "dq.h"

#include <algorithm>
#include <cmath>

#include "qbitopt/quant/fake_quantize.h"
#include "qbitopt/quant/rounding.h"
#include "qbitopt/quant/uniform_quantizer.h"

namespace qbitopt::dq {

using torch::Tensor;

namespace {

constexpr double kSmallest = 1.0 / 256, kLargestStep = 1, kLargestMaximum = 127;
constexpr double kBitsPerKibibyte = 8 * 1024;

}  // namespace

DqQuantizer::DqQuantizer(QuantizerSpec any_spec, RangeInit init, int start_bits)
    : RelaxedQuantizer(std::move(any_spec), init),
      start_bits_(nearest_candidate(spec().candidate_bits, start_bits)) {
  step_ = register_parameter("step", torch::full({1}, 1 / codes(start_bits_)));
  maximum_ = register_parameter("maximum", torch::ones({1}));
}

double DqQuantizer::codes(int bits) const {
  return std::exp2(spec().is_signed ? bits - 1 : bits) - 1;
}

Tensor DqQuantizer::quantized_step() const {
  return torch::exp2(round_straight_through(step_.clamp(kSmallest, kLargestStep).log2()));
}

Tensor DqQuantizer::quantized_maximum(const Tensor& step) const {
  return step *
         round_straight_through(maximum_.clamp(kSmallest, kLargestMaximum) / step).clamp_min(1);
}

Tensor DqQuantizer::relaxed_bits() const {
  const Tensor step = quantized_step();
  const Tensor highest = quantized_maximum(step) / step;
  const Tensor bits = ceil_straight_through((highest + 1).log2()) + (spec().is_signed ? 1 : 0);
  return bits.clamp_min(spec().is_signed ? 2 : 1).squeeze(0);
}

int DqQuantizer::nearest_bits() const {
  const torch::NoGradGuard no_grad;
  const double own = relaxed_bits().item<double>();
  const auto found = std::find_if(candidates().begin(), candidates().end(),
                                  [&](int candidate) { return candidate >= own; });
  return found == candidates().end() ? candidates().back() : *found;
}

void DqQuantizer::fit(const RangeObserver& observer) {
  // The power of two at or above the fitted step: the grid has the bits to start with.
  const double fitted = fitted_limit(observer, start_bits_) / codes(start_bits_);
  const double step = std::clamp(std::exp2(std::ceil(std::log2(fitted))), kSmallest, kLargestStep);
  step_.fill_(step);
  maximum_.fill_(step * codes(start_bits_));
}

Tensor DqQuantizer::quantize(const Tensor& a) {
  const Tensor step = quantized_step(), maximum = quantized_maximum(step);
  const Tensor low = spec().is_signed ? -maximum : torch::zeros_like(maximum);
  return step * round_straight_through(torch::clamp(a, low, maximum) / step);
}

void DqQuantizer::clip_gradients() {
  const torch::NoGradGuard no_grad;
  for (Tensor* parameter : {&step_, &maximum_}) {
    Tensor& gradient = parameter->mutable_grad();
    if (gradient.defined()) gradient.copy_(torch::clamp(gradient, -step_, step_));
  }
}

void DqQuantizer::clamp_parameters() {
  const torch::NoGradGuard no_grad;
  step_.clamp_(kSmallest, kLargestStep);
  maximum_.clamp_(kSmallest, kLargestMaximum);
  // The step in force is a power of two, up to half an octave from d.
  const Tensor in_force = quantized_step();
  maximum_.copy_(torch::clamp(maximum_, in_force * codes(candidates().front()),
                              in_force * codes(candidates().back())));
}

Dq::Dq(const Parameters& parameters)
    : GradientSearch(/*search_fraction=*/1),
      strength_(parameters.get<double>("dq.strength")),
      learning_rate_(parameters.get<double>("dq.learning_rate")),
      start_bits_(parameters.get<int>("dq.start_bits")) {}

std::shared_ptr<RelaxedQuantizer> Dq::make_relaxed(const QuantizerSpec& spec,
                                                   const Parameters& parameters) {
  return std::make_shared<DqQuantizer>(spec, UniformQuantizerOptions::from(parameters).range_init,
                                       start_bits_);
}

std::vector<ExtraParameters> Dq::extra_parameters() {
  std::vector<ExtraParameters> groups = {{.tensors = all_bit_parameters(),
                                          .optimizer = "sgd",
                                          .learning_rate = learning_rate_,
                                          .momentum = 0.9,
                                          .follows_schedule = true}};
  if (!all_range_parameters().empty()) {  // offsets
    groups.push_back(groups.front());
    groups.back().tensors = all_range_parameters();
  }
  return groups;
}

void Dq::after_backward(MethodContext&, const StepState&) {
  for (const auto& quantizer : relaxed()) {
    std::static_pointer_cast<DqQuantizer>(quantizer)->clip_gradients();
  }
}

void Dq::after_step(MethodContext& context, const StepState& state) {
  for (const auto& quantizer : relaxed()) {
    std::static_pointer_cast<DqQuantizer>(quantizer)->clamp_parameters();
  }
  GradientSearch::after_step(context, state);
}

Tensor Dq::penalty(MethodContext& context, const StepState& state) {
  Tensor sum = torch::zeros({}, state.loss.options());
  for (const Budget& budget : context.problem().budgets) {
    double elements = 0;
    for (const int member : budget.members) {
      elements += static_cast<double>(context.problem().quantizers[member].weight);
    }
    sum = sum + size_penalty(average_bits(context.problem(), budget, context.quantizers()),
                             budget.average_bits.to_double(), elements, strength_);
  }
  return sum;
}

Tensor size_penalty(const Tensor& average_bits, double budget_bits, double elements,
                    double strength) {
  const double kibibytes_per_bit = elements / kBitsPerKibibyte;
  return strength * ((average_bits - budget_bits) * kibibytes_per_bit).relu().square();
}

}  // namespace qbitopt::dq
