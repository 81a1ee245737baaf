#include "qbitopt/sweep/block.h"

#include <algorithm>
#include <map>
#include <set>

#include "qbitopt/config/yaml.h"
#include "qbitopt/core/names.h"
#include "qbitopt/sweep/axis.h"
#include "qbitopt/sweep/point_rows.h"

namespace qbitopt {
namespace {

std::vector<ZipGroup> read_zip(const YamlNode& node, BlockLayer& layer, const Catalog& catalog) {
  const std::string form = "zip: {pair: {training.steps: [100, 200], reallocation.tau: [10, 20]}}";
  if (!node.is_map())
    fail_at(node.place, "zip must be a map of groups, found " + node.found() + "; write " + form);
  std::vector<ZipGroup> groups;
  for (const YamlNode::Entry& entry : node.entries) {
    if (entry.key == "_delete_") {
      layer.drops_zip = expect_bool(entry.value, "_delete_");
      continue;
    }
    if (!entry.value.is_map()) {
      fail_at(
          entry.place,
          "'" + entry.key + "' must be a group with the axes that advance together; write " + form);
    }
    SettingsLayer axes = read_settings(entry.value, "a group of zip", Values::kAxes, catalog);
    if (axes.settings.empty())
      fail_at(entry.place, "this group of zip has no axis; add one or remove the group");
    groups.push_back({entry.key, entry.place, std::move(axes.settings)});
  }
  return groups;
}

Sample read_sample(const YamlNode& node) {
  const std::string form = "sample: {method: random, n: 50, seed: 0}";
  expect_keys(node, "sample", {"method", "n", "seed"});
  Sample sample{.place = node.place};
  const YamlNode* method = node.find("method");
  if (!method) fail_at(node.place, "sample needs a method, random or sobol; write " + form);
  const std::string name = expect_text(*method, "method");
  if (name != "random" && name != "sobol")
    fail_at(method->place, unknown_name("sample method", name, {"random", "sobol"}));
  sample.is_sobol = name == "sobol";
  const YamlNode* count = node.find("n");
  if (!count) fail_at(node.place, "sample needs n, the number of draws; write " + form);
  sample.count = expect_int(*count, "n");
  if (sample.count < 1)
    fail_at(count->place, "n must be at least 1, found " + std::to_string(sample.count));
  if (sample.count > static_cast<int64_t>(kMaximumValues))
    fail_at(count->place, "n must be at most a million, found " + std::to_string(sample.count));
  if (const YamlNode* seed = node.find("seed"))
    sample.seed = static_cast<uint64_t>(expect_int(*seed, "seed"));
  return sample;
}

std::vector<NeedSetting> read_needs(const YamlNode& node, const Catalog& catalog) {
  const std::string form = "needs: {fp32_checkpoint: {job: {method: fp32, seed: 0}}}";
  if (!node.is_map())
    fail_at(node.place, "needs must be a map, found " + node.found() + "; write " + form);
  std::map<std::string, std::set<std::string>> artifacts;  // by need
  for (const Manifest& manifest : catalog.manifests()) {
    for (const auto& [name, need] : manifest.needs) artifacts[name].insert(need.artifact);
  }
  std::vector<std::string> known;
  for (const auto& [name, of_need] : artifacts) known.push_back(name);
  expect_keys(node, "needs", known);
  std::vector<NeedSetting> needs;
  for (const YamlNode::Entry& entry : node.entries) {
    expect_keys(entry.value, "a need", {"job", "artifact"});
    NeedSetting need{.name = entry.key, .place = entry.place};
    const YamlNode* job = entry.value.find("job");
    if (!job) fail_at(entry.place, "this need has no `job`; write " + form);
    need.changes = read_settings(*job, "the job of a need", Values::kPlain, catalog).settings;
    if (const YamlNode* artifact = entry.value.find("artifact")) {
      need.artifact = expect_text(*artifact, "artifact");
      const std::set<std::string>& fitting = artifacts[need.name];
      if (fitting.count(*need.artifact) == 0) {
        fail_at(artifact->place,
                unknown_name("artifact", *need.artifact, {fitting.begin(), fitting.end()}));
      }
    }
    needs.push_back(std::move(need));
  }
  return needs;
}

std::vector<Settings> read_include(const YamlNode& node, const Catalog& catalog) {
  if (!node.is_list()) {
    fail_at(node.place,
            "include must be a list, found " + node.found() + "; write include: [{solver: exact}]");
  }
  std::vector<Settings> include;
  for (const YamlNode& entry : node.items) {
    include.push_back(
        read_settings(entry, "an entry of include", Values::kPlain, catalog).settings);
  }
  return include;
}

void refuse_key_in_two_roles(const BlockLayer& layer) {
  std::vector<std::pair<const Setting*, const char*>> seen;
  const auto check = [&](const Settings& settings, const char* role) {
    for (const Setting& setting : settings) {
      for (const auto& [other, other_role] : seen) {
        if (other->key != setting.key) continue;
        const bool is_same_file = other->place.source == setting.place.source;
        fail_at(setting.place, "key '" + setting.key + "' is in `" + role + "` and, in " +
                                   (is_same_file ? "line " + std::to_string(other->place.line)
                                                 : location_text(other->place)) +
                                   ", in `" + other_role + "`");
      }
      seen.emplace_back(&setting, role);
    }
  };
  check(layer.set.settings, "set");
  check(layer.grid.settings, "grid");
  for (const ZipGroup& group : layer.zip)
    check(group.axes, group.name == kRowsGroup ? "rows" : "zip");
  for (const auto& [setting, role] : seen) {
    if (setting->key != "seed" || !layer.seeds) continue;
    fail_at(layer.seeds->place, "the seeds are given by `seeds` and by the key 'seed' in `" +
                                    std::string(role) + "`, in line " +
                                    std::to_string(setting->place.line) + "; remove one of them");
  }
}

void erase_from_zip(Block& block, const std::string& key) {
  for (ZipGroup& group : block.zip) group.axes.erase(key);
  std::erase_if(block.zip, [](const ZipGroup& group) { return group.axes.empty(); });
}

// Constants, axes, seeds, sample and needs; the rules are the caller's.
void lay_values(Block& block, const BlockLayer& over) {
  block.place = over.place;
  for (const std::string& prefix : over.set.dropped) block.set.erase_below(prefix);
  for (const std::string& prefix : over.grid.dropped) block.grid.erase_below(prefix);
  block.dropped_from_set.insert(block.dropped_from_set.end(), over.set.dropped.begin(),
                                over.set.dropped.end());
  block.dropped_from_grid.insert(block.dropped_from_grid.end(), over.grid.dropped.begin(),
                                 over.grid.dropped.end());
  if (over.drops_zip) block.zip.clear();
  for (const ZipGroup& group : over.zip) {
    std::erase_if(block.zip, [&](const ZipGroup& present) { return present.name == group.name; });
  }
  for (const Setting& setting : over.set.settings) {
    block.grid.erase(setting.key);
    erase_from_zip(block, setting.key);
    if (setting.key == "seed") block.seeds.reset();
    block.set.assign(setting);
  }
  for (const Setting& setting : over.grid.settings) {
    block.set.erase(setting.key);
    erase_from_zip(block, setting.key);
    if (setting.key == "seed") block.seeds.reset();
    block.grid.assign(setting);
  }
  for (const ZipGroup& group : over.zip) {
    for (const Setting& setting : group.axes) {
      block.set.erase(setting.key);
      block.grid.erase(setting.key);
      erase_from_zip(block, setting.key);
      if (setting.key == "seed") block.seeds.reset();
    }
    block.zip.push_back(group);
  }
  if (over.seeds) {
    block.seeds = over.seeds;
    block.set.erase("seed");
    block.grid.erase("seed");
    erase_from_zip(block, "seed");
  }
  if (over.sample) block.sample = over.sample;
  if (over.search) block.search = over.search;
  for (const NeedSetting& need : over.needs) {
    std::erase_if(block.needs,
                  [&](const NeedSetting& present) { return present.name == need.name; });
    block.needs.push_back(need);
  }
}

}  // namespace

const std::vector<std::string>& block_keys() {
  static const std::vector<std::string> keys = {"set",   "grid",    "zip",    "rows",
                                                "seeds", "sample",  "search", "exclude",
                                                "only",  "include", "when",   "needs"};
  return keys;
}

BlockLayer read_block(const YamlNode& node, const Catalog& catalog) {
  BlockLayer layer{.place = node.place};
  if (const YamlNode* set = node.find("set"))
    layer.set = read_settings(*set, "set", Values::kPlain, catalog);
  if (const YamlNode* grid = node.find("grid"))
    layer.grid = read_settings(*grid, "grid", Values::kAxes, catalog);
  if (const YamlNode* zip = node.find("zip")) layer.zip = read_zip(*zip, layer, catalog);
  if (const YamlNode* rows = node.find("rows")) layer.zip.push_back(read_rows(*rows, catalog));
  if (const YamlNode* seeds = node.find("seeds")) layer.seeds = *seeds;
  if (const YamlNode* sample = node.find("sample")) layer.sample = read_sample(*sample);
  if (const YamlNode* search = node.find("search")) layer.search = read_search(*search, catalog);
  if (const YamlNode* exclude = node.find("exclude"))
    layer.exclude = read_rules(*exclude, "exclude", catalog);
  if (const YamlNode* only = node.find("only")) layer.only = read_rules(*only, "only", catalog);
  if (const YamlNode* include = node.find("include"))
    layer.include = read_include(*include, catalog);
  if (const YamlNode* when = node.find("when")) layer.when = read_whens(*when, catalog);
  if (const YamlNode* needs = node.find("needs")) layer.needs = read_needs(*needs, catalog);
  refuse_key_in_two_roles(layer);
  return layer;
}

void lay_over(Block& block, const BlockLayer& over) {
  lay_values(block, over);
  if (over.exclude) block.exclude = *over.exclude;
  if (over.only) block.only = {*over.only};
  if (over.include) block.include = *over.include;
  if (over.when) block.when = *over.when;
}

Block case_block(const Block& base, const Block& over) {
  Block block = base;
  block.fixed.insert(block.fixed.end(), over.fixed.begin(), over.fixed.end());
  BlockLayer layer{.place = over.place,
                   .zip = over.zip,
                   .seeds = over.seeds,
                   .sample = over.sample,
                   .search = over.search,
                   .needs = over.needs};
  layer.set = {over.set, over.dropped_from_set};
  layer.grid = {over.grid, over.dropped_from_grid};
  lay_values(block, layer);
  block.exclude.insert(block.exclude.end(), over.exclude.begin(), over.exclude.end());
  block.only.insert(block.only.end(), over.only.begin(), over.only.end());
  block.when.insert(block.when.end(), over.when.begin(), over.when.end());
  block.include = over.include;
  return block;
}

}  // namespace qbitopt
