#pragma once

#include <filesystem>
#include <vector>

#include "qbitopt/config/catalog.h"

namespace qbitopt {

// Methods from shared libraries. A plugin is two files side by side, "dq.so" and its manifest
// "dq.yaml"; the driver reads the manifest and leaves the library to the worker.

// The libraries in a folder, by name; none if there is no such folder.
std::vector<std::filesystem::path> plugins_in(const std::filesystem::path& folder);

// Everything built in and the methods of these libraries, each file once. Methods of src/baselines
// whose plugins are missing are known as absent. Throws InputError if one has no manifest, a faulty
// one, one that is not of a method, or a method that is there already.
Catalog catalog_with(const std::vector<std::filesystem::path>& libraries);

}  // namespace qbitopt
