#pragma once

#include <torch/optim/sgd.h>

namespace qbitopt {

// torch::optim::SGD that goes over each parameter once where it is float32 on the CPU; with others,
// and with dampening, it is the same. Equal up to rounding; its state is saved and loaded as ever.
class FusedSgd : public torch::optim::SGD {
 public:
  using SGD::SGD;
  torch::Tensor step(LossClosure closure = nullptr) override;
};

}  // namespace qbitopt
