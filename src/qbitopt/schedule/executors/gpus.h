#pragma once

#include <string>
#include <vector>

namespace qbitopt {

// GPUs that this process may use, by names for CUDA_VISIBLE_DEVICES: those that the variable lists,
// or else all GPUs of NVIDIA's driver.
std::vector<std::string> available_gpus();

}  // namespace qbitopt
