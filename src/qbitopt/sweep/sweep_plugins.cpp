#include "qbitopt/sweep/sweep_plugins.h"

#include "qbitopt/config/plugins.h"
#include "qbitopt/sweep/sweep_sources.h"

namespace qbitopt {

namespace fs = std::filesystem;

std::vector<SweepPlugin> plugins_of_sweep(const fs::path& sweep) {
  std::vector<SweepPlugin> found;
  for (const SweepSource& source : read_sources(sweep)) {
    const YamlNode* named = source.root.find("plugin");
    if (!named) continue;
    for (const YamlNode& plugin : named->is_list() ? named->items : std::vector<YamlNode>{*named}) {
      const fs::path path =
          expect_path(plugin, "plugin", source.file.parent_path()).lexically_normal();
      if (!fs::exists(path)) fail_at(plugin.place, "there is no plugin " + path.string());
      const auto libraries = fs::is_directory(path) ? plugins_in(path) : std::vector{path};
      if (libraries.empty()) fail_at(plugin.place, "there is no plugin (*.so) in " + path.string());
      for (const fs::path& library : libraries) found.push_back({library, plugin.place});
    }
  }
  return found;
}

}  // namespace qbitopt
