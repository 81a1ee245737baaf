#include "nipq.h"

#include <cmath>

#include "qbitopt/quant/fake_quantize.h"
#include "qbitopt/quant/rounding.h"
#include "qbitopt/quant/uniform_quantizer.h"

namespace qbitopt::nipq {

using torch::Tensor;

namespace {

constexpr int64_t kErrors = 4096;

double inverse_softplus(double y) { return y > 30 ? y : std::log(std::expm1(y)); }

}  // namespace

NipqQuantizer::NipqQuantizer(QuantizerSpec any_spec, RangeInit init)
    : RelaxedQuantizer(std::move(any_spec), init) {
  beta_ = register_parameter("beta", torch::zeros({1}));
  rho_ = register_parameter("rho", torch::full({1}, inverse_softplus(1)));
}

Tensor NipqQuantizer::relaxed_bits() const {
  const double low = candidates().front(), high = candidates().back();
  return (low + (high - low) * beta_.sigmoid()).squeeze(0);
}

Tensor NipqQuantizer::limit() const { return torch::softplus(rho_).clamp_min(kRangeFloor); }

std::vector<Tensor> NipqQuantizer::range_parameters() const {
  std::vector<Tensor> parameters = RelaxedQuantizer::range_parameters();
  parameters.push_back(rho_);
  return parameters;
}

void NipqQuantizer::fit(const RangeObserver& observer) {
  rho_.fill_(inverse_softplus(fitted_limit(observer, bits())));
}

Tensor NipqQuantizer::quantize(const Tensor& a) {
  if (is_relaxed() && is_training()) return with_noise(a);
  const bool is_signed = spec().is_signed;
  return fake_quantize(a, is_signed ? 2 * limit() : limit(),
                       Grid::make(bits(), is_signed, SignedGrid::kSymmetric));
}

Tensor NipqQuantizer::with_noise(const Tensor& a) const {
  const bool is_signed = spec().is_signed;
  const Tensor bits = relaxed_bits();
  const Tensor u = torch::rand({}, bits.options().requires_grad(false)) - 0.5;
  const Tensor drawn =
      round_straight_through(bits + u).clamp(candidates().front(), candidates().back());
  const Tensor p = is_signed ? torch::exp2(drawn - 1) - 1 : torch::exp2(drawn) - 1;
  const Tensor limit = this->limit();
  const Tensor step = limit / p;
  const Tensor low = is_signed ? -limit : torch::zeros_like(limit);
  const Tensor clipped = torch::clamp(a, low, limit);

  Tensor noise;
  {
    const torch::NoGradGuard no_grad;
    const double highest = p.item<double>();
    const Tensor errors = rounding_errors(a, step, is_signed ? -highest : 0, highest);
    if (errors.numel() == 0) return clipped;
    noise = torch::empty_like(a);
    const Tensor in_memory_order = noise.as_strided({noise.numel()}, {1});
    in_memory_order.copy_(errors.index_select(
        0, torch::randint(errors.numel(), {noise.numel()}, a.options().dtype(torch::kInt64))));
    noise.mul_(torch::logical_and(a > low, a < limit));
  }
  return clipped + noise * step;
}

Tensor rounding_errors(const Tensor& x, const Tensor& step, double n, double p) {
  Tensor v = spread_sample(x, kErrors).to(x.device()) / step;
  v = v.masked_select(torch::logical_and(v > n, v < p));
  return v.round() - v;
}

Tensor budget_penalty(const Tensor& average, double budget, int64_t elements) {
  return torch::smooth_l1_loss(average, torch::full_like(average, budget), at::Reduction::Sum,
                               /*beta=*/1.0 / static_cast<double>(elements));
}

Nipq::Nipq(const Parameters& parameters)
    : GradientSearch(parameters.get<double>("nipq.search")),
      strength_(parameters.get<double>("nipq.strength")),
      bits_learning_rate_(parameters.get<double>("nipq.bits_learning_rate")),
      range_learning_rate_(parameters.get<double>("nipq.range_learning_rate")) {}

std::shared_ptr<RelaxedQuantizer> Nipq::make_relaxed(const QuantizerSpec& spec,
                                                     const Parameters& parameters) {
  return std::make_shared<NipqQuantizer>(spec,
                                         UniformQuantizerOptions::from(parameters).range_init);
}

std::vector<ExtraParameters> Nipq::extra_parameters() {
  return by_gradient_descent(bits_learning_rate_, range_learning_rate_);
}

Tensor Nipq::penalty(MethodContext& context, const StepState& state) {
  Tensor sum = torch::zeros({}, state.loss.options());
  for (const Budget& budget : context.problem().budgets) {
    int64_t elements = 0;
    for (const int member : budget.members) elements += context.problem().quantizers[member].weight;
    const Tensor average = average_bits(context.problem(), budget, context.quantizers(),
                                        [](const Tensor& b) { return round_straight_through(b); });
    sum = sum + budget_penalty(average, budget.average_bits.to_double(), elements);
  }
  return strength_ * sum;
}

}  // namespace qbitopt::nipq
