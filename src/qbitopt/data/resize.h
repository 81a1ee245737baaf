#pragma once

#include <array>

#include "qbitopt/data/image_file.h"

namespace qbitopt {

// output = (byte / 255 - mean) / deviation, for red, green, blue.
struct Normalization {
  std::array<float, 3> mean, deviation;
};

// ImageNet's, as every model here was published with.
inline constexpr Normalization kImageNetNormalization{{0.485f, 0.456f, 0.406f},
                                                      {0.229f, 0.224f, 0.225f}};

// Resizes the crop's box to size x size with a triangle filter as wide as the reduction asks for
// (what Pillow calls bilinear, with antialiasing), mirrors it if asked, and normalises. target:
// [size, size, 3].
void resize_crop(const DecodedCrop& crop, int size, bool mirrored,
                 const Normalization& normalization, float* target);

}  // namespace qbitopt
