#pragma once

#include <filesystem>
#include <string>

namespace qbitopt {

// What is wrong with a file of weights, as far as its first bytes and its size tell: "is no
// safetensors file; the file has 3 bytes". Empty for a whole safetensors file, and for what PyTorch
// wrote, which the worker looks into.
std::string fault_of_weights(const std::filesystem::path& file);

}  // namespace qbitopt
