#include "qbitopt/schedule/executors/gpus.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "qbitopt/core/error.h"
#include "qbitopt/core/quantities.h"

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

namespace {

// "0-3" as "0", "1", "2", "3"; any other word as it is.
std::vector<std::string> names_in(const std::string& word) {
  const size_t dash = word.find('-');
  const auto first = parse_count(word.substr(0, dash), 0, 1023);
  const auto last = dash == std::string::npos ? first : parse_count(word.substr(dash + 1), 0, 1023);
  if (!first || !last) return {word};  // "GPU-7d2c..."
  if (*last < *first)
    throw InputError("--gpus " + word + " names none; write " + std::to_string(*last) + "-" +
                     std::to_string(*first));
  std::vector<std::string> names;
  for (int gpu = *first; gpu <= *last; ++gpu) names.push_back(std::to_string(gpu));
  return names;
}

}  // namespace

std::vector<std::string> choose_gpus(const std::string& list,
                                     const std::vector<std::string>& available) {
  if (list == "all") return available;
  std::vector<std::string> chosen;
  std::istringstream words(list);
  for (std::string word; std::getline(words, word, ',');) {
    for (const std::string& gpu : names_in(word)) {
      if (std::find(available.begin(), available.end(), gpu) == available.end()) {
        std::string known;
        for (const std::string& name : available) known += (known.empty() ? "" : ", ") + name;
        throw InputError("--gpus " + list + ": there is no GPU '" + gpu + "'" +
                         (known.empty()
                              ? " here: no NVIDIA driver, or CUDA_VISIBLE_DEVICES hides all"
                              : "; available: " + known));
      }
      if (std::find(chosen.begin(), chosen.end(), gpu) != chosen.end())
        throw InputError("--gpus " + list + " names GPU " + gpu +
                         " twice; --slots-per-gpu runs several jobs on each");
      chosen.push_back(gpu);
    }
  }
  if (chosen.empty()) throw InputError("--gpus takes a list such as 0-3 or 0,2, or all");
  return chosen;
}

}  // namespace qbitopt
