#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace qbitopt {

// Files of images for tests, made by libjpeg and libpng.
enum class TestFormat { kJpeg, kGreyJpeg, kCmykJpeg, kPng };

// `value`: of a pixel's channel (0 red, 1 green, 2 blue) at x, y; grey files take channel 0.
using TestImage = std::function<uint8_t(int x, int y, int channel)>;
// Quality 95; chroma at half the resolution each way, as photographs have it.
std::string encode_image(TestFormat format, int width, int height, const TestImage& value);

// Smooth, different in every place and channel.
uint8_t smooth_value(int x, int y, int channel);

}  // namespace qbitopt
