#include "qbitopt/training/fused_sgd.h"

#include <ATen/ops/_fused_sgd.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "qbitopt/quant/kernel_tensors.h"

namespace qbitopt {
namespace {

using torch::Tensor;

bool is_dense_float(const Tensor& tensor) {
  return tensor.is_cpu() && tensor.scalar_type() == torch::kFloat32 && !tensor.is_sparse() &&
         tensor.is_non_overlapping_and_dense();
}

}  // namespace

Tensor FusedSgd::step(LossClosure closure) {
  for (auto& group : param_groups()) {
    // The first step's momentum, which LibTorch does not dampen, starts from zeros below.
    if (static_cast<const torch::optim::SGDOptions&>(group.options()).dampening() != 0)
      return SGD::step(std::move(closure));
    const auto is_other = [](const Tensor& parameter) {
      const Tensor& gradient = parameter.grad();
      return !is_dense_float(parameter) ||
             (gradient.defined() &&
              (gradient.is_sparse() || gradient.scalar_type() != torch::kFloat32));
    };
    if (std::any_of(group.params().begin(), group.params().end(), is_other))
      return SGD::step(std::move(closure));
  }
  Tensor loss;
  if (closure) {
    const at::AutoGradMode enabled(true);
    loss = closure();
  }
  const torch::NoGradGuard no_grad;
  for (auto& group : param_groups()) {
    const auto& options = static_cast<const torch::optim::SGDOptions&>(group.options());
    std::vector<Tensor> parameters, gradients, momenta;
    for (const Tensor& parameter : group.params()) {
      if (!parameter.grad().defined()) continue;
      parameters.push_back(parameter);
      gradients.push_back(in_order_of(parameter.grad(), parameter));
      if (options.momentum() == 0) continue;
      auto& state = state_[parameter.unsafeGetTensorImpl()];
      if (!state) state = std::make_unique<torch::optim::SGDParamState>();
      Tensor& momentum = static_cast<torch::optim::SGDParamState&>(*state).momentum_buffer();
      momentum =
          momentum.defined() ? in_order_of(momentum, parameter) : torch::zeros_like(parameter);
      momenta.push_back(momentum);
    }
    if (parameters.empty()) continue;
    at::_fused_sgd_(parameters, gradients, momenta, options.weight_decay(), options.momentum(),
                    options.lr(), options.dampening(), options.nesterov(), /*maximize=*/false,
                    /*is_first_step=*/false);
  }
  return loss;
}

}  // namespace qbitopt
