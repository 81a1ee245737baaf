#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace qbitopt {

// Files of images for tests, made by libjpeg and libpng.
enum class TestFormat { kJpeg, kGreyJpeg, kCmykJpeg, kPng };

// `value`: of a pixel's channel (0 red, 1 green, 2 blue) at x, y; gray files take channel 0.
using TestImage = std::function<uint8_t(int x, int y, int channel)>;
// Quality 95; chroma at half the resolution each way, as photographs have it.
std::string encode_image(TestFormat format, int width, int height, const TestImage& value);

// A PNG of any kind. Samples have `bit_depth` bits; those of a palette are its entries, which are
// palette_color().
struct PngKind {
  int color_type = 2;  // PNG_COLOR_TYPE_*: 0 gray, 2 RGB, 3 palette, 4 gray and alpha, 6 RGBA
  int bit_depth = 8;
  bool is_interlaced = false;
  bool is_transparent = false;  // has a tRNS chunk: the first entry of the palette, or a color
  double gamma = 0;             // of the gAMA chunk; 0: none
};
int channels_of(const PngKind& kind);
using Samples = std::function<int(int x, int y, int channel)>;
std::string encode_png(const PngKind& kind, int width, int height, const Samples& sample);
uint8_t palette_color(int entry, int channel);

// Smooth, different in every place and channel.
uint8_t smooth_value(int x, int y, int channel);

}  // namespace qbitopt
