#include "qbitopt/config/catalog.h"

#include <algorithm>
#include <set>

#include "qbitopt/config/builtin_manifests.h"
#include "qbitopt/config/value.h"
#include "qbitopt/config/yaml.h"
#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"
#include "qbitopt/core/text_file.h"

namespace qbitopt {
namespace {

std::string joined(const std::string& prefix, const std::string& name) {
  return prefix.empty() ? name : prefix + "." + name;
}

Manifest graph_file_manifest() {
  Manifest manifest;
  manifest.kind = "model";
  manifest.name = "pt2_file";
  manifest.summary =
      "A network that torch.export.save wrote, as tools/export_network.py makes it; its weights "
      "are the starting point.";
  return manifest;
}

}  // namespace

const ParameterSpec* Schema::find(std::string_view name) const {
  const auto found =
      std::lower_bound(parameters.begin(), parameters.end(), name,
                       [](const Entry& entry, std::string_view key) { return entry.name < key; });
  return found != parameters.end() && found->name == name ? found->spec : nullptr;
}

const Manifest* Schema::part(std::string_view kind) const {
  for (const Manifest* manifest : manifests) {
    if (manifest->kind == kind) return manifest;
  }
  return nullptr;
}

Catalog::Catalog(std::vector<Manifest> manifests)
    : manifests_(std::move(manifests)),
      graph_file_(std::make_unique<const Manifest>(graph_file_manifest())) {
  for (const Manifest& manifest : manifests_) {
    const auto [place, is_new] =
        by_name_.emplace(std::pair(manifest.kind, manifest.name), &manifest);
    if (!is_new) {
      throw InputError({manifest.source}, "a second " + manifest.kind + " '" + manifest.name +
                                              "'; the first is in " + place->second->source);
    }
  }
  if (!find("group", "job"))
    throw InputError(
        "there is no manifest of the group 'job', which declares the keys of every job");
  collect_keys(get("group", "job"), "");
  for (const Manifest& manifest : manifests_) check_needs(manifest);
}

void Catalog::check_needs(const Manifest& manifest) const {
  for (const auto& [name, need] : manifest.needs) {
    std::vector<std::string> named;
    if (!need.if_given.empty()) named.push_back(need.if_given);
    for (const auto& [key, value] : need.changes.items()) {
      named.push_back(key);
      if (const auto referenced = Need::referenced_key(value)) named.push_back(*referenced);
    }
    for (const std::string& key : named) {
      if (!keys_.contains(key))
        throw InputError({manifest.source}, "need '" + name + "': " + unknown_key(key));
    }
  }
}

void Catalog::collect_keys(const Manifest& manifest, const std::string& prefix) {
  if (!collected_.emplace(&manifest, prefix).second) return;
  for (const ParameterSpec& spec : manifest.parameters) {
    const std::string name = joined(prefix, spec.name);
    const auto [known, is_new] = keys_.emplace(name, &spec);
    if (!is_new && known->second->type != spec.type) {
      throw InputError({manifest.source}, "key '" + name + "' is declared as " + spec.type +
                                              " here and as " + known->second->type + " elsewhere");
    }
    if (is_value_type(spec.type)) continue;
    if (spec.default_value.is_string() && !find(spec.type, spec.default_value.get<std::string>())) {
      throw InputError(
          {manifest.source},
          "default of '" + name + "': " +
              unknown_name(spec.type, spec.default_value.get<std::string>(), names(spec.type)));
    }
    for (const Manifest& part : manifests_) {
      if (part.kind == spec.type) collect_keys(part, prefix);
    }
  }
  for (const auto& [below, group] : manifest.includes) {
    const Manifest* included = find("group", group);
    if (!included)
      throw InputError({manifest.source},
                       "includes: " + unknown_name("group", group, names("group")));
    collect_keys(*included, joined(prefix, below));
  }
}

Catalog Catalog::from_text(const std::vector<std::pair<std::string, std::string>>& sources) {
  std::vector<Manifest> manifests;
  for (const auto& [name, text] : sources) manifests.push_back(read_manifest(name, text));
  return Catalog(std::move(manifests));
}

Catalog Catalog::from_files(const std::vector<std::filesystem::path>& files) {
  std::vector<std::pair<std::string, std::string>> sources;
  for (const auto& file : files) sources.emplace_back(file.string(), read_text(file));
  return from_text(sources);
}

std::vector<std::string> Catalog::names(std::string_view kind) const {
  std::vector<std::string> names;
  for (const auto& [id, manifest] : by_name_) {
    if (id.first == kind) names.push_back(id.second);
  }
  return names;
}

const Manifest* Catalog::find(std::string_view kind, std::string_view name) const {
  if (kind == "model" && names_graph_file(name)) return graph_file_.get();
  const auto found = by_name_.find(std::pair(std::string(kind), std::string(name)));
  return found == by_name_.end() ? nullptr : found->second;
}

void Catalog::add_absent(std::vector<Manifest> methods, const std::string& why) {
  for (Manifest& method : methods) {
    if (!find(method.kind, method.name)) absent_.emplace_back(std::move(method), why);
  }
}

std::string Catalog::unknown_part(std::string_view kind, std::string_view name) const {
  for (const auto& [manifest, why] : absent_) {
    if (manifest.kind == kind && manifest.name == name)
      return "the " + manifest.kind + " '" + manifest.name + "' " + why;
  }
  return unknown_name(kind, name, names(kind));
}

const Manifest& Catalog::get(std::string_view kind, std::string_view name) const {
  const Manifest* manifest = find(kind, name);
  if (!manifest) throw InputError(unknown_part(kind, name));
  return *manifest;
}

std::string Catalog::unknown_key(std::string_view name) const {
  for (const auto& [manifest, why] : absent_) {
    for (const ParameterSpec& spec : manifest.parameters) {
      if (spec.name != name) continue;
      return "key '" + spec.name + "' is of the " + manifest.kind + " '" + manifest.name +
             "', which " + why;
    }
  }
  std::vector<std::string> known;
  for (const auto& [key, spec] : keys_) known.push_back(key);
  std::string near = nearest_name(name, known);
  if (near.empty()) {  // only its last word was written: "tau" for "reallocation.tau"
    for (const std::string& key : known) {
      if (key.size() > name.size() &&
          key.compare(key.size() - name.size(), name.size(), name) == 0 &&
          key[key.size() - name.size() - 1] == '.') {
        near = key;
        break;
      }
    }
  }
  const std::string text = "unknown key '" + std::string(name) + "'";
  return near.empty() ? text + "; no part of any job declares it"
                      : text + ", did you mean '" + near + "'?";
}

Schema Catalog::schema(const Choice& chosen) const {
  Schema schema;
  std::set<std::pair<const Manifest*, std::string>> reached;
  // Depth first, so that a part's own keys come before those of the next.
  const std::function<void(const Manifest&, const std::string&)> reach =
      [&](const Manifest& manifest, const std::string& prefix) {
        if (!reached.emplace(&manifest, prefix).second) return;
        schema.manifests.push_back(&manifest);
        if (!manifest.is_optional)
          schema.versions[manifest.kind + ":" + manifest.name] = manifest.version;
        for (const auto& [below, group] : manifest.includes)
          reach(get("group", group), joined(prefix, below));
        for (const ParameterSpec& spec : manifest.parameters) {
          const std::string name = joined(prefix, spec.name);
          schema.parameters.push_back({name, &spec});
          if (is_value_type(spec.type)) continue;
          std::optional<std::string> part = chosen(name);
          if (!part && spec.default_value.is_string()) part = spec.default_value.get<std::string>();
          if (part) reach(get(spec.type, *part), prefix);
        }
      };
  reach(get("group", "job"), "");
  // A key that several manifests declare belongs to the first that was reached.
  std::stable_sort(schema.parameters.begin(), schema.parameters.end(),
                   [](const Schema::Entry& a, const Schema::Entry& b) { return a.name < b.name; });
  schema.parameters.erase(
      std::unique(schema.parameters.begin(), schema.parameters.end(),
                  [](const Schema::Entry& a, const Schema::Entry& b) { return a.name == b.name; }),
      schema.parameters.end());
  return schema;
}

const Catalog& builtin_catalog() {
  static const Catalog catalog = Catalog::from_text(builtin_manifests());
  return catalog;
}

}  // namespace qbitopt
