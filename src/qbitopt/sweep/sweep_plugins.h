#pragma once

#include <filesystem>
#include <vector>

#include "qbitopt/config/yaml.h"

namespace qbitopt {

// A library that a sweep file, or one that it extends, names as `plugin:`.
struct SweepPlugin {
  std::filesystem::path library;
  Place place;  // where it is named
};
// `plugin:` is one path or a list, relative to the file: libraries, or folders of them. Throws
// InputError with the place of a path that is not there, and for files that cannot be read.
std::vector<SweepPlugin> plugins_of_sweep(const std::filesystem::path& sweep);

}  // namespace qbitopt
