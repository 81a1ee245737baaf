#include "qbitopt/sweep/axis.h"

#include <glob.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "qbitopt/config/value.h"

namespace qbitopt {
namespace {

const std::vector<std::string> kAxisWords = {"from",     "to",  "step",        "linspace",
                                             "logspace", "num", "powers_of",   "glob",
                                             "min",      "max", "distribution"};

const YamlNode& required(const YamlNode& node, const char* word, const std::string& form) {
  const YamlNode* value = node.find(word);
  if (!value) fail_at(node.place, std::string("'") + word + "' is missing; write " + form);
  return *value;
}

void check_count(const YamlNode& node, double count) {
  if (count > static_cast<double>(kMaximumValues))
    fail_at(node.place, "this axis has more than a million values");
}

std::vector<Json> range(const YamlNode& node) {
  const std::string form = "{from: 2, to: 6, step: 0.5}";
  expect_keys(node, "a range", {"from", "to", "step"});
  const double from = expect_number(required(node, "from", form), "from");
  const double to = expect_number(required(node, "to", form), "to");
  const YamlNode* step_node = node.find("step");
  const double step = step_node ? expect_number(*step_node, "step") : 1;
  if (step == 0) fail_at(step_node->place, "the step of a range must not be 0");
  if ((to - from) * step < 0) {
    fail_at(node.place, "a range from " + shown(from) + " to " + shown(to) + " with step " +
                            shown(step) + " is empty");
  }
  // The last value counts when it is `to` up to rounding.
  const double count = std::floor((to - from) / step + 1e-9) + 1;
  check_count(node, count);
  std::vector<Json> values;
  for (int64_t i = 0; i < static_cast<int64_t>(count); ++i)
    values.push_back(rounded(from + static_cast<double>(i) * step));
  return values;
}

std::vector<Json> spaced(const YamlNode& node, bool in_logarithm) {
  const std::string word = in_logarithm ? "logspace" : "linspace";
  const std::string form =
      in_logarithm ? "{logspace: [1e-4, 1e-1], num: 4}" : "{linspace: [0, 1], num: 5}";
  expect_keys(node, word, {word, "num"});
  const YamlNode& ends = *node.find(word);
  if (!ends.is_list() || ends.items.size() != 2)
    fail_at(ends.place, word + " needs two ends; write " + form);
  const double first = expect_number(ends.items[0], "an end of " + word);
  const double last = expect_number(ends.items[1], "an end of " + word);
  if (in_logarithm && (first <= 0 || last <= 0)) {
    fail_at(ends.place,
            "the ends of logspace must be above 0, and are values, not exponents; write " + form);
  }
  const YamlNode& num = required(node, "num", form);
  const int64_t count = expect_int(num, "num");
  if (count < 2) fail_at(num.place, "num must be at least 2, found " + std::to_string(count));
  check_count(num, static_cast<double>(count));
  std::vector<Json> values;
  for (int64_t i = 0; i < count; ++i) {
    const double t = static_cast<double>(i) / static_cast<double>(count - 1);
    const double value = in_logarithm ? std::exp(std::log(first) * (1 - t) + std::log(last) * t)
                                      : first * (1 - t) + last * t;
    values.push_back(rounded(value));
  }
  return values;
}

std::vector<Json> powers(const YamlNode& node) {
  const std::string form = "{powers_of: 2, from: 1, to: 64}";
  expect_keys(node, "powers_of", {"powers_of", "from", "to"});
  const double base = expect_number(*node.find("powers_of"), "powers_of");
  const double from = expect_number(required(node, "from", form), "from");
  const double to = expect_number(required(node, "to", form), "to");
  if (base <= 1)
    fail_at(node.find("powers_of")->place,
            "the base of powers_of must be above 1, found " + shown(base));
  if (from <= 0 || from > to)
    fail_at(node.place, "powers_of needs ends 0 < from <= to; write " + form);
  const double slack = 1e-9;
  const auto lowest = static_cast<int64_t>(std::ceil(std::log(from) / std::log(base) - slack));
  const auto highest = static_cast<int64_t>(std::floor(std::log(to) / std::log(base) + slack));
  check_count(node, static_cast<double>(highest - lowest));
  std::vector<Json> values;
  for (int64_t i = lowest; i <= highest; ++i)
    values.push_back(rounded(std::pow(base, static_cast<double>(i))));
  if (values.empty()) {
    fail_at(node.place,
            "no power of " + shown(base) + " lies between " + shown(from) + " and " + shown(to));
  }
  return values;
}

std::vector<Json> matching_files(const YamlNode& node, const std::filesystem::path& folder) {
  expect_keys(node, "glob", {"glob"});
  const std::string pattern =
      expect_path(*node.find("glob"), "glob", folder).lexically_normal().string();
  glob_t found{};
  const int result = ::glob(pattern.c_str(), GLOB_BRACE, nullptr, &found);
  std::vector<Json> values;
  for (size_t i = 0; result == 0 && i < found.gl_pathc; ++i) values.push_back(found.gl_pathv[i]);
  ::globfree(&found);
  if (values.empty()) fail_at(node.find("glob")->place, "no file matches " + pattern);
  return values;
}

std::vector<Json> computed(const YamlNode& node, const std::filesystem::path& folder) {
  if (node.find("linspace")) return spaced(node, false);
  if (node.find("logspace")) return spaced(node, true);
  if (node.find("powers_of")) return powers(node);
  if (node.find("glob")) return matching_files(node, folder);
  return range(node);
}

}  // namespace

bool is_axis_map(const YamlNode& node) {
  return node.is_map() &&
         std::any_of(node.entries.begin(), node.entries.end(), [](const YamlNode::Entry& entry) {
           return std::find(kAxisWords.begin(), kAxisWords.end(), entry.key) != kAxisWords.end();
         });
}

std::vector<AxisValue> axis_values(const ParameterSpec& spec, const YamlNode& node,
                                   const std::filesystem::path& folder,
                                   std::vector<std::string>& warnings) {
  std::vector<AxisValue> values;
  if (node.is_map()) {
    for (Json& value : computed(node, folder)) values.push_back({std::move(value), node.place});
    return values;
  }
  if (!node.is_list()) return {{node.scalar, node.place}};
  if (node.items.empty())
    fail_at(node.place, "an empty list gives no jobs; add a value or remove the key");
  if (spec.type.rfind("list of ", 0) == 0 && !node.items[0].is_list()) {
    fail_at(node.place, "the axis of a " + spec.type + " is a list of lists; write [" +
                            shown(node.json()) + "]");
  }
  std::set<Json> seen;
  for (const YamlNode& item : node.items) {
    const Json value = item.json();
    if (!seen.insert(value).second) {
      warnings.push_back(location_text(item.place) + ": " + shown(value) +
                         " stands twice; it is run once");
      continue;
    }
    values.push_back({value, item.place});
  }
  return values;
}

void Draw::check(const std::string& key, const ParameterSpec& spec) const {
  if (spec.type != "int" && spec.type != "float" && spec.type != "decimal")
    fail_at(place, "only numbers can be drawn, found '" + key + "' of type " + spec.type);
  if (spec.type == "int" && std::ceil(minimum) > std::floor(maximum)) {
    fail_at(place,
            "no whole number lies between min " + shown(minimum) + " and max " + shown(maximum));
  }
  for (const double end : {minimum, maximum}) {
    try {
      normalized(spec, spec.type != "int" ? end
                       : end == minimum   ? std::ceil(end)
                                          : std::floor(end));
    } catch (const InputError& error) {
      fail_at(place, "an end of the drawn range is invalid: '" + key + "' " + error.what());
    }
  }
}

Json Draw::value(const ParameterSpec& spec, double uniform) const {
  const bool is_int = spec.type == "int";
  const double lowest = is_int ? std::ceil(minimum) : minimum;
  const double highest = is_int ? std::floor(maximum) : maximum;
  if (is_int && !in_logarithm)
    return static_cast<int64_t>(lowest + std::floor(uniform * (highest - lowest + 1)));
  const double drawn =
      in_logarithm ? std::exp(std::log(minimum) + uniform * (std::log(maximum) - std::log(minimum)))
                   : minimum + uniform * (maximum - minimum);
  return rounded(is_int ? std::clamp(std::round(drawn), lowest, highest) : drawn);
}

std::optional<Draw> read_draw(const YamlNode& node) {
  if (!node.is_map() || (!node.find("min") && !node.find("max") && !node.find("distribution")))
    return std::nullopt;
  const std::string form = "{min: 1e-4, max: 1e-1, distribution: log_uniform}";
  expect_keys(node, "a drawn axis", {"min", "max", "distribution"});
  Draw draw;
  draw.place = node.place;
  draw.minimum = expect_number(required(node, "min", form), "min");
  draw.maximum = expect_number(required(node, "max", form), "max");
  if (draw.minimum > draw.maximum) {
    fail_at(node.place, "min " + shown(draw.minimum) + " is above max " + shown(draw.maximum));
  }
  if (const YamlNode* distribution = node.find("distribution")) {
    const std::string name = expect_text(*distribution, "distribution");
    if (name != "uniform" && name != "log_uniform") {
      fail_at(distribution->place,
              "unknown distribution '" + name + "'; known: uniform, log_uniform");
    }
    draw.in_logarithm = name == "log_uniform";
  }
  if (draw.in_logarithm && draw.minimum <= 0) fail_at(node.place, "log_uniform needs min above 0");
  return draw;
}

}  // namespace qbitopt
