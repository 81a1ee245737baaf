#include "app/known_parts.h"

#include <cstdlib>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "qbitopt/sweep/plugins.h"

namespace qbitopt::app {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> plugin_folders() {
  std::vector<fs::path> folders;
  const char* chosen = std::getenv("QBITOPT_PLUGIN_PATH");
  std::istringstream words(chosen != nullptr ? chosen : "");
  for (std::string word; std::getline(words, word, ':');) {
    if (!word.empty()) folders.push_back(word);
  }
  const fs::path home = fs::read_symlink("/proc/self/exe").parent_path().parent_path();
  folders.push_back(home / "lib/qbitopt/baselines");
  return folders;
}

}  // namespace

Catalog known_parts(const std::optional<fs::path>& sweep) {
  std::vector<fs::path> libraries;
  std::set<std::string> taken;  // file names
  const auto add = [&](const std::vector<fs::path>& place) {
    std::set<std::string> names;
    for (const fs::path& library : place) {
      if (taken.contains(library.filename())) continue;
      libraries.push_back(library);
      names.insert(library.filename());
    }
    taken.merge(names);
  };
  if (sweep) add(plugins_of_sweep(*sweep));
  for (const fs::path& folder : plugin_folders()) add(plugins_in(folder));
  return catalog_with(libraries);
}

}  // namespace qbitopt::app
