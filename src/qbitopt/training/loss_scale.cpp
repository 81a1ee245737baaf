#include "qbitopt/training/loss_scale.h"

namespace qbitopt {

bool LossScale::unscale(const std::vector<torch::Tensor>& gradients) {
  if (gradients.empty()) return true;
  const auto options = gradients.front().options().dtype(torch::kFloat32);
  torch::Tensor found_infinite = torch::zeros({1}, options);
  at::_amp_foreach_non_finite_check_and_unscale_(gradients, found_infinite,
                                                 torch::full({1}, 1 / value, options));
  if (found_infinite.item<float>() != 0) {
    value /= 2;
    good_steps = 0;
    ++skipped_steps;
    return false;
  }
  if (++good_steps == kGoodSteps) {
    value *= 2;
    good_steps = 0;
  }
  return true;
}

}  // namespace qbitopt
