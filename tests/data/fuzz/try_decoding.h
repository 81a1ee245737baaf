#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <vector>

#include "qbitopt/core/random.h"
#include "qbitopt/data/image_crops.h"
#include "qbitopt/data/image_file.h"
#include "qbitopt/data/resize.h"

namespace qbitopt {

inline void require(bool is_true, const char* what) {
  if (is_true) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

// Decodes and resizes as a test image and as a training image. Ends the program if a mistake in the
// file is not a BadImage, or if what is decoded does not hold what it says.
inline void try_decoding(std::span<const uint8_t> file) {
  constexpr int kSize = 24;
  constexpr int64_t kMostPixels = 1 << 21;  // more would only take longer
  Random random(file.size(), "crop");
  const ChooseCrop choices[] = {
      [](const ImageSize& image) { return center_crop(image, kSize, kSize); },
      [&](const ImageSize& image) { return random_resized_crop(image, 0.08, random); }};
  for (const ChooseCrop& choose : choices) {
    DecodedCrop decoded;
    try {
      decode_crop(
          file,
          [&](const ImageSize& image) {
            require(image.width > 0 && image.height > 0, "an image without pixels");
            if (int64_t{image.width} * image.height > kMostPixels) throw BadImage("large");
            return choose(image);
          },
          kSize, decoded);
    } catch (const BadImage&) {
      return;
    }
    const auto width = static_cast<size_t>(decoded.width);
    require(decoded.pixels.size() == width * static_cast<size_t>(decoded.height) * 4 + kSlack,
            "pixels of another size");
    const Box& bounds = decoded.bounds;
    require(bounds.x >= 0 && bounds.y >= 0 && bounds.x + bounds.width <= decoded.width &&
                bounds.y + bounds.height <= decoded.height,
            "bounds outside of the pixels");
    std::vector<uint8_t> resized(3 * kSize * kSize);
    resize_crop(decoded, kSize, /*mirrored=*/true, resized.data());
  }
}

}  // namespace qbitopt
