#include "qbitopt/data/image_file.h"

#include <gmock/gmock.h>
#include <zlib.h>

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

// What Pillow's convert("RGB") gives; of 16 bits the upper 8.
TEST(ImageFileTest, EveryKindOfPngHasTheColorsThatItStores) {
  constexpr int kWidth = 21, kHeight = 13;
  std::vector<PngKind> kinds;
  for (const bool is_interlaced : {false, true}) {
    for (const int bits : {1, 2, 4, 8, 16}) kinds.push_back({0, bits, is_interlaced});
    for (const int bits : {1, 2, 4, 8}) kinds.push_back({3, bits, is_interlaced});
    for (const int type : {2, 4, 6}) {
      for (const int bits : {8, 16}) kinds.push_back({type, bits, is_interlaced});
    }
  }
  for (size_t i = kinds.size(); i-- > 0;) {
    for (const bool is_transparent : {false, true}) {
      for (const double gamma : {0.0, 1.0, 0.45455}) {
        PngKind kind = kinds[i];
        kind.is_transparent = is_transparent && kind.color_type < 4;
        kind.gamma = gamma;
        kinds.push_back(kind);
      }
    }
  }
  for (const PngKind& kind : kinds) {
    const int most = (1 << kind.bit_depth) - 1;
    const Samples sample = [&](int x, int y, int channel) {
      return (x * 2749 + y * 1531 + channel * 977 + x * y) & most;
    };
    const std::string content = encode_png(kind, kWidth, kHeight, sample);
    const Box box{3, 2, 11, 7};
    const DecodedCrop decoded = decode(content, {box}, 1000);
    int differences = 0;
    for (int y = 0; y < box.height; ++y) {
      for (int x = 0; x < box.width; ++x) {
        for (int c = 0; c < 3; ++c) {
          const int stored = sample(3 + x, 2 + y, channels_of(kind) > 2 ? c : 0);
          const int expected = kind.color_type == 3   ? palette_color(stored, c)
                               : kind.bit_depth == 16 ? stored >> 8
                                                      : stored * 255 / most;
          differences += expected != pixel(decoded, static_cast<int>(decoded.box.x) + x,
                                           static_cast<int>(decoded.box.y) + y, c);
        }
      }
    }
    EXPECT_EQ(differences, 0) << "type " << kind.color_type << ", " << kind.bit_depth << " bits, "
                              << (kind.is_interlaced ? "interlaced, gamma " : "gamma ")
                              << kind.gamma << ", tRNS " << kind.is_transparent;
    EXPECT_EQ(decoded.width, kind.is_interlaced ? kWidth : 11);
  }
}

// Adobe wrote inks inverted, and what reads JPEG takes all of them so, whether they say Adobe or
// not.
TEST(ImageFileTest, InksAreTakenForInvertedAlsoWithoutAdobesMark) {
  std::string content = encode_image(TestFormat::kCmykJpeg, 40, 30, smooth_value);
  const size_t mark = content.find("Adobe");
  ASSERT_NE(mark, std::string::npos);
  content.replace(mark, 5, "Nobod");
  const DecodedCrop decoded = decode(content, {{0, 0, 40, 30}}, 40);
  EXPECT_NEAR(pixel(decoded, 10, 10, 0), smooth_value(10, 10, 0), 8);
}

TEST(ImageFileTest, TheSmallestAndTheNarrowestImagesAreDecoded) {
  for (const TestFormat format : {TestFormat::kPng, TestFormat::kJpeg}) {
    for (const auto& [width, height] : {std::pair{1, 1}, {60000, 1}, {1, 60000}}) {
      const DecodedCrop decoded =
          decode(encode_image(format, width, height, smooth_value), {{0, 0, 1, 1}}, 1);
      EXPECT_NEAR(pixel(decoded, 0, 0, 1), smooth_value(0, 0, 1), 16) << width << " x " << height;
    }
  }
}

TEST(ImageFileTest, WhatIsNoImageIsRefusedWithTheReason) {
  EXPECT_EQ(message_of(""), "the file is empty");
  EXPECT_EQ(message_of("text"), "neither JPEG nor PNG: it begins with 74 65 78 74");
  EXPECT_THAT(message_of("\xff\xd8 nothing"), testing::StartsWith("damaged JPEG: "));
  EXPECT_THAT(message_of("\x89PNG\r\n\x1a\nno more"), testing::StartsWith("damaged PNG: "));
  const std::string png = encode_image(TestFormat::kPng, 50, 50, smooth_value);
  EXPECT_EQ(message_of(png.substr(0, png.size() / 2)), "damaged PNG: it ends too early");
}

TEST(ImageFileTest, AnotherFormatIsNamed) {
  const std::pair<std::string, const char*> cases[] = {
      {"GIF89a", "is GIF, neither JPEG nor PNG: it begins with 47 49 46 38"},
      {std::string("RIFF\x24\0\0\0WEBPVP8 ", 16), "is WebP, neither"},
      {std::string("\0\0\0\x18"
                   "ftypheic",
                   12),
       "is HEIC, neither"},
      {std::string("\0\0\0\x18"
                   "ftypmif1",
                   12),
       "is HEIF, neither"},
      {std::string("\0\0\0\x18"
                   "ftypavif",
                   12),
       "is AVIF, neither"},
      {std::string("II*\0", 4), "is TIFF, neither"},
      {std::string("MM\0*", 4), "is TIFF, neither"},
      {"BM6", "is BMP, neither"},
      {"<html>", "is a page of HTML, neither"},
      {"version https://git-lfs.github.com/spec/v1", "is a pointer of Git LFS"}};
  for (const auto& [content, message] : cases)
    EXPECT_THAT(message_of(content), testing::StartsWith(message));
}

// The header alone says how large it is: a bomb is not unpacked to find out.
TEST(ImageFileTest, AnImageOfTooManyPixelsIsRefusedByItsHeader) {
  std::string jpeg = encode_image(TestFormat::kJpeg, 16, 16, smooth_value);
  const size_t frame = jpeg.find("\xff\xc0");
  ASSERT_NE(frame, std::string::npos);
  jpeg.replace(frame + 5, 4, "\x40\x00\x40\x00", 4);
  EXPECT_EQ(message_of(jpeg), "has 16384 x 16384 pixels; more than 178,956,970 are not decoded");
  std::string png = encode_png({0, 1}, 60000, 2, [](int, int, int) { return 0; });
  png.replace(20, 4, std::string("\0\0\xea\x60", 4));
  const uint32_t sum =
      static_cast<uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(png.data()) + 12, 17));
  for (size_t i = 0; i < 4; ++i) png[29 + i] = static_cast<char>(sum >> (24 - 8 * i));
  EXPECT_EQ(message_of(png), "has 60000 x 60000 pixels; more than 178,956,970 are not decoded");
}

TEST(ImageFileTest, JpegsThatAreNotDecodedAreRefusedWithTheReason) {
  std::string content = encode_image(TestFormat::kJpeg, 16, 16, smooth_value);
  const size_t frame = content.find("\xff\xc0");
  content[frame + 4] = 12;  // bits a sample
  EXPECT_THAT(message_of(content), testing::HasSubstr("Unsupported JPEG data precision 12"));
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
