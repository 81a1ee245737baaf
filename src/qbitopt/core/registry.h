#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"

namespace qbitopt {

// Named makers of one kind of thing ("method", "solver", "model", ...). Filled by plain functions
// at start-up, never by static constructors, so that two programs in one process may hold different
// registries.
template <typename Product, typename... Arguments>
class Registry {
 public:
  using Maker = std::function<std::unique_ptr<Product>(Arguments...)>;

  explicit Registry(std::string kind) : kind_(std::move(kind)) {}

  // Throws InputError if the name is taken.
  void add(const std::string& name, Maker maker) {
    if (!makers_.emplace(name, std::move(maker)).second) {
      throw InputError(kind_ + " '" + name + "' is registered twice");
    }
  }

  bool contains(const std::string& name) const { return makers_.count(name) != 0; }

  // Throws InputError that lists the known names.
  std::unique_ptr<Product> make(const std::string& name, Arguments... arguments) const {
    const auto found = makers_.find(name);
    if (found == makers_.end()) throw InputError(unknown_name(kind_, name, names()));
    return found->second(std::forward<Arguments>(arguments)...);
  }

  // In alphabetical order.
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& [name, maker] : makers_) names.push_back(name);
    return names;
  }

 private:
  std::string kind_;
  std::map<std::string, Maker> makers_;
};

}  // namespace qbitopt
