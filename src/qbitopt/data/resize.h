#pragma once

#include <array>

#include "qbitopt/data/image_file.h"

namespace qbitopt {

// output = (byte / 255 - mean) / deviation = byte * scale + shift, for red, green, blue.
struct Normalization {
  std::array<float, 3> mean, deviation;

  float scale(size_t channel) const { return 1 / (255 * deviation[channel]); }
  float shift(size_t channel) const { return -mean[channel] / deviation[channel]; }
};

// ImageNet's, as every model here was published with.
inline constexpr Normalization kImageNetNormalization{{0.485f, 0.456f, 0.406f},
                                                      {0.229f, 0.224f, 0.225f}};

// Resizes the crop's box to size x size with a triangle filter as wide as the reduction asks for
// (what Pillow calls bilinear, with antialiasing), rounds to bytes as Pillow does, and mirrors it
// if asked. target: [size, size, 3].
void resize_crop(const DecodedCrop& crop, int size, bool mirrored, uint8_t* target);

// The same bytes, normalized.
void resize_crop(const DecodedCrop& crop, int size, bool mirrored,
                 const Normalization& normalization, float* target);

}  // namespace qbitopt
