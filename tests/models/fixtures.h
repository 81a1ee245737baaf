#pragma once

#include <filesystem>

namespace qbitopt {

// Where the committed fixtures of originals.py lie.
std::filesystem::path originals_folder();

}  // namespace qbitopt
