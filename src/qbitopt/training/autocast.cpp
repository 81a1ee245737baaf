#include "qbitopt/training/autocast.h"

#include <ATen/autocast_mode.h>

namespace qbitopt {

Autocast::Autocast(Precision precision, torch::Device device)
    : on_(precision != Precision::kFloat32), device_(device.type()) {
  if (!on_) return;
  at::autocast::increment_nesting();
  at::autocast::set_autocast_dtype(
      device_, precision == Precision::kFloat16 ? torch::kFloat16 : torch::kBFloat16);
  at::autocast::set_autocast_enabled(device_, true);
}

Autocast::~Autocast() {
  if (!on_) return;
  at::autocast::set_autocast_enabled(device_, false);
  // Copies of the weights in lower precision are good for one step.
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
}

}  // namespace qbitopt
