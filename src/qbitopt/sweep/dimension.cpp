#include "qbitopt/sweep/dimension.h"

#include <algorithm>
#include <set>

#include "qbitopt/config/value.h"
#include "qbitopt/core/random.h"
#include "qbitopt/sweep/sobol.h"

namespace qbitopt {
namespace {

constexpr double kMaximumPoints = 1e8;  // of a product

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
  if (dimension.rows.empty())
    fail_at(group.place, "an empty list gives no jobs; add a value or remove the key");
  return dimension;
}

// Row by row, the numbers in [0, 1) from which the values of the n-th drawn axis follow.
class Draws {
 public:
  Draws(const Sample& sample, const std::string& key, int axis)
      : sample_(sample), key_(key), axis_(axis) {
    if (sample.is_sobol && sample.seed)
      shift_ = static_cast<uint32_t>(Random(*sample.seed, "sobol:" + key).next() >> 32);
  }

  double operator[](size_t row) const {
    // The exclusive or with a random number keeps the points a net.
    if (sample_.is_sobol) return (sobol(axis_, static_cast<uint32_t>(row)) ^ shift_) * 0x1p-32;
    // A key's values do not depend on which other keys are drawn.
    return Random(sample_.seed.value_or(0), "sample:" + key_, row).uniform();
  }

 private:
  const Sample& sample_;
  const std::string key_;
  const int axis_;
  uint32_t shift_ = 0;
};

void check_sobol(const Sample& sample, std::vector<std::string>& warnings) {
  if (!sample.is_sobol || (sample.count & (sample.count - 1)) == 0) return;
  warnings.push_back(location_text(sample.place) + ": Sobol's points are spread evenly if their " +
                     "number is a power of two, found n: " + std::to_string(sample.count));
}

Dimension drawn(const Block& block, const Catalog& catalog, std::vector<std::string>& warnings) {
  Dimension dimension;
  dimension.rows.resize(static_cast<size_t>(block.sample->count));
  check_sobol(*block.sample, warnings);
  int axis = 0;
  for (const Setting& setting : block.grid) {
    const auto draw = read_draw(setting.value);
    if (!draw) continue;
    const ParameterSpec& spec = spec_of(setting, catalog);
    draw->check(setting.key, spec);
    dimension.keys.push_back(setting.key);
    if (block.sample->is_sobol && axis == kSobolDimensions) {
      fail_at(setting.value.place, "Sobol's sequence draws at most " +
                                       std::to_string(kSobolDimensions) +
                                       " axes here; write sample: {method: random, ...}");
    }
    const Draws draws(*block.sample, setting.key, axis++);
    for (size_t row = 0; row < dimension.rows.size(); ++row)
      dimension.rows[row].push_back({draw->value(spec, draws[row]), draw->place});
  }
  return dimension;
}

Dimension seeds(const YamlNode& node, std::vector<std::string>& warnings) {
  Dimension dimension{.keys = {"seed"}, .is_seeds = true};
  if (node.is_list()) {
    std::set<int64_t> seen;
    for (const YamlNode& item : node.items) {
      const int64_t seed = expect_int(item, "a seed");
      if (seen.insert(seed).second) {
        dimension.rows.push_back({{seed, item.place}});
      } else {
        warnings.push_back(location_text(item.place) + ": seed " + std::to_string(seed) +
                           " stands twice; it is run once");
      }
    }
    if (node.items.empty())
      fail_at(node.place, "an empty list gives no jobs; add a value or remove the key");
    return dimension;
  }
  const int64_t count = expect_int(node, "seeds, a count or a list,");
  if (count < 1) fail_at(node.place, "seeds must be at least 1, found " + std::to_string(count));
  if (count > static_cast<int64_t>(kMaximumValues))
    fail_at(node.place, "more than a million seeds, found " + std::to_string(count));
  for (int64_t seed = 0; seed < count; ++seed) dimension.rows.push_back({{seed, node.place}});
  return dimension;
}

}  // namespace

std::vector<Dimension> dimensions(const Block& block, const Catalog& catalog,
                                  std::vector<std::string>& warnings) {
  std::vector<Dimension> dimensions;
  double points = 1;
  const auto add = [&](Dimension dimension) {
    points *= static_cast<double>(dimension.rows.size());
    if (points > kMaximumPoints) {
      fail_at(block.place, "this product has " + shown(points) +
                               " points or more, expected at most a hundred million; shorten its "
                               "axes, or draw from them (`sample`)");
    }
    dimensions.push_back(std::move(dimension));
  };
  bool has_drawn = false;
  for (const Setting& setting : block.grid) {
    if (!read_draw(setting.value)) {
      add(axis(setting, catalog, warnings));
      continue;
    }
    if (!block.sample) {
      fail_at(setting.value.place,
              "a drawn axis needs a number of draws; add sample: {method: random, n: 50, seed: 0}");
    }
    if (!has_drawn) add(drawn(block, catalog, warnings));
    has_drawn = true;
  }
  if (block.sample && !has_drawn) {
    fail_at(block.sample->place,
            "sample has no axis to draw from; write one as {min: 1e-4, max: 1e-1, distribution: "
            "log_uniform}");
  }
  for (const ZipGroup& group : block.zip) add(zipped(group, catalog));
  if (block.seeds) add(seeds(*block.seeds, warnings));
  return dimensions;
}

}  // namespace qbitopt
