#include "qbitopt/data/image_file.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>

#include "qbitopt/data/jpeg_decoder.h"
#include "qbitopt/data/png_decoder.h"

namespace qbitopt {
namespace {

bool has_magic(std::span<const uint8_t> file, size_t at, std::string_view magic) {
  return file.size() >= at + magic.size() &&
         std::equal(magic.begin(), magic.end(), file.begin() + static_cast<std::ptrdiff_t>(at),
                    [](char a, uint8_t b) { return static_cast<uint8_t>(a) == b; });
}

// What a file is that is called an image and is another; by its first bytes.
const char* known_format(std::span<const uint8_t> file) {
  using namespace std::string_view_literals;
  struct Format {
    size_t at;
    std::string_view magic;
    const char* name;
  };
  static constexpr Format kFormats[] = {
      {8, "WEBP"sv, "WebP"},
      {0, "GIF8"sv, "GIF"},
      {4, "ftypavif"sv, "AVIF"},
      {4, "ftypavis"sv, "AVIF"},
      {4, "ftypheic"sv, "HEIC"},
      {4, "ftypheix"sv, "HEIC"},
      {4, "ftyphevc"sv, "HEIC"},
      {4, "ftypmif1"sv, "HEIF"},
      {4, "ftypmsf1"sv, "HEIF"},
      {4, "ftyp"sv, "a film (MP4)"},
      {0, "II*\0"sv, "TIFF"},
      {0, "MM\0*"sv, "TIFF"},
      {0, "BM"sv, "BMP"},
      {4, "jP  \r\n"sv, "JPEG 2000"},
      {0, "\xff\x4f\xff\x51"sv, "JPEG 2000"},
      {4, "JXL \r\n"sv, "JPEG XL"},
      {0, "\xff\x0a"sv, "JPEG XL"},
      {0, "8BPS"sv, "a Photoshop file"},
      {0, "\0\0\1\0"sv, "an icon (ICO)"},
      {0, "%PDF"sv, "PDF"},
      {0, "PK\3\4"sv, "a zip archive"},
      {0, "\x1f\x8b"sv, "compressed by gzip"},
      {0, "version https://git-lfs"sv, "a pointer of Git LFS, whose file was not fetched"},
      {0, "<svg"sv, "SVG"},
      {0, "<?xml"sv, "XML (SVG?)"},
      {0, "<!DOCTYPE"sv, "a page of HTML"},
      {0, "<html"sv, "a page of HTML"}};
  const auto found =
      std::find_if(std::begin(kFormats), std::end(kFormats),
                   [&](const Format& format) { return has_magic(file, format.at, format.magic); });
  return found == std::end(kFormats) ? nullptr : found->name;
}

std::string first_bytes(std::span<const uint8_t> file) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : file.subspan(0, std::min<size_t>(4, file.size())))
    text += {' ', kDigits[byte >> 4], kDigits[byte & 15]};
  return text;
}

// Where Pillow takes an image for a decompression bomb: twice its MAX_IMAGE_PIXELS.
void expect_few_pixels(const ImageSize& image) {
  constexpr int64_t kMostPixels = 178'956'970;
  if (int64_t{image.width} * image.height <= kMostPixels) return;
  throw BadImage("has " + std::to_string(image.width) + " x " + std::to_string(image.height) +
                 " pixels; more than 178,956,970 are not decoded");
}

}  // namespace

void decode_crop(std::span<const uint8_t> file, const ChooseCrop& choose, int output_size,
                 DecodedCrop& decoded) {
  if (file.empty()) throw BadImage("the file is empty");
  const ChooseCrop choose_of_few = [&](const ImageSize& image) {
    expect_few_pixels(image);
    return choose(image);
  };
  if (has_magic(file, 0, "\xff\xd8"))
    return decode_jpeg_crop(file, choose_of_few, output_size, decoded);
  if (has_magic(file, 0, "\x89PNG"))
    return decode_png_crop(file, choose_of_few, output_size, decoded);
  const char* format = known_format(file);
  throw BadImage((format ? "is " + std::string(format) + ", " : std::string()) +
                 "neither JPEG nor PNG: it begins with" + first_bytes(file));
}

}  // namespace qbitopt
