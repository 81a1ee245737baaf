#include "data/photographs.h"

#include <png.h>

#include <cstddef>
#include <cstdio>
//
#include <jpeglib.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

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

int channels_of(const PngKind& kind) {
  return (kind.color_type & 3) == 2 ? 3 + (kind.color_type >> 2) : 1 + (kind.color_type >> 2);
}

uint8_t palette_color(int entry, int channel) {
  return static_cast<uint8_t>(entry * (37 + 54 * channel) + 20 * channel);
}

std::string encode_png(const PngKind& kind, int width, int height, const Samples& sample) {
  std::string content;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  const auto write = [](png_structp png, png_bytep bytes, size_t size) {
    static_cast<std::string*>(png_get_io_ptr(png))
        ->append(reinterpret_cast<const char*>(bytes), size);
  };
  png_set_write_fn(png, &content, write, nullptr);
  png_set_IHDR(png, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height),
               kind.bit_depth, kind.color_type, kind.is_interlaced ? 1 : 0, 0, 0);
  if (kind.gamma > 0) png_set_gAMA(png, info, kind.gamma);
  const bool has_palette = kind.color_type == PNG_COLOR_TYPE_PALETTE;
  std::vector<png_color> palette(size_t{1} << std::min(8, kind.bit_depth));
  for (size_t i = 0; i < palette.size(); ++i) {
    const int entry = static_cast<int>(i);
    palette[i] = {palette_color(entry, 0), palette_color(entry, 1), palette_color(entry, 2)};
  }
  if (has_palette) png_set_PLTE(png, info, palette.data(), static_cast<int>(palette.size()));
  png_byte alpha = 0;
  png_color_16 color = {};
  if (kind.is_transparent) png_set_tRNS(png, info, &alpha, has_palette ? 1 : 0, &color);
  png_write_info(png, info);
  const int channels = channels_of(kind);
  const int bits = channels * kind.bit_depth;
  std::vector<uint8_t> row(static_cast<size_t>((width * bits + 7) / 8));
  const int passes = png_set_interlace_handling(png);
  for (int pass = 0; pass < passes; ++pass) {
    for (int y = 0; y < height; ++y) {
      std::fill(row.begin(), row.end(), uint8_t{0});
      for (int i = 0; i < width * channels; ++i) {
        const int value = sample(i / channels, y, i % channels);
        const auto first_bit = static_cast<size_t>(i * kind.bit_depth);
        if (kind.bit_depth == 16) row[first_bit / 8] = static_cast<uint8_t>(value >> 8);
        row[(first_bit + static_cast<size_t>(kind.bit_depth) - 1) / 8] |= static_cast<uint8_t>(
            value << (kind.bit_depth < 8 ? 8 - kind.bit_depth - first_bit % 8 : 0));
      }
      png_write_row(png, row.data());
    }
  }
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return content;
}

uint8_t smooth_value(int x, int y, int channel) {
  return static_cast<uint8_t>(
      std::lround(128 + 90 * std::sin(x / 23.0 + channel) * std::cos(y / 31.0 - channel)));
}

}  // namespace qbitopt
