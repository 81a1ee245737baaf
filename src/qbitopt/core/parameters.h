#pragma once

#include <string>

#include "qbitopt/core/json.h"

namespace qbitopt {

// The resolved parameters of one job: dotted names ("budget.average_bits") to plain values.
// Everything is already there (defaults filled in, types checked by the manifests), so that a
// missing name is a mistake of ours, not of the user's.
class Parameters {
 public:
  Parameters() = default;
  // `flat`: an object without nested objects.
  explicit Parameters(Json flat) : values_(std::move(flat)) {}

  bool has(const std::string& name) const { return values_.contains(name); }

  // Throws std::logic_error if the name is absent or of another type.
  template <typename T>
  T get(const std::string& name) const {
    return at(name).template get<T>();
  }
  template <typename T>
  T get_or(const std::string& name, T fallback) const {
    return has(name) ? get<T>(name) : fallback;
  }

  // The parameters below `prefix` with the prefix taken off: below("training") of "training.steps"
  // is "steps".
  Parameters below(const std::string& prefix) const;

  const Json& values() const { return values_; }

 private:
  const Json& at(const std::string& name) const;
  Json values_ = Json::object();
};

}  // namespace qbitopt
