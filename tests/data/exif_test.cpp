#include "qbitopt/data/exif.h"

#include <gmock/gmock.h>

#include <string>

#include "data/photographs.h"

namespace qbitopt {
namespace {

using namespace std::string_literals;

std::span<const uint8_t> exif_bytes(const std::string& content) {
  return {reinterpret_cast<const uint8_t*>(content.data()), content.size()};
}

// A directory of two entries, the second the orientation.
std::string tiff(char orientation, bool is_big_endian) {
  return is_big_endian ? "MM\0*\0\0\0\x08\0\2\1\0\0\3\0\0\0\1\0\1\0\0\x01\x12\0\3\0\0\0\1\0"s +
                             orientation + "\0\0\0\0\0\0"s
                       : "II*\0\x08\0\0\0\2\0\0\1\3\0\1\0\0\0\1\0\0\0\x12\x01\3\0\1\0\0\0"s +
                             orientation + "\0\0\0\0\0\0\0"s;
}

std::string jpeg_with(const std::string& tiff) {
  const std::string plain = encode_image(TestFormat::kJpeg, 40, 20, smooth_value);
  const auto size = static_cast<char>(2 + 6 + tiff.size());
  return plain.substr(0, 2) + "\xff\xe1\0"s + size + "Exif\0\0"s + tiff + plain.substr(2);
}

std::string png_with(const std::string& tiff) {
  const std::string plain = encode_image(TestFormat::kPng, 40, 20, smooth_value);
  constexpr size_t kHeaders = 8 + 25;  // signature and IHDR
  return plain.substr(0, kHeaders) + "\0\0\0"s + static_cast<char>(tiff.size()) + "eXIf" + tiff +
         "none" + plain.substr(kHeaders);
}

TEST(ExifTest, TheOrientationOfACameraIsRead) {
  for (const bool is_big_endian : {false, true}) {
    for (const std::string& file :
         {jpeg_with(tiff(6, is_big_endian)), png_with(tiff(6, is_big_endian))}) {
      const Orientation found = exif_orientation(exif_bytes(file));
      EXPECT_TRUE(found.is_transposed);
      EXPECT_TRUE(found.is_mirrored);
      EXPECT_FALSE(found.is_upside_down);
    }
  }
}

TEST(ExifTest, WithoutOneOrWithAStrangeOneAPictureIsUpright) {
  EXPECT_TRUE(exif_orientation({}).is_upright());
  EXPECT_TRUE(exif_orientation(exif_bytes(jpeg_with("II"))).is_upright());
  EXPECT_TRUE(exif_orientation(exif_bytes(jpeg_with(tiff(0, false)))).is_upright());
  EXPECT_TRUE(exif_orientation(exif_bytes(jpeg_with(tiff(9, true)))).is_upright());
  EXPECT_TRUE(exif_orientation(exif_bytes(encode_image(TestFormat::kPng, 4, 2, smooth_value)))
                  .is_upright());
  const std::string whole = jpeg_with(tiff(6, false));
  for (size_t size = 0; size < 64; ++size) exif_orientation(exif_bytes(whole.substr(0, size)));
}

// Where the upper left corner of the upright picture lies in the stored one, which is 40 x 20: as
// EXIF defines the eight numbers.
TEST(ExifTest, ABoxIsTakenWhereTheCameraStoredIt) {
  struct Case {
    char orientation;
    double x, y;
  };
  constexpr Case kCases[] = {{1, 0, 0}, {2, 39, 0}, {3, 39, 19}, {4, 0, 19},
                             {5, 0, 0}, {6, 0, 19}, {7, 39, 19}, {8, 39, 0}};
  constexpr ImageSize kStored{40, 20};
  for (const auto& [orientation, x, y] : kCases) {
    const Orientation found = exif_orientation(exif_bytes(jpeg_with(tiff(orientation, true))));
    const ImageSize upright = found.upright(kStored);
    EXPECT_EQ(upright.width, orientation < 5 ? 40 : 20) << int{orientation};
    const Box corner = found.stored({0, 0, 1, 1}, kStored);
    EXPECT_EQ(corner.x, x) << int{orientation};
    EXPECT_EQ(corner.y, y) << int{orientation};
  }
}

}  // namespace
}  // namespace qbitopt
