#pragma once

#include "qbitopt/quant/torch.h"
#include "qbitopt/training/recipe.h"

namespace qbitopt {

// While it lives, convolutions and linear layers on `device` compute in the lower precision
// (torch.autocast); the weights keep their type. bfloat16 has float32's range; gradients in float16
// need a LossScale.
class Autocast {
 public:
  Autocast(Precision precision, torch::Device device);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  bool on_;
  torch::DeviceType device_;
};

}  // namespace qbitopt
