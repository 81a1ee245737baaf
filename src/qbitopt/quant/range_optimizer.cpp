#include "qbitopt/quant/range_optimizer.h"

#include <cmath>
#include <stdexcept>

#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"
#include "qbitopt/quant/fake_quantize.h"

namespace qbitopt {

using torch::Tensor;

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
    ++item.steps;
    if (options_.kind == RangeOptimizerKind::kSgd) {
      item.first.mul_(options_.momentum).add_(gradient);
      value.sub_(item.first, learning_rate * K * K * item.quantizer->gradient_scale());
    } else {
      item.first.mul_(options_.beta1).add_(gradient, 1 - options_.beta1);
      item.second.mul_(options_.beta2).addcmul_(gradient, gradient, 1 - options_.beta2);
      const double steps = static_cast<double>(item.steps);
      const double correction1 = 1 - std::pow(options_.beta1, steps);
      const double correction2 = 1 - std::pow(options_.beta2, steps);
      const Tensor denominator =
          item.second.sqrt().div_(std::sqrt(correction2)).add_(options_.epsilon / K);
      value.addcdiv_(item.first, denominator, -learning_rate * K / correction1);
    }
    if (!item.is_offset) value.clamp_min_(kRangeFloor);
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
