#include "qbitopt/data/image_format.h"

#include "qbitopt/core/error.h"
#include "qbitopt/data/fashion_mnist.h"
#include "qbitopt/data/imagenet.h"
#include "qbitopt/data/tensors.h"

namespace qbitopt {
namespace {

ImageFormat alike(int64_t channels, int64_t size, double mean, double deviation) {
  const auto count = static_cast<size_t>(channels);
  return {{channels, size, size},
          std::vector<double>(count, mean),
          std::vector<double>(count, deviation)};
}

std::vector<double> widened(const std::array<float, 3>& values) {
  return {values.begin(), values.end()};
}

}  // namespace

ImageFormat image_format(const std::string& data_set, const Parameters& parameters) {
  if (data_set == "fashion_mnist")
    return alike(1, kFashionMnistSide, kFashionMnistMean, kFashionMnistDeviation);
  const auto size = [&] { return parameters.get<int64_t>("image_size"); };
  if (data_set == "imagenet") {
    const Normalization normalization = normalization_of(parameters);
    return {{3, size(), size()}, widened(normalization.mean), widened(normalization.deviation)};
  }
  if (data_set == "synthetic") {
    const MemoryDataSetOptions usual;
    return alike(parameters.get<int64_t>("image_channels"), size(), usual.mean, usual.deviation);
  }
  if (data_set == "tensors") {
    return {tensor_shape(parameters.get<std::string>("root")),
            {parameters.get<double>("mean")},
            {parameters.get<double>("deviation")}};
  }
  throw InputError("unknown data set '" + data_set + "'");
}

}  // namespace qbitopt
