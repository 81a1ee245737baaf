#pragma once

#include <map>
#include <string>

#include "qbitopt/models/state_file.h"

namespace qbitopt {

// The bytes of a safetensors file: 8 bytes with the header's length, the header (JSON, padded to 8
// bytes), the values in the order of the names. Tensors of float32, int64, int8, uint8 and bool.
std::string to_safetensors(const StateDict& tensors,
                           const std::map<std::string, std::string>& metadata);

}  // namespace qbitopt
