#pragma once

#include <cstdint>
#include <span>

#include "qbitopt/data/image_file.h"

namespace qbitopt {

// How the pixels of a file become the picture as it was seen: first rows and columns change places,
// then it is mirrored, then turned upside down.
struct Orientation {
  bool is_transposed = false, is_mirrored = false, is_upside_down = false;

  bool is_upright() const { return !is_transposed && !is_mirrored && !is_upside_down; }
  // Of the upright picture.
  ImageSize upright(const ImageSize& stored) const;
  // A box of the upright picture, as one of the stored pixels.
  Box stored(const Box& upright, const ImageSize& stored) const;
};

// The orientation that cameras write into a JPEG or PNG file (EXIF tag 0x0112). Upright if there is
// none, or if it cannot be read. decode_crop() gives pixels as they are stored, as torchvision's
// ImageFolder does.
Orientation exif_orientation(std::span<const uint8_t> file);

}  // namespace qbitopt
