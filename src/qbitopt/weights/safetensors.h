#pragma once

#include <string_view>

#include "qbitopt/weights/tensor_index.h"

namespace qbitopt {

// The tensors of a safetensors file: 8 bytes with the length of a JSON header (little-endian), the
// header (name -> dtype, shape, data_offsets from the header's end), the values. Throws BadWeights
// for a file that is not one, is cut off or disagrees with its header.
TensorIndex index_safetensors(std::string_view file);

}  // namespace qbitopt
