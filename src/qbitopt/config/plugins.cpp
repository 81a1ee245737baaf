#include "qbitopt/config/plugins.h"

#include <algorithm>
#include <set>

#include "qbitopt/config/builtin_manifests.h"
#include "qbitopt/core/error.h"
#include "qbitopt/core/text_file.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;

Manifest read_plugin_manifest(const fs::path& library) {
  const fs::path file = fs::path(library).replace_extension(".yaml");
  if (!fs::exists(file)) {
    throw InputError("plugin " + library.string() + ": its manifest " + file.string() +
                     " is missing; build the plugin with qbitopt_add_baseline()");
  }
  Manifest manifest = read_manifest(file.string(), read_text(file));
  if (manifest.kind != "method") {
    throw InputError(
        {manifest.source},
        "expected the manifest of a method, which is all that a plugin can add, found that of a " +
            manifest.kind);
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
  catalog.add_absent(std::move(baselines), "is a plugin that has not been built; run `make`");
  return catalog;
}

}  // namespace qbitopt
