#include "qbitopt/schedule/executors/gpus.h"

#include <cstdlib>
#include <filesystem>
#include <sstream>

namespace qbitopt {

std::vector<std::string> available_gpus() {
  std::vector<std::string> gpus;
  if (const char* visible = std::getenv("CUDA_VISIBLE_DEVICES")) {
    std::istringstream list(visible);
    // As in CUDA, GPUs after an invalid name (such as -1) are hidden.
    for (std::string gpu; std::getline(list, gpu, ',') && !gpu.empty() && gpu[0] != '-';)
      gpus.push_back(gpu);
    return gpus;
  }
  std::error_code none;
  for (const auto& gpu : std::filesystem::directory_iterator("/proc/driver/nvidia/gpus", none)) {
    if (gpu.is_directory()) gpus.push_back(std::to_string(gpus.size()));
  }
  return gpus;
}

}  // namespace qbitopt
