#pragma once

#include <filesystem>
#include <string>

namespace qbitopt {

// What is wrong with a file of weights, as far as its size, beginning and end tell: "holds no
// weights; the file has 3 bytes". Empty for a whole safetensors or zip file. `converted`: where an
// older pickle should go; the text says how.
std::string fault_of_weights(const std::filesystem::path& file,
                             const std::filesystem::path& converted);

}  // namespace qbitopt
