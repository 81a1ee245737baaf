#include "data/photographs.h"

#include <png.h>

#include <cstddef>
#include <cstdio>
//
#include <jpeglib.h>

#include <cmath>
#include <cstdlib>

namespace qbitopt {

std::string encode_image(TestFormat format, int width, int height, const TestImage& value) {
  if (format == TestFormat::kPng) {
    std::vector<uint8_t> pixels;
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        for (int c = 0; c < 3; ++c) pixels.push_back(value(x, y, c));
      }
    }
    png_image png = {};
    png.version = PNG_IMAGE_VERSION;
    png.width = static_cast<png_uint_32>(width);
    png.height = static_cast<png_uint_32>(height);
    png.format = PNG_FORMAT_RGB;
    std::string content(PNG_IMAGE_PNG_SIZE_MAX(png), '\0');
    png_alloc_size_t size = content.size();
    png_image_write_to_memory(&png, content.data(), &size, 0, pixels.data(), 0, nullptr);
    content.resize(size);
    return content;
  }
  const int channels = format == TestFormat::kGreyJpeg   ? 1
                       : format == TestFormat::kCmykJpeg ? 4
                                                         : 3;
  jpeg_compress_struct info;
  jpeg_error_mgr errors;
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &memory, &size);
  info.image_width = static_cast<JDIMENSION>(width);
  info.image_height = static_cast<JDIMENSION>(height);
  info.input_components = channels;
  info.in_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 4 ? JCS_CMYK : JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 95, TRUE);
  if (channels == 4) info.write_Adobe_marker = TRUE;
  jpeg_start_compress(&info, TRUE);
  std::vector<uint8_t> row(static_cast<size_t>(width * channels));
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < channels; ++c) {
        // Adobe's inverted inks without black: the value itself.
        row[static_cast<size_t>(x * channels + c)] = c == 3 ? 255 : value(x, y, c);
      }
    }
    JSAMPROW rows[] = {row.data()};
    jpeg_write_scanlines(&info, rows, 1);
  }
  jpeg_finish_compress(&info);
  std::string content(reinterpret_cast<char*>(memory), size);
  jpeg_destroy_compress(&info);
  std::free(memory);
  return content;
}

uint8_t smooth_value(int x, int y, int channel) {
  return static_cast<uint8_t>(
      std::lround(128 + 90 * std::sin(x / 23.0 + channel) * std::cos(y / 31.0 - channel)));
}

}  // namespace qbitopt
