#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace qbitopt::app {

// [bytes] Of a file, or of all files in a folder; 0 if there is none.
int64_t disk_space(const std::filesystem::path& path);

// "3.4 MB", powers of 1000.
std::string size_text(int64_t bytes);

}  // namespace qbitopt::app
