#pragma once

#include <filesystem>
#include <vector>

#include "qbitopt/sweep/catalog.h"

namespace qbitopt {

// Methods from shared libraries. A plugin is two files side by side, "dq.so" and its manifest
// "dq.yaml"; the driver reads the manifest and leaves the library to the worker.

// The libraries in a folder, by name; none if there is no such folder.
std::vector<std::filesystem::path> plugins_in(const std::filesystem::path& folder);

// What a sweep file, and the files that it extends, name as `plugin:`, one path or a list, relative
// to the file: libraries, or folders of them. Throws InputError with the place of a path that is
// not there.
std::vector<std::filesystem::path> plugins_of_sweep(const std::filesystem::path& sweep);

// Everything built in and the methods of these libraries, each file once. Throws InputError if one
// has no manifest, a faulty one, one that is not of a method, or a method that is there already.
Catalog catalog_with(const std::vector<std::filesystem::path>& libraries);

}  // namespace qbitopt
