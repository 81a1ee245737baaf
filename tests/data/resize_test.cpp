#include "qbitopt/data/resize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace qbitopt {
namespace {

DecodedCrop noise(int width, int height, const Box& box, const Box& bounds) {
  DecodedCrop crop{.width = width, .height = height, .pixels = {}, .box = box, .bounds = bounds};
  uint32_t state = 1;
  for (size_t i = 0; i < static_cast<size_t>(width * height) * 4 + kSlack; ++i) {
    state = state * 1664525 + 1013904223;
    crop.pixels.push_back(static_cast<uint8_t>(state >> 24));
  }
  return crop;
}

// Pillow's definition: a triangle as wide as the reduction, over the pixels that may be read,
// normalized.
double triangle(const DecodedCrop& crop, int size, int x, int y, int channel) {
  const auto weight = [&](int at, double start, double length, int position) {
    const double support = std::max(1.0, length / size);
    const double center = start + (position + 0.5) * length / size;
    return std::max(0.0, 1 - std::abs(at + 0.5 - center) / support);
  };
  double sum = 0, weights = 0;
  for (int row = static_cast<int>(crop.bounds.y); row < crop.bounds.y + crop.bounds.height; ++row) {
    for (int column = static_cast<int>(crop.bounds.x); column < crop.bounds.x + crop.bounds.width;
         ++column) {
      const double w = weight(row, crop.box.y, crop.box.height, y) *
                       weight(column, crop.box.x, crop.box.width, x);
      sum += w * crop.pixels[static_cast<size_t>((row * crop.width + column) * 4 + channel)];
      weights += w;
    }
  }
  return sum / weights;
}

TEST(ResizeTest, EqualsTheTriangleFilterByItsFormula) {
  const struct {
    Box box, bounds;
    int size;
  } cases[] = {{{3, 5, 30, 41}, {3, 5, 30, 41}, 16},          // reduce, cut out first
               {{3, 5, 30, 41}, {0, 0, 61, 57}, 16},          // reduce, reading around
               {{10.3, 4.8, 20.5, 9.1}, {8, 3, 26, 13}, 24},  // enlarge, between pixels
               {{0, 0, 61, 57}, {0, 0, 61, 57}, 1},
               {{60, 56, 1, 1}, {60, 56, 1, 1}, 5}};
  for (const auto& [box, bounds, size] : cases) {
    const DecodedCrop crop = noise(61, 57, box, bounds);
    std::vector<uint8_t> out(static_cast<size_t>(size * size * 3));
    resize_crop(crop, size, false, out.data());
    for (int y = 0; y < size; ++y) {
      for (int x = 0; x < size; ++x) {
        for (int c = 0; c < 3; ++c) {
          EXPECT_NEAR(out[static_cast<size_t>((y * size + x) * 3 + c)],
                      triangle(crop, size, x, y, c), 0.6)
              << size << ": " << x << " " << y << " " << c;
        }
      }
    }
  }
}

TEST(ResizeTest, TheSameSizeKeepsEveryPixel) {
  const DecodedCrop crop = noise(20, 20, {2, 3, 12, 12}, {2, 3, 12, 12});
  std::vector<uint8_t> out(12 * 12 * 3);
  resize_crop(crop, 12, false, out.data());
  EXPECT_EQ(out[(5 * 12 + 7) * 3 + 1], crop.pixels[((3 + 5) * 20 + 2 + 7) * 4 + 1]);
}

TEST(ResizeTest, AMirroredImageIsTheSameFromTheRight) {
  const DecodedCrop crop = noise(40, 30, {1, 1, 33, 20}, {1, 1, 33, 20});
  std::vector<uint8_t> plain(16 * 16 * 3), mirrored(16 * 16 * 3);
  resize_crop(crop, 16, false, plain.data());
  resize_crop(crop, 16, true, mirrored.data());
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 16; ++x) {
      for (int c = 0; c < 3; ++c) {
        EXPECT_EQ(plain[static_cast<size_t>((y * 16 + x) * 3 + c)],
                  mirrored[static_cast<size_t>((y * 16 + 15 - x) * 3 + c)]);
      }
    }
  }
}

TEST(ResizeTest, WhiteStaysWhiteHoweverManyPixelsAreAdded) {
  DecodedCrop crop = noise(61, 57, {0, 0, 61, 57}, {0, 0, 61, 57});
  std::fill(crop.pixels.begin(), crop.pixels.end(), uint8_t{255});
  std::vector<uint8_t> out(3 * 3 * 3);
  resize_crop(crop, 3, false, out.data());
  EXPECT_EQ(out, std::vector<uint8_t>(out.size(), 255));
}

TEST(ResizeTest, NormalizesTheSameBytesEachChannelByItsOwnNumbers) {
  const DecodedCrop crop = noise(61, 57, {3, 5, 30, 41}, {3, 5, 30, 41});
  std::vector<uint8_t> bytes(16 * 16 * 3);
  std::vector<float> normalized(bytes.size());
  resize_crop(crop, 16, true, bytes.data());
  resize_crop(crop, 16, true, kImageNetNormalization, normalized.data());
  const double mean[] = {0.485, 0.456, 0.406}, deviation[] = {0.229, 0.224, 0.225};
  for (size_t i = 0; i < bytes.size(); ++i)
    EXPECT_NEAR(normalized[i], (bytes[i] / 255.0 - mean[i % 3]) / deviation[i % 3], 1e-6) << i;
}

}  // namespace
}  // namespace qbitopt
