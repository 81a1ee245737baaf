#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "qbitopt/config/manifest.h"
#include "qbitopt/config/yaml.h"

namespace qbitopt {

// Limit for one axis.
inline constexpr size_t kMaximumValues = 1'000'000;

// One value of an axis, not yet checked against the parameter's type.
struct AxisValue {
  Json value;
  Place place;
};

// Whether this map is an axis ({from: 2, to: 6, step: 1}) rather than nested keys.
bool is_axis_map(const YamlNode& node);

// The values of an axis, in order:
//   3                                    one value
//   [2, 3, 4]                            these
//   {from: 2.5, to: 6, step: 0.5}        inclusive; `step` 1 unless given
//   {linspace: [0, 1], num: 5}           evenly spaced, ends included
//   {logspace: [1e-4, 1e-1], num: 4}     evenly spaced in the logarithm, ends (not exponents)
//                                        included
//   {powers_of: 2, from: 1, to: 64}      the powers within the ends
//   {glob: "../masks/*.json"}            the files that match, sorted; relative to `folder`
//
// Computed numbers are rounded to 12 significant digits. A null stands for the parameter's default.
// Throws InputError on anything else, and if there is no value. A duplicate value is kept once,
// with a warning.
std::vector<AxisValue> axis_values(const ParameterSpec& spec, const YamlNode& node,
                                   const std::filesystem::path& folder,
                                   std::vector<std::string>& warnings);

// {min: 1e-4, max: 1, distribution: log_uniform}: values are drawn between the ends, both included.
struct Draw {
  double minimum = 0;
  double maximum = 0;
  bool in_logarithm = false;
  Place place;

  // Throws InputError if the parameter cannot have the values that may be drawn.
  void check(const std::string& key, const ParameterSpec& spec) const;
  // `uniform` in [0, 1). Whole numbers between the ends for an int; else rounded to 12 significant
  // digits.
  Json value(const ParameterSpec& spec, double uniform) const;
};
// nullopt: this axis is not drawn.
std::optional<Draw> read_draw(const YamlNode& node);

}  // namespace qbitopt
