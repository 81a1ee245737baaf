#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "qbitopt/config/manifest.h"

namespace qbitopt {

// What is wrong with a file of weights, apart from its values: "contains no weights: it has only 3
// bytes". Empty for a complete safetensors or PyTorch zip file. `converted`: where to put a
// converted file if only PyTorch can read this one; the text says how.
std::string fault_of_weights(const std::filesystem::path& file,
                             const std::filesystem::path& converted);

// Why a complete file of weights does not fit `model` for a data set of so many classes: it is of
// another network, or of other classes. Empty if it fits as far as the model's manifest tells.
std::string misfit_of_weights(const std::filesystem::path& file, const Manifest& model,
                              int64_t classes);

}  // namespace qbitopt
