#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "qbitopt/files/image_folders.h"

namespace qbitopt {

// The bytes of one image, valid until this thread's next call. Throws BadImage if they cannot be
// read, or are more than a gigabyte.
std::span<const uint8_t> read_image(const std::filesystem::path& root, const LabeledFile& file);

}  // namespace qbitopt
