#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "qbitopt/weights/tensor_index.h"

namespace qbitopt {

// One part of a data set of tensors.
struct LabeledTensors {
  StoredTensor features;        // [samples, ...]
  std::vector<int64_t> labels;  // [samples], from 0

  int64_t samples() const { return static_cast<int64_t>(labels.size()); }
};

// A data set in one file: arrays x_train, y_train, x_test, y_test, and maybe x_validation and
// y_validation.
struct TensorData {
  LabeledTensors train, test;
  std::optional<LabeledTensors> validation;
  int64_t classes = 0;  // one more than the largest label

  // Of one sample.
  std::vector<int64_t> shape() const;
};

// The content decides whether it is an .npz file or safetensors. Throws BadWeights, whose text goes
// on from the file's name: which array, what was found and what was expected.
TensorData index_tensor_data(std::string_view file);

// The features of one part in float32, sample by sample: those of uint8 divided by 255, all others
// as they are. Throws BadWeights for values that are no finite numbers.
std::vector<float> read_features(std::string_view file, const LabeledTensors& part);

}  // namespace qbitopt
