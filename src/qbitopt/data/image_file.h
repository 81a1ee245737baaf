#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <stdexcept>
#include <vector>

namespace qbitopt {

// Bytes that are no image, or one that cannot be decoded. The text says what was found.
class BadImage : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct ImageSize {
  int width = 0;
  int height = 0;
};

// A rectangle in pixels; pixel i covers [i, i + 1).
struct Box {
  double x = 0, y = 0, width = 0, height = 0;
};

// The part of an image that becomes the network's input.
struct Crop {
  Box box;
  // True: filters may read pixels around the box, as when a whole image is resized and then cut.
  // False: the box is cut out first.
  bool reads_beyond = false;
};
using ChooseCrop = std::function<Crop(const ImageSize&)>;

// Bytes behind the last pixel, so that pixels can be read in groups.
inline constexpr size_t kSlack = 16;

// Decoded pixels of a part of an image, and where in them the crop lies.
struct DecodedCrop {
  int width = 0, height = 0;    // of the decoded part
  std::vector<uint8_t> pixels;  // [height, width, 4]: red, green, blue, unused; then kSlack bytes
  Box box;                      // the crop's box, in decoded pixels
  Box bounds;                   // what filters may read, in decoded pixels: whole numbers
};

// Decodes what a crop needs of a JPEG or PNG file in memory, into `decoded`, whose memory is used
// again. JPEG: only the rows and blocks of the crop are decoded, and at 1/2, 1/4 or 1/8 of the size
// (by the inverse DCT) where the crop stays at least `output_size` wide and high. Gray, CMYK and
// palette become RGB; transparency is dropped, of 16 bits the upper 8 are taken: what Pillow's
// convert("RGB") gives. JPEG files that end too early or carry rubbish are decoded as far as they
// go, the rest is gray. Throws BadImage: empty, neither JPEG nor PNG (with the format, if it is a
// known one), no header, damaged PNG, more pixels than Pillow decodes, a JPEG of 12 bits.
void decode_crop(std::span<const uint8_t> file, const ChooseCrop& choose, int output_size,
                 DecodedCrop& decoded);

// How many output pixels' worth of source a triangle filter reads on each side: 1 source pixel when
// enlarging, the ratio when reducing.
inline double filter_support(double source, double output) {
  return source > output ? source / output : 1.0;
}

}  // namespace qbitopt
