#include "qbitopt/sweep/settings.h"

#include <algorithm>
#include <set>

#include "qbitopt/sweep/axis.h"
#include "qbitopt/sweep/interpolation.h"

namespace qbitopt {
namespace {

bool is_below(std::string_view key, std::string_view prefix) {
  return prefix.empty() || (key.size() > prefix.size() && key.substr(0, prefix.size()) == prefix &&
                            key[prefix.size()] == '.');
}

class Reader {
 public:
  Reader(Values values, const Catalog& catalog) : values_(values), catalog_(catalog) {}

  // `is_merged`: the map came by `<<`, so that what stands beside it wins, however it is written.
  void read(const YamlNode& map, const std::string& prefix, bool is_merged = false) {
    for (const YamlNode::Entry& entry : map.entries) {
      if (entry.key == "_delete_") {
        if (expect_bool(entry.value, "_delete_")) layer_.dropped.push_back(prefix);
        continue;
      }
      const std::string key = prefix.empty() ? entry.key : prefix + "." + entry.key;
      const bool is_axis = values_ == Values::kAxes && is_axis_map(entry.value);
      if (entry.value.is_map() && !is_axis) {
        read(entry.value, key, is_merged || entry.is_merged);
      } else {
        add({key, entry.place, entry.value}, is_merged || entry.is_merged);
      }
    }
  }

  SettingsLayer take() { return std::move(layer_); }

 private:
  void add(Setting setting, bool is_merged) {
    if (catalog_.keys().find(setting.key) == catalog_.keys().end())
      fail_at(setting.place, catalog_.unknown_key(setting.key));
    check_references(setting.value, catalog_);
    const Setting* first = layer_.settings.find(setting.key);
    const bool was_merged = first && merged_.count(setting.key) != 0;
    if (first && is_merged && !was_merged) return;
    if (first && is_merged == was_merged) {
      fail_at(setting.place, "duplicate key '" + setting.key + "', first set in line " +
                                 std::to_string(first->place.line));
    }
    if (is_merged) {
      merged_.insert(setting.key);
    } else {
      merged_.erase(setting.key);
    }
    layer_.settings.assign(std::move(setting));
  }

  Values values_;
  const Catalog& catalog_;
  SettingsLayer layer_;
  std::set<std::string> merged_;  // keys
};

}  // namespace

const Setting* Settings::find(std::string_view key) const {
  for (const Setting& setting : settings_) {
    if (setting.key == key) return &setting;
  }
  return nullptr;
}

void Settings::assign(Setting setting) {
  for (Setting& present : settings_) {
    if (present.key != setting.key) continue;
    present = std::move(setting);
    return;
  }
  settings_.push_back(std::move(setting));
}

bool Settings::erase(std::string_view key) {
  return std::erase_if(settings_, [&](const Setting& setting) { return setting.key == key; }) != 0;
}

void Settings::erase_below(const std::string& prefix) {
  std::erase_if(settings_, [&](const Setting& setting) { return is_below(setting.key, prefix); });
}

SettingsLayer read_settings(const YamlNode& map, const std::string& what, Values values,
                            const Catalog& catalog) {
  if (!map.is_map()) fail_at(map.place, what + " must be a map of keys, found " + map.found());
  Reader reader(values, catalog);
  reader.read(map, "");
  return reader.take();
}

}  // namespace qbitopt
