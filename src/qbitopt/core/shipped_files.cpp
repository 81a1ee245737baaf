#include "qbitopt/core/shipped_files.h"

#include <set>

namespace qbitopt {

namespace fs = std::filesystem;

fs::path shipped_folder() {
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const char* place : {"../share/qbitopt", "../.."}) {
    const fs::path folder = (program / place).lexically_normal();
    if (fs::is_directory(folder / "sweeps", ignored) &&
        fs::is_directory(folder / "experiments", ignored)) {
      return folder;
    }
  }
  return {};
}

fs::path shipped_file(const fs::path& relative) {
  std::error_code ignored;
  if (fs::exists(relative, ignored)) return relative;
  const fs::path folder = shipped_folder();
  return !folder.empty() && fs::exists(folder / relative, ignored) ? folder / relative : relative;
}

std::vector<std::string> shipped_names(const fs::path& folder, const std::string& extension) {
  std::set<std::string> names;
  for (const fs::path& place : {folder, shipped_folder() / folder}) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(place, ignored)) {
      if (entry.path().extension() == extension) names.insert(entry.path().stem().string());
    }
  }
  return {names.begin(), names.end()};
}

}  // namespace qbitopt
