#pragma once

#include "qbitopt/data/image_file.h"

namespace qbitopt {

// The JPEG half of decode_crop(). By libjpeg-turbo's classic interface, which can decode a part.
void decode_jpeg_crop(std::span<const uint8_t> file, const ChooseCrop& choose, int output_size,
                      DecodedCrop& decoded);

// In pixels of the image, the whole pixels that filters read for `crop`.
Box readable_pixels(const Crop& crop, const ImageSize& image, int output_size);

}  // namespace qbitopt
