#include "qbitopt/quant/range_optimizer.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"
#include "qbitopt/quant/fake_quantize.h"

namespace qbitopt {

using torch::Tensor;

namespace {

// One step widens or narrows a range by at most this factor.
constexpr double kLargestChange = 1.25;

// The new widths, each at most kLargestChange away from its old one. Where that holds one back, its
// momentum ends.
Tensor within_reach(const Tensor& moved, const Tensor& old, Tensor& momentum) {
  const Tensor reached =
      moved.clamp(old / kLargestChange, old * kLargestChange).clamp_min_(kRangeFloor);
  momentum.masked_fill_(reached != moved, 0);
  return reached;
}

bool is_float_on_cpu(const Tensor& tensor) {
  return tensor.is_cpu() && tensor.scalar_type() == torch::kFloat32 && tensor.is_contiguous();
}

// A step of SGD with momentum, by a loop: a dozen operators on one number each would take longer
// than its layer's quantizer.
void step_on_cpu(Tensor& value, const Tensor& gradient, Tensor& momentum, float decay, float rate,
                 bool is_range) {
  constexpr auto kChange = static_cast<float>(kLargestChange);
  auto* v = value.mutable_data_ptr<float>();
  auto* m = momentum.mutable_data_ptr<float>();
  const auto* g = gradient.const_data_ptr<float>();
  for (int64_t i = 0; i < value.numel(); ++i) {
    m[i] = decay * m[i] + g[i];
    const float moved = v[i] - rate * m[i];
    float reached = moved;
    if (is_range) {  // within_reach()
      reached = std::max(std::min(std::max(moved, v[i] / kChange), v[i] * kChange),
                         static_cast<float>(kRangeFloor));
      if (reached != moved) m[i] = 0;
    }
    v[i] = reached;
  }
  value.unsafeGetTensorImpl()->bump_version();
}

}  // namespace

RangeOptimizerOptions RangeOptimizerOptions::from(const Parameters& parameters) {
  RangeOptimizerOptions options;
  const std::string kind = parameters.get_or<std::string>("ranges.optimizer", "sgd");
  if (kind == "adam") {
    options.kind = RangeOptimizerKind::kAdam;
  } else if (kind != "sgd") {
    throw InputError(unknown_name("ranges.optimizer", kind, {"adam", "sgd"}));
  }
  options.learning_rate = parameters.get_or("ranges.learning_rate", options.learning_rate);
  options.momentum = parameters.get_or("ranges.momentum", options.momentum);
  options.beta1 = options.momentum;
  return options;
}

RangeOptimizer::RangeOptimizer(const std::vector<QuantizerPtr>& quantizers,
                               RangeOptimizerOptions options)
    : options_(options) {
  for (const QuantizerPtr& any : quantizers) {
    const auto quantizer = std::dynamic_pointer_cast<UniformQuantizer>(any);
    if (!quantizer) continue;
    items_.push_back({quantizer, /*is_offset=*/false});
    if (quantizer->offset().defined()) items_.push_back({quantizer, /*is_offset=*/true});
  }
  for (Item& item : items_) {
    item.first = torch::zeros_like(item.value());
    if (options_.kind == RangeOptimizerKind::kAdam) item.second = torch::zeros_like(item.value());
  }
}

void RangeOptimizer::step(double learning_rate_factor) {
  torch::NoGradGuard no_grad;
  const double learning_rate = options_.learning_rate * learning_rate_factor;
  for (Item& item : items_) {
    Tensor& value = item.value();
    const Tensor& gradient = value.grad();
    if (!gradient.defined()) continue;
    const double K = item.is_offset ? 1 : item.quantizer->grid().K;
    Tensor moved;
    ++item.steps;
    if (options_.kind == RangeOptimizerKind::kSgd && is_float_on_cpu(value) &&
        is_float_on_cpu(gradient) && is_float_on_cpu(item.first)) {
      step_on_cpu(value, gradient, item.first, static_cast<float>(options_.momentum),
                  static_cast<float>(learning_rate * K * K * item.quantizer->gradient_scale()),
                  !item.is_offset);
      continue;
    }
    if (options_.kind == RangeOptimizerKind::kSgd) {
      item.first.mul_(options_.momentum).add_(gradient);
      moved = value.sub(item.first, learning_rate * K * K * item.quantizer->gradient_scale());
    } else {
      item.first.mul_(options_.beta1).add_(gradient, 1 - options_.beta1);
      item.second.mul_(options_.beta2).addcmul_(gradient, gradient, 1 - options_.beta2);
      const double steps = static_cast<double>(item.steps);
      const double correction1 = 1 - std::pow(options_.beta1, steps);
      const double correction2 = 1 - std::pow(options_.beta2, steps);
      const Tensor denominator =
          item.second.sqrt().div_(std::sqrt(correction2)).add_(options_.epsilon / K);
      moved = value.addcdiv(item.first, denominator, -learning_rate * K / correction1);
    }
    if (!item.is_offset) moved = within_reach(moved, value, item.first);
    value.copy_(moved);
  }
}

void RangeOptimizer::zero_grad() {
  for (Item& item : items_) item.value().mutable_grad().reset();
}

std::vector<Tensor> RangeOptimizer::gradients() const {
  std::vector<Tensor> gradients;
  for (const Item& item : items_) {
    if (item.value().grad().defined()) gradients.push_back(item.value().grad());
  }
  return gradients;
}

void RangeOptimizer::save(torch::serialize::OutputArchive& archive) const {
  std::vector<Tensor> first, second;
  std::vector<int64_t> steps;
  for (const Item& item : items_) {
    first.push_back(item.first);
    if (item.second.defined()) second.push_back(item.second);
    steps.push_back(item.steps);
  }
  archive.write("first", c10::IValue(first));
  archive.write("second", c10::IValue(second));
  archive.write("steps", c10::IValue(steps));
}

void RangeOptimizer::load(torch::serialize::InputArchive& archive) {
  c10::IValue first, second, steps;
  archive.read("first", first);
  archive.read("second", second);
  archive.read("steps", steps);
  const auto firsts = first.toTensorVector(), seconds = second.toTensorVector();
  const auto counts = steps.toIntVector();
  const bool adam = options_.kind == RangeOptimizerKind::kAdam;
  if (firsts.size() != items_.size() || counts.size() != items_.size() ||
      seconds.size() != (adam ? items_.size() : 0)) {
    throw std::runtime_error("the checkpoint holds the state of " + std::to_string(firsts.size()) +
                             " ranges of another optimizer or network; expected " +
                             std::to_string(items_.size()));
  }
  for (size_t i = 0; i < items_.size(); ++i) {
    if (firsts[i].sizes() != items_[i].first.sizes()) {
      throw std::runtime_error("the checkpoint's range state " + std::to_string(i) +
                               " has another shape than quantizer '" +
                               items_[i].quantizer->spec().name + "'");
    }
    items_[i].first.copy_(firsts[i]);
    if (adam) items_[i].second.copy_(seconds[i]);
    items_[i].steps = counts[i];
  }
}

}  // namespace qbitopt
