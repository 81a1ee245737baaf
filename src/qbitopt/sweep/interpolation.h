#pragma once

#include <functional>
#include <string>
#include <vector>

#include "qbitopt/config/catalog.h"
#include "qbitopt/config/yaml.h"

namespace qbitopt {

// Interpolation in the texts of sweep files and overrides:
//
//   ${env:NAME}           an environment variable; an error if it is not set
//   ${env:NAME,default}   the same with a default
//   ${key}                a parameter of the same job: ${training.steps}
//   \${                   the characters ${
//
// A text that consists of one interpolation takes over the type of its value, which for an
// environment variable is that of a YAML scalar ("4" is a number); any other text stays a text.

// Resolves the environment variables in all texts below `node`. `takes_keys`: whether the values
// are those of jobs, where ${key} is left for interpolated(). Throws InputError at the place of an
// interpolation that is wrong, or that is not possible here.
void resolve_environment(YamlNode& node, bool takes_keys);

// The keys that a value's texts refer to; empty for most.
std::vector<std::string> referenced_keys(const Json& value);

// Throws InputError at a reference to a key that no manifest declares.
void check_references(const YamlNode& node, const Catalog& catalog);

// The value with each ${key} replaced by what `value_of` returns, which is told where the reference
// stands.
Json interpolated(const Json& value, const Place& place,
                  const std::function<Json(const std::string& key, const Place& at)>& value_of);

}  // namespace qbitopt
