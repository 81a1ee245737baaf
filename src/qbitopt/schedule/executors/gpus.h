#pragma once

#include <string>
#include <vector>

namespace qbitopt {

// GPUs that this process may use, by names for CUDA_VISIBLE_DEVICES: those that the variable lists,
// or else all GPUs of NVIDIA's driver.
std::vector<std::string> available_gpus();

// Those of `available` that a list names: "0-3", "0,2", "all". Throws InputError for one that is not
// available, or is named twice.
std::vector<std::string> choose_gpus(const std::string& list,
                                     const std::vector<std::string>& available);

}  // namespace qbitopt
