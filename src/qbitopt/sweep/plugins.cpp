#include "qbitopt/sweep/plugins.h"

#include <algorithm>
#include <set>

#include "qbitopt/core/error.h"
#include "qbitopt/sweep/builtin_manifests.h"
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

// `open`: the files that are being read.
void collect(const fs::path& sweep, std::vector<fs::path>& open, std::vector<fs::path>& found) {
  const fs::path path = sweep.lexically_normal();
  // A file that is not there, or extends itself, is told by who reads the sweep.
  if (!fs::exists(path) || std::find(open.begin(), open.end(), path) != open.end()) return;
  const YamlNode root = parse_yaml(path.string(), read_text(path));
  const auto texts = [&](const char* key) {
    const YamlNode* node = root.find(key);
    if (!node) return std::vector<YamlNode>{};
    return node->is_list() ? node->items : std::vector<YamlNode>{*node};
  };
  open.push_back(path);
  for (const YamlNode& base : texts("extends")) {
    collect(path.parent_path() / expect_text(base, "extends"), open, found);
  }
  open.pop_back();
  for (const YamlNode& plugin : texts("plugin")) {
    const fs::path named = path.parent_path() / expect_text(plugin, "plugin");
    if (!fs::exists(named)) fail_at(plugin.place, "no plugin " + named.lexically_normal().string());
    const auto libraries = fs::is_directory(named) ? plugins_in(named) : std::vector{named};
    if (libraries.empty()) {
      fail_at(plugin.place, "no plugin (*.so) in " + named.lexically_normal().string());
    }
    found.insert(found.end(), libraries.begin(), libraries.end());
  }
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

std::vector<fs::path> plugins_of_sweep(const fs::path& sweep) {
  std::vector<fs::path> open, found;
  collect(sweep, open, found);
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
  return Catalog(std::move(manifests));
}

}  // namespace qbitopt
