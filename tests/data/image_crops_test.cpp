#include "qbitopt/data/image_crops.h"

#include <gtest/gtest.h>

#include <cmath>

namespace qbitopt {
namespace {

TEST(ImageCropsTest, RandomCropsLieInsideWithTheAreasAndRatiosAskedFor) {
  const ImageSize image{500, 375};
  Random random(3, "crops");
  double area = 0, log_ratio = 0;
  constexpr int kCrops = 4000;
  for (int i = 0; i < kCrops; ++i) {
    const Box box = random_resized_crop(image, 0.08, random).box;
    EXPECT_GE(box.x, 0);
    EXPECT_GE(box.y, 0);
    EXPECT_LE(box.x + box.width, image.width);
    EXPECT_LE(box.y + box.height, image.height);
    const double part = box.width * box.height / (500.0 * 375);
    EXPECT_GE(part, 0.079);
    EXPECT_GE(box.width / box.height, 0.74);
    EXPECT_LE(box.width / box.height, 1.35);
    area += part / kCrops;
    log_ratio += std::log(box.width / box.height) / kCrops;
  }
  // torchvision's own means over 20,000 draws: large boxes of the wrong ratio do not fit and are
  // drawn again.
  EXPECT_NEAR(area, 0.434, 0.015);
  EXPECT_NEAR(log_ratio, 0.032, 0.015);
}

TEST(ImageCropsTest, AnImageTooLongForAnyCropGivesItsMiddle) {
  Random random(3, "crops");
  const Crop crop = random_resized_crop({1000, 30}, 0.5, random);
  EXPECT_EQ(crop.box.height, 30);
  EXPECT_EQ(crop.box.width, 40);
  EXPECT_EQ(crop.box.x, 480);
  EXPECT_FALSE(crop.reads_beyond);
}

TEST(ImageCropsTest, TheCenterCropIsThatOfTheResizedImage) {
  // 500 x 375 becomes 341 x 256; 224 of it begin at (58.5 to even 58, 16).
  const Crop crop = center_crop({500, 375}, 256, 224);
  EXPECT_DOUBLE_EQ(crop.box.x, 58 * 500.0 / 341);
  EXPECT_DOUBLE_EQ(crop.box.y, 16 * 375.0 / 256);
  EXPECT_DOUBLE_EQ(crop.box.width, 224 * 500.0 / 341);
  EXPECT_DOUBLE_EQ(crop.box.height, 224 * 375.0 / 256);
  EXPECT_TRUE(crop.reads_beyond);
}

}  // namespace
}  // namespace qbitopt
