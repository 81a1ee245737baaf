#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "qbitopt/core/parameters.h"
#include "qbitopt/data/batch_source.h"

namespace qbitopt {

// One part of a file of tensors (weights/labeled_tensors.h), in memory.
struct SampleArray {
  std::vector<float> features;  // [samples, ...]
  std::vector<int64_t> labels;  // [samples]

  int64_t size() const { return static_cast<int64_t>(labels.size()); }
};

struct TensorSamples {
  std::shared_ptr<const SampleArray> train, test;
  std::shared_ptr<const SampleArray> validation;  // null: taken from the training samples
  std::vector<int64_t> shape;                     // of one sample
  int64_t classes = 0;
};

// Throws InputError with the file's name: it is missing or damaged, or an array lacks, or has
// another type or shape than it should.
TensorSamples read_tensors(const std::string& file);

// Of one sample, without reading all. Throws likewise.
std::vector<int64_t> tensor_shape(const std::string& file);

// `parameters`: see tensors.yaml. Validation samples that the file does not give are a fixed random
// choice among the training samples, the same for every seed. There is no augmentation.
std::unique_ptr<DataSet> make_tensors(const TensorSamples& samples, const Parameters& parameters);

}  // namespace qbitopt
