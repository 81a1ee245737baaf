#include "qbitopt/data/image_file.h"

#include <gmock/gmock.h>

#include <cmath>
#include <string>

#include "data/photographs.h"

namespace qbitopt {
namespace {

std::span<const uint8_t> bytes_of(const std::string& content) {
  return {reinterpret_cast<const uint8_t*>(content.data()), content.size()};
}

DecodedCrop decode(const std::string& content, const Crop& crop, int output_size) {
  DecodedCrop decoded;
  decode_crop(
      bytes_of(content), [&](const ImageSize&) { return crop; }, output_size, decoded);
  return decoded;
}

int pixel(const DecodedCrop& decoded, int x, int y, int channel) {
  return decoded.pixels[static_cast<size_t>((y * decoded.width + x) * 4 + channel)];
}

std::string message_of(const std::string& content) {
  try {
    decode(content, {{0, 0, 8, 8}}, 8);
  } catch (const BadImage& error) {
    return error.what();
  }
  return "nothing was thrown";
}

class EveryFormatTest : public testing::TestWithParam<TestFormat> {};
INSTANTIATE_TEST_SUITE_P(Images, EveryFormatTest,
                         testing::Values(TestFormat::kJpeg, TestFormat::kGreyJpeg,
                                         TestFormat::kCmykJpeg, TestFormat::kPng));

TEST_P(EveryFormatTest, BecomesRedGreenAndBlue) {
  const std::string content = encode_image(GetParam(), 70, 50, smooth_value);
  ImageSize seen;
  DecodedCrop decoded;
  const auto choose = [&](const ImageSize& size) {
    seen = size;
    return Crop{{0, 0, 70, 50}};
  };
  decode_crop(bytes_of(content), choose, 50, decoded);
  EXPECT_EQ(seen.width, 70);
  EXPECT_EQ(seen.height, 50);
  for (int y = 0; y < 50; y += 7) {
    for (int x = 0; x < 70; x += 7) {
      for (int c = 0; c < 3; ++c) {
        const int expected = smooth_value(x, y, GetParam() == TestFormat::kGreyJpeg ? 0 : c);
        EXPECT_NEAR(pixel(decoded, x, y, c), expected, 8) << x << " " << y << " " << c;
      }
    }
  }
}

// A partial decode must give the very pixels of the whole one, at every place of blocks and chroma.
TEST(ImageFileTest, ACropHasThePixelsOfTheWholeImage) {
  const auto detailed = [](int x, int y, int channel) {
    return static_cast<uint8_t>((x * 37 + y * 91 + channel * 53 + x * y) % 251);
  };
  for (const TestFormat format :
       {TestFormat::kJpeg, TestFormat::kGreyJpeg, TestFormat::kCmykJpeg}) {
    const std::string content = encode_image(format, 133, 101, detailed);
    const DecodedCrop whole = decode(content, {{0, 0, 133, 101}}, 101);
    for (const Box& box : {Box{0, 0, 20, 20}, Box{17, 33, 40, 21}, Box{64, 16, 69, 85},
                           Box{31, 80, 60, 21}, Box{132, 100, 1, 1}, Box{1, 1, 131, 99}}) {
      const DecodedCrop part = decode(content, {box}, 1000);
      int differences = 0;
      for (int y = 0; y < box.height; ++y) {
        for (int x = 0; x < box.width; ++x) {
          for (int c = 0; c < 3; ++c) {
            differences +=
                pixel(part, static_cast<int>(part.box.x) + x, static_cast<int>(part.box.y) + y,
                      c) !=
                pixel(whole, static_cast<int>(box.x) + x, static_cast<int>(box.y) + y, c);
          }
        }
      }
      EXPECT_EQ(differences, 0) << box.x << " " << box.y << " " << box.width << " " << box.height;
    }
  }
}

TEST(ImageFileTest, LargeCropsAreDecodedAtAFractionThatStillHasTheOutput) {
  const std::string content = encode_image(TestFormat::kJpeg, 1024, 800, smooth_value);
  EXPECT_EQ(decode(content, {{0, 0, 1024, 800}}, 401).box.width, 1024);
  EXPECT_EQ(decode(content, {{0, 0, 1024, 800}}, 400).box.width, 512);
  EXPECT_EQ(decode(content, {{0, 0, 1024, 800}}, 100).box.width, 128);
  const DecodedCrop half = decode(content, {{200, 100, 448, 448}}, 224);
  EXPECT_EQ(half.bounds.width, 224);
  EXPECT_EQ(half.bounds.height, 224);
  for (int i = 0; i < 224; i += 20) {
    EXPECT_NEAR(pixel(half, static_cast<int>(half.box.x) + i, static_cast<int>(half.box.y) + i, 1),
                smooth_value(200 + 2 * i, 100 + 2 * i, 1), 8);
  }
}

TEST(ImageFileTest, OnlyACropOfAResizedImageReadsAroundItsBox) {
  const std::string content = encode_image(TestFormat::kJpeg, 300, 300, smooth_value);
  const Box box{100.5, 50.25, 150, 150};
  const DecodedCrop cut = decode(content, {{100, 50, 150, 150}}, 100);
  EXPECT_EQ(cut.bounds.width, 150);
  const DecodedCrop around = decode(content, {.box = box, .reads_beyond = true}, 100);
  // From floor(100.5 - 1.5) to ceil(250.5 + 1.5).
  EXPECT_EQ(around.bounds.width, 252 - 99);
  EXPECT_EQ(around.box.x - around.bounds.x, 100.5 - 99);
}

TEST(ImageFileTest, WhatIsNoImageIsRefusedWithTheReason) {
  EXPECT_EQ(message_of(""), "the file is empty");
  EXPECT_EQ(message_of("GIF89a"), "neither JPEG nor PNG: it begins with 47 49 46 38");
  EXPECT_THAT(message_of("\xff\xd8 nothing"), testing::StartsWith("damaged JPEG: "));
  EXPECT_THAT(message_of("\x89PNG\r\n\x1a\nno more"), testing::StartsWith("damaged PNG: "));
}

TEST(ImageFileTest, AFileThatEndsTooEarlyIsDecodedAsFarAsItGoes) {
  std::string content = encode_image(TestFormat::kJpeg, 200, 200, smooth_value);
  content.resize(content.size() / 2);
  const DecodedCrop decoded = decode(content, {{0, 0, 200, 200}}, 200);
  EXPECT_NEAR(pixel(decoded, 20, 20, 0), smooth_value(20, 20, 0), 8);
  EXPECT_EQ(decoded.height, 200);
}

}  // namespace
}  // namespace qbitopt
