#include "qbitopt/job/published_weights.h"

#include <algorithm>
#include <vector>

#include "qbitopt/core/error.h"

namespace qbitopt {
namespace fs = std::filesystem;

std::string digits_of_name(const fs::path& file) {
  const std::string stem = file.stem().string();
  const size_t dash = stem.rfind('-');
  if (file.extension() != ".pth" || dash == std::string::npos) return "";
  const std::string digits = stem.substr(dash + 1);
  const bool are_digits = digits.find_first_not_of("0123456789abcdef") == std::string::npos;
  return digits.size() == 8 && are_digits ? digits : "";
}

fs::path published_weights(const fs::path& folder, const std::string& model) {
  const fs::path converted = folder / (model + ".safetensors");
  if (fs::exists(converted)) return converted;
  if (fs::exists(folder / (model + ".pth"))) return folder / (model + ".pth");
  std::vector<fs::path> found;
  std::error_code no_folder;
  for (const auto& entry : fs::directory_iterator(folder, no_folder)) {
    const std::string digits = digits_of_name(entry.path());
    if (!digits.empty() && entry.path().filename() == model + "-" + digits + ".pth")
      found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  if (found.size() > 1) {
    throw InputError(found[0].string() + " and " + found[1].filename().string() +
                     " are both weights of '" + model + "'; name the one to start from " + model +
                     ".pth");
  }
  return found.empty() ? converted : found.front();
}

}  // namespace qbitopt
