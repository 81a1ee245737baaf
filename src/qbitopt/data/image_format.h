#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "qbitopt/core/parameters.h"

namespace qbitopt {

// What the images of a data set are like, told without opening its files.
struct ImageFormat {
  std::vector<int64_t> shape;  // {channels, height, width}
  // By channel: networks read (pixel - mean) / deviation, of pixels from 0 to 1.
  std::vector<double> mean, deviation;
};

// `parameters`: those below "data". Throws InputError for an unknown data set.
ImageFormat image_format(const std::string& data_set, const Parameters& parameters);

}  // namespace qbitopt
