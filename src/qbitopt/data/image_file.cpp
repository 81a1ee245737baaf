#include "qbitopt/data/image_file.h"

#include <png.h>

#include <algorithm>
#include <string>

#include "qbitopt/data/jpeg_decoder.h"

namespace qbitopt {
namespace {

bool begins_with(std::span<const uint8_t> file, std::initializer_list<uint8_t> magic) {
  return file.size() >= magic.size() && std::equal(magic.begin(), magic.end(), file.begin());
}

void decode_png_crop(std::span<const uint8_t> file, const ChooseCrop& choose, int output_size,
                     DecodedCrop& decoded) {
  png_image png = {};
  png.version = PNG_IMAGE_VERSION;
  const auto refuse = [&] {
    const std::string reason = png.message;
    png_image_free(&png);
    throw BadImage("damaged PNG: " + reason);
  };
  if (!png_image_begin_read_from_memory(&png, file.data(), file.size())) refuse();
  png.format = PNG_FORMAT_RGBA;
  decoded.width = static_cast<int>(png.width);
  decoded.height = static_cast<int>(png.height);
  decoded.pixels.resize(PNG_IMAGE_SIZE(png) + kSlack);
  if (!png_image_finish_read(&png, nullptr, decoded.pixels.data(), 0, nullptr)) refuse();
  const Crop crop = choose({decoded.width, decoded.height});
  decoded.box = crop.box;
  decoded.bounds = readable_pixels(crop, {decoded.width, decoded.height}, output_size);
}

}  // namespace

void decode_crop(std::span<const uint8_t> file, const ChooseCrop& choose, int output_size,
                 DecodedCrop& decoded) {
  if (file.empty()) throw BadImage("the file is empty");
  if (begins_with(file, {0xff, 0xd8})) return decode_jpeg_crop(file, choose, output_size, decoded);
  if (begins_with(file, {0x89, 'P', 'N', 'G'})) {
    return decode_png_crop(file, choose, output_size, decoded);
  }
  std::string found;
  for (size_t i = 0; i < std::min<size_t>(4, file.size()); ++i) {
    constexpr char kDigits[] = "0123456789abcdef";
    found += {' ', kDigits[file[i] >> 4], kDigits[file[i] & 15]};
  }
  throw BadImage("neither JPEG nor PNG: it begins with" + found);
}

}  // namespace qbitopt
