#include "qbitopt/core/parameters.h"

#include <stdexcept>

namespace qbitopt {

const Json& Parameters::at(const std::string& name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) {
    throw std::logic_error("parameter '" + name +
                           "' is read but not declared by any manifest of this job");
  }
  return *found;
}

Parameters Parameters::below(const std::string& prefix) const {
  const std::string start = prefix + ".";
  Json below = Json::object();
  for (const auto& [name, value] : values_.items()) {
    if (name.rfind(start, 0) == 0) below[name.substr(start.size())] = value;
  }
  return Parameters(below);
}

}  // namespace qbitopt
