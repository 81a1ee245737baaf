#include "qbitopt/training/oscillations.h"

#include <set>

#include "qbitopt/quant/fake_quantize.h"
#include "qbitopt/training/learning_rate.h"

namespace qbitopt {
namespace {

using torch::Tensor;

std::string key(size_t i, const char* part) { return std::to_string(i) + "." + part; }

}  // namespace

// Methods of plugins need not include oscillations.yaml, and have none of its keys then.
OscillationOptions OscillationOptions::from(const Parameters& parameters) {
  const Parameters own = parameters.below("oscillations");
  OscillationOptions options;
  options.track = own.get_or("track", options.track);
  options.dampening = own.get_or("dampening", options.dampening);
  options.dampening_start = own.get_or("dampening_start", options.dampening_start);
  options.freeze_threshold = own.get_or("freeze_threshold", options.freeze_threshold);
  options.freeze_threshold_start =
      own.get_or("freeze_threshold_start", options.freeze_threshold_start);
  options.momentum = own.get_or("momentum", options.momentum);
  options.max_bits = own.get_or("max_bits", options.max_bits);
  return options;
}

Oscillations::Oscillations(const OscillationOptions& options, Network& network, int64_t total_steps)
    : options_(options), total_steps_(total_steps) {
  std::set<const QuantizerSite*> seen;  // tied weights have one site
  for (const LayerSites& layer : network.layer_sites()) {
    if (!layer.weight) continue;
    auto quantizer = std::dynamic_pointer_cast<UniformQuantizer>(layer.weight->quantizer());
    if (!quantizer || !layer.latent.defined() || !seen.insert(layer.weight).second) continue;
    const Weight weight{layer.latent, std::move(quantizer)};
    if (options_.is_dampening()) damped_.push_back(weight);
    if (options_.is_tracking()) tracked_.push_back({.weight = weight});
  }
}

Tensor Oscillations::Weight::step_size() const {
  return broadcast_range(quantizer->range().detach(), latent) / quantizer->grid().K;
}

Tensor Oscillations::Weight::integers() const {
  const Grid grid = quantizer->grid();
  return (latent.detach() / step_size()).clamp(grid.n, grid.p).round();
}

Tensor Oscillations::dampening_loss(int64_t steps_done) const {
  const double weight =
      cosine_between(options_.dampening_start, options_.dampening, steps_done, total_steps_ - 1);
  if (damped_.empty() || weight == 0) return {};
  Tensor sum;
  for (const Weight& damped : damped_) {
    const Grid grid = damped.quantizer->grid();
    const Tensor step = damped.step_size();
    const Tensor clipped = torch::min(torch::max(damped.latent, step * grid.n), step * grid.p);
    const Tensor distance = (damped.integers() * step - clipped).square().sum();
    sum = sum.defined() ? sum + distance : distance;
  }
  return weight * sum;
}

void Oscillations::before_optimizer_step() {
  if (!is_freezing()) return;
  const torch::NoGradGuard no_grad;
  for (Tracked& tracked : tracked_) {
    const Weight& weight = tracked.weight;
    Tensor& range = weight.quantizer->range();
    if (tracked.bits == 0 || !weight.latent.grad().defined() || !range.grad().defined()) continue;
    // w_hat = s k. Inside the grid fake_quantize gave s the gradient round(v) - v, about 0, and the
    // latent weight that of w_hat; outside, by an error of rounding, it was k and 0 already.
    Tensor gradient = weight.latent.grad() * tracked.integer * tracked.frozen;
    gradient = range.numel() == 1 ? gradient.sum() : gradient.flatten(1).sum(1);
    range.mutable_grad().add_(gradient.reshape(range.sizes()), 1 / weight.quantizer->grid().K);
  }
}

void Oscillations::after_step(int64_t steps_done) {
  const torch::NoGradGuard no_grad;
  const double threshold = cosine_between(options_.freeze_threshold_start,
                                          options_.freeze_threshold, steps_done, total_steps_);
  for (Tracked& tracked : tracked_) {
    const int bits = tracked.weight.quantizer->bits();
    if (bits > options_.max_bits) {
      tracked = {.weight = tracked.weight};
    } else if (bits != tracked.bits) {
      start(tracked);
    } else {
      update(tracked, threshold);
    }
  }
}

void Oscillations::start(Tracked& tracked) const {
  tracked.bits = tracked.weight.quantizer->bits();
  tracked.integer = tracked.weight.integers();
  tracked.direction = torch::zeros_like(tracked.integer);
  tracked.frequency = torch::zeros_like(tracked.integer);
  tracked.average = tracked.integer.clone();
  tracked.frozen = torch::zeros_like(tracked.integer, torch::kBool);
}

void Oscillations::update(Tracked& tracked, double threshold) const {
  const double m = options_.momentum;
  Tensor now = tracked.weight.integers();
  if (is_freezing()) now = torch::where(tracked.frozen, tracked.integer, now);
  const Tensor change = (now - tracked.integer).sign();
  tracked.frequency.mul_(1 - m).add_((change * tracked.direction).eq(-1), m);
  tracked.direction = torch::where(change.eq(0), tracked.direction, change);
  if (is_freezing()) {
    const Tensor is_new = tracked.frequency.gt(threshold).logical_and(~tracked.frozen);
    now = torch::where(is_new, tracked.average.round(), now);
    tracked.average.mul_(1 - m).add_(now, m);
    tracked.frozen.logical_or_(is_new);
    tracked.weight.latent.copy_(
        torch::where(tracked.frozen, now * tracked.weight.step_size(), tracked.weight.latent));
  }
  tracked.integer = now;
}

void Oscillations::restart() {
  for (Tracked& tracked : tracked_) tracked = {.weight = tracked.weight};
}

std::map<std::string, double> Oscillations::metrics() const {
  int64_t weights = 0;
  std::vector<Tensor> oscillating, frozen;
  for (const Tracked& tracked : tracked_) {
    if (tracked.bits == 0) continue;
    weights += tracked.integer.numel();
    oscillating.push_back(tracked.frequency.gt(kFrequency).logical_and(~tracked.frozen).sum());
    frozen.push_back(tracked.frozen.sum());
  }
  if (weights == 0) return {};
  const auto percent = [&](const std::vector<Tensor>& counts) {
    return 100.0 * static_cast<double>(torch::stack(counts).sum().item<int64_t>()) /
           static_cast<double>(weights);
  };
  std::map<std::string, double> metrics = {{"oscillating_weights", percent(oscillating)}};
  if (is_freezing()) metrics["frozen_weights"] = percent(frozen);
  return metrics;
}

void Oscillations::save(torch::serialize::OutputArchive& archive) const {
  for (size_t i = 0; i < tracked_.size(); ++i) {
    const Tracked& tracked = tracked_[i];
    archive.write(key(i, "bits"), c10::IValue(static_cast<int64_t>(tracked.bits)));
    if (tracked.bits == 0) continue;
    archive.write(key(i, "integer"), tracked.integer);
    archive.write(key(i, "direction"), tracked.direction);
    archive.write(key(i, "frequency"), tracked.frequency);
    archive.write(key(i, "average"), tracked.average);
    archive.write(key(i, "frozen"), tracked.frozen);
  }
}

void Oscillations::load(torch::serialize::InputArchive& archive) {
  for (size_t i = 0; i < tracked_.size(); ++i) {
    Tracked& tracked = tracked_[i];
    c10::IValue bits;
    archive.read(key(i, "bits"), bits);
    tracked.bits = static_cast<int>(bits.toInt());
    if (tracked.bits == 0) continue;
    archive.read(key(i, "integer"), tracked.integer);
    archive.read(key(i, "direction"), tracked.direction);
    archive.read(key(i, "frequency"), tracked.frequency);
    archive.read(key(i, "average"), tracked.average);
    archive.read(key(i, "frozen"), tracked.frozen);
  }
}

}  // namespace qbitopt
