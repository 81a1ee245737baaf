#pragma once

#include <memory>

#include "qbitopt/core/parameters.h"
#include "qbitopt/data/batch_source.h"
#include "qbitopt/data/memory_data_set.h"

namespace qbitopt {

inline constexpr int64_t kFashionMnistSide = 28;
// Over the training images, of pixels from 0 to 1.
inline constexpr double kFashionMnistMean = 0.28604;
inline constexpr double kFashionMnistDeviation = 0.35302;

// The 60,000 + 10,000 gray 28x28 images of Xiao et al., 2017 (arXiv 1708.07747).
struct FashionMnistImages {
  std::shared_ptr<const ImageArray> train;
  std::shared_ptr<const ImageArray> test;
};

// Reads the four gzip-compressed IDX files of a folder and compares their content with the
// published one. Throws InputError: which file, what was found and expected, and how to get a good
// one.
FashionMnistImages read_fashion_mnist(const std::string& folder);

// `parameters`: validation_images, augment, threads (fashion_mnist.yaml). The validation images are
// a fixed random choice among the training images, the same for every seed; with fewer of them, a
// part of the larger choice.
std::unique_ptr<DataSet> make_fashion_mnist(const FashionMnistImages& images,
                                            const Parameters& parameters);

}  // namespace qbitopt
