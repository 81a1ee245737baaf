#include "qbitopt/sweep/plugins.h"

#include <algorithm>
#include <set>

#include "qbitopt/core/error.h"
#include "qbitopt/core/text_file.h"
#include "qbitopt/sweep/builtin_manifests.h"
#include "qbitopt/sweep/sweep_sources.h"
#include "qbitopt/sweep/yaml.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;

Manifest read_plugin_manifest(const fs::path& library) {
  const fs::path file = fs::path(library).replace_extension(".yaml");
  if (!fs::exists(file)) {
    throw InputError("plugin " + library.string() + ": its manifest " + file.string() +
                     " is not there; build it with qbitopt_add_baseline()");
  }
  Manifest manifest = read_manifest(file.string(), read_text(file));
  if (manifest.kind != "method") {
    throw InputError({manifest.source},
                     "a plugin brings a method; this manifest is of a " + manifest.kind);
  }
  manifest.library = library.string();
  return manifest;
}

}  // namespace

std::vector<fs::path> plugins_in(const fs::path& folder) {
  std::vector<fs::path> libraries;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    if (entry.path().extension() == ".so") libraries.push_back(entry.path());
  }
  std::sort(libraries.begin(), libraries.end());
  return libraries;
}

std::vector<SweepPlugin> plugins_of_sweep(const fs::path& sweep) {
  std::vector<SweepPlugin> found;
  for (const SweepSource& source : read_sources(sweep)) {
    const YamlNode* named = source.root.find("plugin");
    if (!named) continue;
    for (const YamlNode& plugin : named->is_list() ? named->items : std::vector<YamlNode>{*named}) {
      const fs::path path =
          expect_path(plugin, "plugin", source.file.parent_path()).lexically_normal();
      if (!fs::exists(path)) fail_at(plugin.place, "no plugin " + path.string());
      const auto libraries = fs::is_directory(path) ? plugins_in(path) : std::vector{path};
      if (libraries.empty()) fail_at(plugin.place, "no plugin (*.so) in " + path.string());
      for (const fs::path& library : libraries) found.push_back({library, plugin.place});
    }
  }
  return found;
}

Catalog catalog_with(const std::vector<fs::path>& libraries) {
  std::vector<Manifest> manifests;
  for (const auto& [name, text] : builtin_manifests())
    manifests.push_back(read_manifest(name, text));
  std::set<fs::path> seen;
  for (const fs::path& library : libraries) {
    const fs::path path = fs::canonical(library);
    if (seen.insert(path).second) manifests.push_back(read_plugin_manifest(path));
  }
  Catalog catalog(std::move(manifests));
  std::vector<Manifest> baselines;
  for (const auto& [name, text] : baseline_manifests())
    baselines.push_back(read_manifest(name, text));
  catalog.add_absent(std::move(baselines), "is a plugin that is not built here; `make` builds it");
  return catalog;
}

}  // namespace qbitopt
