#include "app/known_parts.h"

#include <cstdlib>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "qbitopt/config/plugins.h"
#include "qbitopt/core/text_file.h"
#include "qbitopt/sweep/sweep_plugins.h"

namespace qbitopt::app {
namespace {

namespace fs = std::filesystem;

// The user's plugins, in order.
std::vector<fs::path> chosen_folders() {
  std::vector<fs::path> folders;
  const char* chosen = std::getenv("QBITOPT_PLUGIN_PATH");
  std::istringstream words(chosen != nullptr ? chosen : "");
  for (std::string word; std::getline(words, word, ':');) {
    if (!word.empty()) folders.push_back(word);
  }
  return folders;
}

fs::path installed_folder() {
  return fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "lib/qbitopt/baselines";
}

std::vector<fs::path> libraries_of(const fs::path& sweep, Plugins plugins) {
  std::vector<fs::path> libraries;
  for (const SweepPlugin& plugin : plugins_of_sweep(sweep)) {
    if (plugins == Plugins::kInstalledOnly) {
      fail_at(plugin.place, "this sweep loads the plugin " + plugin.library.string() +
                                ", but --no-plugins allows only built-in and installed methods");
    }
    libraries.push_back(plugin.library);
  }
  return libraries;
}

// The methods of these libraries, according to their manifests.
std::vector<Manifest> methods_of(const std::vector<fs::path>& libraries) {
  std::vector<Manifest> methods;
  for (const fs::path& library : libraries) {
    const fs::path file = fs::path(library).replace_extension(".yaml");
    if (fs::exists(file)) methods.push_back(read_manifest(file.string(), read_text(file)));
  }
  return methods;
}

}  // namespace

Catalog known_parts(const std::optional<fs::path>& sweep, Plugins plugins) {
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
  std::vector<fs::path> left_out;
  if (sweep) add(libraries_of(*sweep, plugins));
  for (const fs::path& folder : chosen_folders()) {
    const std::vector<fs::path> found = plugins_in(folder);
    if (plugins == Plugins::kAll) {
      add(found);
    } else {
      left_out.insert(left_out.end(), found.begin(), found.end());
    }
  }
  add(plugins_in(installed_folder()));
  Catalog catalog = catalog_with(libraries);
  catalog.add_absent(methods_of(left_out),
                     "is a plugin of QBITOPT_PLUGIN_PATH, which --no-plugins leaves out");
  return catalog;
}

void add_plugin_option(CommandLine& line) {
  line.options()("no-plugins", boost::program_options::bool_switch(),
                 "use only built-in and installed methods, not those that `plugin:` or "
                 "QBITOPT_PLUGIN_PATH names");
}

Plugins plugins_of(const CommandLine& line) {
  return line.is_on("no-plugins") ? Plugins::kInstalledOnly : Plugins::kAll;
}

}  // namespace qbitopt::app
