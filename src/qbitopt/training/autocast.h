#pragma once

#include "qbitopt/quant/torch.h"

namespace qbitopt {

// While it lives, convolutions and linear layers on `device` compute in bfloat16 (torch.autocast);
// the weights keep their type. bfloat16 alone: it has float32's range, so no loss scale enters the
// squared gradients that FIT sums.
class Autocast {
 public:
  Autocast(bool on, torch::Device device);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  bool on_;
  torch::DeviceType device_;
};

}  // namespace qbitopt
