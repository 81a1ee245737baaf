#include "qbitopt/training/optimizers.h"

#include <torch/optim/adamw.h>

#include "qbitopt/core/names.h"
#include "qbitopt/training/fused_sgd.h"

namespace qbitopt {
namespace {

std::unique_ptr<torch::optim::Optimizer> make_extra(const ExtraParameters& extra) {
  if (extra.optimizer == "adam") {
    return std::make_unique<torch::optim::Adam>(
        extra.tensors,
        torch::optim::AdamOptions(extra.learning_rate).weight_decay(extra.weight_decay));
  }
  if (extra.optimizer == "sgd") {
    return std::make_unique<torch::optim::SGD>(extra.tensors,
                                               torch::optim::SGDOptions(extra.learning_rate)
                                                   .momentum(extra.momentum)
                                                   .weight_decay(extra.weight_decay));
  }
  throw InputError(unknown_name("optimizer", extra.optimizer, {"adam", "sgd"}));
}

// AdamW's options have a weight decay from the start, so that it is set for both groups.
template <typename Optimizer, typename Options>
std::unique_ptr<Optimizer> make_with_groups(const Options& options, double weight_decay,
                                            const std::vector<torch::Tensor>& decayed,
                                            const std::vector<torch::Tensor>& others) {
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(decayed,
                      std::make_unique<Options>(Options(options).weight_decay(weight_decay)));
  groups.emplace_back(others, std::make_unique<Options>(Options(options).weight_decay(0)));
  return std::make_unique<Optimizer>(std::move(groups), options);
}

std::string extra_key(size_t i) { return "extra." + std::to_string(i); }

}  // namespace

Optimizers::Optimizers(const Recipe& recipe, const std::vector<torch::Tensor>& weights,
                       const std::vector<QuantizerPtr>& quantizers, const Parameters& parameters,
                       const std::vector<ExtraParameters>& extra)
    : recipe_(recipe),
      weights_(weights),
      quantizers_(quantizers),
      range_options_(RangeOptimizerOptions::from(parameters)),
      extra_options_(extra) {
  make();
  for (const ExtraParameters& group : extra) extra_.push_back(make_extra(group));
}

void Optimizers::make() {
  weight_optimizer_ = make_weight_optimizer();
  range_optimizer_ = std::make_unique<RangeOptimizer>(quantizers_, range_options_);
}

std::unique_ptr<torch::optim::Optimizer> Optimizers::make_weight_optimizer() const {
  std::vector<torch::Tensor> decayed, others;
  for (const torch::Tensor& weight : weights_)
    (weight.dim() > 1 ? decayed : others).push_back(weight);
  if (recipe_.optimizer == WeightOptimizer::kAdamW) {
    return make_with_groups<torch::optim::AdamW>(torch::optim::AdamWOptions(recipe_.learning_rate)
                                                     .betas({recipe_.beta1, recipe_.beta2})
                                                     .eps(recipe_.epsilon),
                                                 recipe_.weight_decay, decayed, others);
  }
  return make_with_groups<FusedSgd>(torch::optim::SGDOptions(recipe_.learning_rate)
                                        .momentum(recipe_.momentum)
                                        .nesterov(recipe_.nesterov),
                                    recipe_.weight_decay, decayed, others);
}

// As torch.nn.utils.clip_grad_norm_(), without waiting for the device.
void Optimizers::clip_gradients() {
  std::vector<torch::Tensor> gradients;
  for (const torch::Tensor& weight : weights_) {
    if (weight.grad().defined()) gradients.push_back(weight.grad());
  }
  if (gradients.empty()) return;
  const torch::Tensor norm = torch::stack(at::_foreach_norm(gradients, 2)).norm();
  at::_foreach_mul_(gradients, (recipe_.clip_gradient_norm / (norm + 1e-6)).clamp_max(1));
}

void Optimizers::zero_grad() {
  weight_optimizer_->zero_grad();
  range_optimizer_->zero_grad();
  for (const auto& optimizer : extra_) optimizer->zero_grad();
}

std::vector<torch::Tensor> Optimizers::gradients() const {
  std::vector<torch::Tensor> gradients = range_optimizer_->gradients();
  const auto add = [&](const std::vector<torch::Tensor>& tensors) {
    for (const torch::Tensor& tensor : tensors) {
      if (tensor.grad().defined()) gradients.push_back(tensor.grad());
    }
  };
  add(weights_);
  for (const ExtraParameters& extra : extra_options_) add(extra.tensors);
  return gradients;
}

void Optimizers::step(double factor) {
  if (recipe_.clip_gradient_norm > 0) clip_gradients();
  for (auto& group : weight_optimizer_->param_groups()) {
    group.options().set_lr(recipe_.learning_rate * factor);
  }
  weight_optimizer_->step();
  range_optimizer_->step(factor);
  for (size_t i = 0; i < extra_.size(); ++i) {
    const ExtraParameters& options = extra_options_[i];
    for (auto& group : extra_[i]->param_groups()) {
      group.options().set_lr(options.learning_rate * (options.follows_schedule ? factor : 1));
    }
    extra_[i]->step();
  }
}

void Optimizers::restart() { make(); }

void Optimizers::save(torch::serialize::OutputArchive& archive) const {
  const auto add = [&](const std::string& name, const auto& optimizer) {
    torch::serialize::OutputArchive part(archive.compilation_unit());
    optimizer.save(part);
    archive.write(name, part);
  };
  add("weights", *weight_optimizer_);
  add("ranges", *range_optimizer_);
  for (size_t i = 0; i < extra_.size(); ++i) add(extra_key(i), *extra_[i]);
}

void Optimizers::load(torch::serialize::InputArchive& archive) {
  const auto read = [&](const std::string& name, auto& optimizer) {
    torch::serialize::InputArchive part;
    archive.read(name, part);
    optimizer.load(part);
  };
  read("weights", *weight_optimizer_);
  read("ranges", *range_optimizer_);
  for (size_t i = 0; i < extra_.size(); ++i) read(extra_key(i), *extra_[i]);
}

}  // namespace qbitopt
