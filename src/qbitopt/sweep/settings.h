#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "qbitopt/config/catalog.h"
#include "qbitopt/config/yaml.h"

namespace qbitopt {

// A key and the value or axis that a file or the command line gives it.
struct Setting {
  std::string key;  // dotted
  Place place;      // of the key
  YamlNode value;
};

// Settings in the order of the file, each key once.
class Settings {
 public:
  const Setting* find(std::string_view key) const;
  // Replaces the setting with the same key, or appends it.
  void assign(Setting setting);
  bool erase(std::string_view key);  // true: there was one
  void erase_below(
      const std::string& prefix);  // "training" takes "training.steps"; "" takes everything

  bool empty() const { return settings_.empty(); }
  auto begin() const { return settings_.begin(); }
  auto end() const { return settings_.end(); }

 private:
  std::vector<Setting> settings_;
};

// Settings as a file writes them, before they are merged with others.
struct SettingsLayer {
  Settings settings;
  // Prefixes whose inherited settings are dropped (`_delete_: true`).
  std::vector<std::string> dropped;
};

enum class Values { kPlain, kAxes };

// Reads a map of dotted or nested keys. With axes, a map that holds a word of an axis ({from: 2,
// to: 6}) is a value. Throws InputError at a key that no manifest declares, also one that a
// value refers to, and at a duplicate key.
SettingsLayer read_settings(const YamlNode& map, const std::string& what, Values values,
                            const Catalog& catalog);

}  // namespace qbitopt
