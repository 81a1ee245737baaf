#pragma once

#include <cstdint>
#include <vector>

#include "qbitopt/quant/torch.h"

namespace qbitopt {

// What the loss is multiplied by before its backward in float16, so that small gradients do not
// become zero (Micikevicius et al., 2018, arXiv 1710.03740). The rule and its numbers are those of
// torch.amp.GradScaler: twice as much after so many good steps in a row, half after a bad one.
struct LossScale {
  double value = 65536;
  int64_t good_steps = 0;     // since it last changed
  int64_t skipped_steps = 0;  // whose gradients were not finite

  static constexpr int64_t kGoodSteps = 2000;

  // Divides gradients by the scale and adapts it. False if a gradient is not finite: the step must
  // be left out. Waits for the device.
  bool unscale(const std::vector<torch::Tensor>& gradients);
};

}  // namespace qbitopt
