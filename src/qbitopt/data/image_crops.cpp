#include "qbitopt/data/image_crops.h"

#include <algorithm>
#include <cmath>

namespace qbitopt {

Crop random_resized_crop(const ImageSize& image, double min_scale, Random& random) {
  constexpr double kLeastRatio = 3.0 / 4, kMostRatio = 4.0 / 3;
  const double area = static_cast<double>(image.width) * image.height;
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double target = area * (min_scale + (1 - min_scale) * random.uniform());
    const double ratio = kLeastRatio * std::pow(kMostRatio / kLeastRatio, random.uniform());
    const auto width = static_cast<int>(std::lround(std::sqrt(target * ratio)));
    const auto height = static_cast<int>(std::lround(std::sqrt(target / ratio)));
    if (width < 1 || width > image.width || height < 1 || height > image.height) continue;
    const auto y = random.below(static_cast<uint64_t>(image.height - height + 1));
    const auto x = random.below(static_cast<uint64_t>(image.width - width + 1));
    return {{static_cast<double>(x), static_cast<double>(y), static_cast<double>(width),
             static_cast<double>(height)}};
  }
  const double ratio = static_cast<double>(image.width) / image.height;
  double width = image.width, height = image.height;
  if (ratio < kLeastRatio) height = std::round(width / kLeastRatio);
  if (ratio > kMostRatio) width = std::round(height * kMostRatio);
  return {{std::floor((image.width - width) / 2), std::floor((image.height - height) / 2), width,
           height}};
}

Crop center_crop(const ImageSize& image, int shorter_side, int size) {
  const int shorter = std::min(image.width, image.height);
  // Sizes of the resized image, rounded down as torchvision does.
  const double width = std::floor(static_cast<double>(shorter_side) * image.width / shorter);
  const double height = std::floor(static_cast<double>(shorter_side) * image.height / shorter);
  const double left = std::nearbyint((width - size) / 2), top = std::nearbyint((height - size) / 2);
  const double x_scale = image.width / width, y_scale = image.height / height;
  return {.box = {left * x_scale, top * y_scale, size * x_scale, size * y_scale},
          .reads_beyond = true};
}

}  // namespace qbitopt
