#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "qbitopt/config/manifest.h"

namespace qbitopt {

// What is wrong with a file of weights, as far as everything but its values tells: "holds no
// weights: it has only 3 bytes". Empty for a whole safetensors file or PyTorch's zip. `converted`:
// where one that PyTorch alone can read should go; the text says how.
std::string fault_of_weights(const std::filesystem::path& file,
                             const std::filesystem::path& converted);

// Why a whole file of weights cannot be those of `model` for a data set of so many classes: another
// network's, or of other classes. Empty if it fits, as far as the model's manifest tells.
std::string misfit_of_weights(const std::filesystem::path& file, const Manifest& model,
                              int64_t classes);

}  // namespace qbitopt
