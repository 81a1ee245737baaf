#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "qbitopt/config/yaml.h"

namespace qbitopt {

// A sweep file, or one that it extends.
struct SweepSource {
  std::filesystem::path file;
  std::string text;    // verbatim
  YamlNode root;       // with the environment variables that it names
  size_t reading = 0;  // it was the n-th to be read: before what it extends
};

// In the order in which they are laid over one another: before a file what it extends, the sweep
// itself last. A file that two others extend stands twice. Throws InputError, with the place that
// names the file, for one that cannot be read or extends itself, and if there are more than 100.
std::vector<SweepSource> read_sources(const std::filesystem::path& sweep);

}  // namespace qbitopt
