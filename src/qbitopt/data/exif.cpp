#include "qbitopt/data/exif.h"

#include <algorithm>
#include <string_view>
#include <utility>

// JPEG: ITU-T T.81, annex B; EXIF: CIPA DC-008, 4.6.2 (a TIFF file in a segment); PNG: eXIf.
namespace qbitopt {
namespace {

using ExifBytes = std::span<const uint8_t>;

// 0 beyond the end.
uint32_t whole_number(ExifBytes bytes, size_t at, size_t size, bool is_big_endian) {
  if (at > bytes.size() || size > bytes.size() - at) return 0;
  uint32_t number = 0;
  for (size_t i = 0; i < size; ++i)
    number = number << 8 | bytes[is_big_endian ? at + i : at + size - 1 - i];
  return number;
}

ExifBytes part(ExifBytes bytes, size_t at, size_t size) {
  if (at > bytes.size()) return {};
  return bytes.subspan(at, std::min(size, bytes.size() - at));
}

bool has_at(ExifBytes bytes, size_t at, std::string_view text) {
  const ExifBytes found = part(bytes, at, text.size());
  return std::string_view(reinterpret_cast<const char*>(found.data()), found.size()) == text;
}

// 1 to 8; 0 if it is not said.
uint32_t orientation_in_tiff(ExifBytes tiff) {
  constexpr uint32_t kOrientation = 0x0112;
  const bool is_big_endian = has_at(tiff, 0, "MM");
  if (!is_big_endian && !has_at(tiff, 0, "II")) return 0;
  const size_t directory = whole_number(tiff, 4, 4, is_big_endian);
  const size_t entries = whole_number(tiff, directory, 2, is_big_endian);
  for (size_t i = 0; i < entries; ++i) {
    const size_t entry = directory + 2 + 12 * i;
    if (whole_number(tiff, entry, 2, is_big_endian) == kOrientation)
      return whole_number(tiff, entry + 8, 2, is_big_endian);
  }
  return 0;
}

// A segment: 0xff, what it is, its length with these two bytes, its bytes.
uint32_t orientation_in_jpeg(ExifBytes file) {
  constexpr uint32_t kScan = 0xffda, kExif = 0xffe1;
  constexpr std::string_view kName("Exif\0\0", 6);
  size_t at = 2;
  while (at < file.size()) {
    const uint32_t marker = whole_number(file, at, 2, true);
    const size_t size = whole_number(file, at + 2, 2, true);
    if (marker >> 8 != 0xff || marker == kScan || size < 2) return 0;
    if (marker == kExif && has_at(file, at + 4, kName))
      return orientation_in_tiff(part(file, at + 4 + kName.size(), size - 2 - kName.size()));
    at += 2 + size;
  }
  return 0;
}

// A chunk: its length, four letters, its bytes, a checksum.
uint32_t orientation_in_png(ExifBytes file) {
  size_t at = 8;
  while (at < file.size() && !has_at(file, at + 4, "IDAT")) {
    const size_t size = whole_number(file, at, 4, true);
    if (has_at(file, at + 4, "eXIf")) return orientation_in_tiff(part(file, at + 8, size));
    at += 12 + size;
  }
  return 0;
}

}  // namespace

ImageSize Orientation::upright(const ImageSize& stored) const {
  return is_transposed ? ImageSize{stored.height, stored.width} : stored;
}

Box Orientation::stored(const Box& box, const ImageSize& stored) const {
  const ImageSize size = upright(stored);
  Box turned = box;
  if (is_mirrored) turned.x = size.width - box.x - box.width;
  if (is_upside_down) turned.y = size.height - box.y - box.height;
  if (!is_transposed) return turned;
  return {turned.y, turned.x, turned.height, turned.width};
}

Orientation exif_orientation(ExifBytes file) {
  const uint32_t found = has_at(file, 0, "\xff\xd8")  ? orientation_in_jpeg(file)
                         : has_at(file, 1, "PNG\r\n") ? orientation_in_png(file)
                                                      : 0;
  constexpr Orientation kOrientations[] = {
      {},                    // not said
      {},                    // 1
      {false, true, false},  // 2
      {false, true, true},   // 3: turned by 180 degrees
      {false, false, true},  // 4
      {true, false, false},  // 5
      {true, true, false},   // 6: to be turned right
      {true, true, true},    // 7
      {true, false, true},   // 8: to be turned left
  };
  return found < std::size(kOrientations) ? kOrientations[found] : Orientation{};
}

}  // namespace qbitopt
