#include "qbitopt/sweep/dimension.h"

#include <algorithm>

#include "qbitopt/core/random.h"
#include "qbitopt/sweep/value.h"

namespace qbitopt {
namespace {

const ParameterSpec& spec_of(const Setting& setting, const Catalog& catalog) {
  return *catalog.keys().find(setting.key)->second;
}

std::vector<AxisValue> values_of(const Setting& setting, const Catalog& catalog,
                                 std::vector<std::string>& warnings) {
  const std::filesystem::path folder =
      std::filesystem::path(setting.place.source->name).parent_path();
  return axis_values(spec_of(setting, catalog), setting.value, folder, warnings);
}

Dimension axis(const Setting& setting, const Catalog& catalog, std::vector<std::string>& warnings) {
  Dimension dimension{.keys = {setting.key}};
  for (AxisValue& value : values_of(setting, catalog, warnings))
    dimension.rows.push_back({std::move(value)});
  return dimension;
}

Dimension zipped(const ZipGroup& group, const Catalog& catalog) {
  Dimension dimension;
  std::vector<std::string> ignored;  // values of a zip may repeat
  for (const Setting& setting : group.axes) {
    std::vector<AxisValue> values;
    if (setting.value.is_list()) {
      for (const YamlNode& item : setting.value.items) values.push_back({item.json(), item.place});
    } else {
      values = values_of(setting, catalog, ignored);
    }
    if (dimension.keys.empty()) dimension.rows.resize(values.size());
    if (values.size() != dimension.rows.size()) {
      fail_at(setting.place, "the axes of zip '" + group.name + "' differ in length: '" +
                                 dimension.keys[0] + "' has " +
                                 std::to_string(dimension.rows.size()) + " values, '" +
                                 setting.key + "' has " + std::to_string(values.size()));
    }
    for (size_t row = 0; row < values.size(); ++row)
      dimension.rows[row].push_back(std::move(values[row]));
    dimension.keys.push_back(setting.key);
  }
  if (dimension.rows.empty()) fail_at(group.place, "an empty list leaves no job");
  return dimension;
}

Dimension drawn(const Block& block, const Catalog& catalog) {
  Dimension dimension;
  dimension.rows.resize(static_cast<size_t>(block.sample->count));
  for (const Setting& setting : block.grid) {
    const auto draw = read_draw(setting.value);
    if (!draw) continue;
    const ParameterSpec& spec = spec_of(setting, catalog);
    if (spec.type != "int" && spec.type != "float" && spec.type != "decimal") {
      fail_at(draw->place, "only numbers can be drawn; '" + setting.key + "' is a " + spec.type);
    }
    dimension.keys.push_back(setting.key);
    for (size_t row = 0; row < dimension.rows.size(); ++row) {
      // A key's values do not depend on which other keys are drawn.
      const double uniform = Random(block.sample->seed, "sample:" + setting.key, row).uniform();
      dimension.rows[row].push_back({draw->value(spec, uniform), draw->place});
    }
  }
  return dimension;
}

Dimension seeds(const YamlNode& node) {
  Dimension dimension{.keys = {"seed"}, .is_seeds = true};
  if (node.is_list()) {
    for (const YamlNode& item : node.items)
      dimension.rows.push_back({{expect_int(item, "a seed"), item.place}});
    if (node.items.empty()) fail_at(node.place, "an empty list leaves no job");
    return dimension;
  }
  const int64_t count = expect_int(node, "seeds, a count or a list,");
  if (count < 1) fail_at(node.place, "seeds must be at least 1, found " + std::to_string(count));
  if (count > 1'000'000) fail_at(node.place, "more than a million seeds");
  for (int64_t seed = 0; seed < count; ++seed) dimension.rows.push_back({{seed, node.place}});
  return dimension;
}

}  // namespace

std::vector<Dimension> dimensions(const Block& block, const Catalog& catalog,
                                  std::vector<std::string>& warnings) {
  std::vector<Dimension> dimensions;
  bool has_drawn = false;
  for (const Setting& setting : block.grid) {
    if (!read_draw(setting.value)) {
      dimensions.push_back(axis(setting, catalog, warnings));
      continue;
    }
    if (!block.sample) {
      fail_at(setting.value.place,
              "a drawn axis needs to know how often; add sample: {method: random, n: 50, seed: 0}");
    }
    if (!has_drawn) dimensions.push_back(drawn(block, catalog));
    has_drawn = true;
  }
  if (block.sample && !has_drawn) {
    fail_at(block.sample->place,
            "sample has nothing to draw; give an axis as {min: 1e-4, max: 1e-1, distribution: "
            "log_uniform}");
  }
  for (const ZipGroup& group : block.zip) dimensions.push_back(zipped(group, catalog));
  if (block.seeds) dimensions.push_back(seeds(*block.seeds));
  return dimensions;
}

}  // namespace qbitopt
