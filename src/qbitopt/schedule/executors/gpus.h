#pragma once

#include <string>
#include <vector>

namespace qbitopt {

// GPUs that this process may use, by names that CUDA_VISIBLE_DEVICES takes: those that it lists, or
// else all that NVIDIA's driver has.
std::vector<std::string> available_gpus();

}  // namespace qbitopt
