#pragma once

#include "qbitopt/core/random.h"
#include "qbitopt/data/image_file.h"

namespace qbitopt {

// torchvision's RandomResizedCrop: a box with `min_scale` to all of the image's area and a ratio of
// 3:4 to 4:3 (log-uniform), in whole pixels, anywhere; after ten tries that do not fit, the largest
// middle one.
Crop random_resized_crop(const ImageSize& image, double min_scale, Random& random);

// torchvision's Resize(shorter_side) and CenterCrop(size), as one box of the image.
Crop center_crop(const ImageSize& image, int shorter_side, int size);

}  // namespace qbitopt
