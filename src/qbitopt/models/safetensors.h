#pragma once

#include <filesystem>

#include "qbitopt/models/state_file.h"

namespace qbitopt {

// Reads a safetensors file: 8 bytes with the length of a JSON header (little-endian), the header
// (name -> dtype, shape, data_offsets from the header's end), the values. Throws InputError for a
// file that is not one or disagrees with its header.
StateDict read_safetensors(const std::filesystem::path& file);

}  // namespace qbitopt
