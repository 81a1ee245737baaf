#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "qbitopt/core/parameters.h"

namespace qbitopt {

// What the images of a data set are like, told without reading them all.
struct ImageFormat {
  std::vector<int64_t> shape;  // {channels, height, width}; of a data set of tensors any
  // By channel, or one for all: networks read (pixel - mean) / deviation, of pixels from 0 to 1.
  std::vector<double> mean, deviation;
};

// `parameters`: those below "data". Throws InputError for an unknown data set, and for a file of
// tensors that is damaged.
ImageFormat image_format(const std::string& data_set, const Parameters& parameters);

}  // namespace qbitopt
