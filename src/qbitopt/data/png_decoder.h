#pragma once

#include "qbitopt/data/image_file.h"

namespace qbitopt {

// The PNG half of decode_crop(): the colors as stored. What a file says of gamma and profiles is
// passed over, as by Pillow, so that 8 and 16 bits of one picture agree.
void decode_png_crop(std::span<const uint8_t> file, const ChooseCrop& choose, int output_size,
                     DecodedCrop& decoded);

}  // namespace qbitopt
