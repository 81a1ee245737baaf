#include "qbitopt/weights/labeled_tensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <set>

#include "qbitopt/core/names.h"
#include "qbitopt/weights/npz.h"
#include "qbitopt/weights/safetensors.h"
#include "qbitopt/weights/zip_directory.h"

namespace qbitopt {
namespace {

const std::set<std::string> kFeatureTypes = {"F32", "F64", "F16", "BF16", "U8"};
const std::set<std::string> kLabelTypes = {"U8", "I8", "I16", "I32", "I64"};
constexpr int64_t kMostClasses = 1'000'000;

std::string shape_of(const std::vector<int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

float half_to_float(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
  const int exponent = half >> 10 & 0x1f, fraction = half & 0x3ff;
  if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000u | fraction << 13);
  const float size = exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                                   : std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  return sign != 0 ? -size : size;
}

template <typename Number>
Number load(const char* at) {
  Number number;
  std::memcpy(&number, at, sizeof(number));
  return number;
}

double feature_at(const std::string& type, const char* at) {
  if (type == "F32") return load<float>(at);
  if (type == "F64") return load<double>(at);
  if (type == "F16") return half_to_float(load<uint16_t>(at));
  if (type == "BF16") return std::bit_cast<float>(uint32_t{load<uint16_t>(at)} << 16);
  return load<uint8_t>(at) / 255.0;
}

int64_t label_at(const std::string& type, const char* at) {
  if (type == "U8") return load<uint8_t>(at);
  if (type == "I8") return load<int8_t>(at);
  if (type == "I16") return load<int16_t>(at);
  return type == "I32" ? load<int32_t>(at) : load<int64_t>(at);
}

// Calls `use` with each value's place, in the order of the indices whatever the strides.
template <typename Use>
void for_each_place(const StoredTensor& tensor, const char* bytes, Use use) {
  const int64_t size = value_bytes().at(tensor.type), elements = tensor.elements();
  std::vector<int64_t> index(tensor.shape.size());
  int64_t place = tensor.offset;
  for (int64_t i = 0; i < elements; ++i) {
    use(bytes + place * size);
    for (size_t axis = index.size(); axis-- > 0;) {
      place += tensor.strides[axis];
      if (++index[axis] < tensor.shape[axis]) break;
      place -= tensor.strides[axis] * tensor.shape[axis];
      index[axis] = 0;
    }
  }
}

std::string bytes_of(std::string_view file, const StoredTensor& tensor) {
  return unpack(file, tensor.values);
}

class TensorDataIndex {
 public:
  explicit TensorDataIndex(std::string_view file)
      : file_(file), arrays_(file.starts_with("PK") ? index_npz(file) : index_safetensors(file)) {}

  TensorData read() const {
    TensorData data;
    data.train = part("train");
    data.test = part("test");
    if (arrays_.count("x_validation") != 0) data.validation = part("validation");
    for (const LabeledTensors* part : parts(data)) {
      for (const int64_t label : part->labels) data.classes = std::max(data.classes, label + 1);
      expect_shape(*part, data.shape());
    }
    if (data.classes < 2)
      throw BadWeights("has one class: every label is 0; expected labels from 0 to classes - 1");
    return data;
  }

 private:
  static std::vector<const LabeledTensors*> parts(const TensorData& data) {
    std::vector<const LabeledTensors*> parts = {&data.train, &data.test};
    if (data.validation) parts.push_back(&*data.validation);
    return parts;
  }

  const StoredTensor& find(const std::string& name) const {
    const auto found = arrays_.find(name);
    if (found != arrays_.end()) return found->second;
    std::vector<std::string> names;
    for (const auto& [known, tensor] : arrays_) names.push_back(known);
    throw BadWeights(fmt::format(
        "has no array '{}'; it has {}; expected x_train, y_train, x_test, y_test, and x_validation "
        "and y_validation if validation samples are not taken from the training samples",
        name, names.empty() ? "none" : fmt::to_string(fmt::join(names, ", "))));
  }

  static void expect_type(const std::string& name, const StoredTensor& tensor,
                          const std::set<std::string>& types, const char* what) {
    if (types.count(tensor.type) != 0) return;
    throw BadWeights(fmt::format("has {} of type {} in '{}'; expected one of {}", what, tensor.type,
                                 name, fmt::join(types, ", ")));
  }

  LabeledTensors part(const std::string& name) const {
    const std::string features_name = "x_" + name, labels_name = "y_" + name;
    LabeledTensors part{find(features_name), {}};
    const StoredTensor& labels = find(labels_name);
    expect_type(features_name, part.features, kFeatureTypes, "features");
    expect_type(labels_name, labels, kLabelTypes, "labels");
    const std::vector<int64_t>& shape = part.features.shape;
    if (shape.size() < 2 || part.features.elements() == 0) {
      throw BadWeights(
          fmt::format("has features of shape {} in '{}'; expected [samples, ...] with at least one "
                      "sample and one feature",
                      shape_of(shape), features_name));
    }
    if (labels.shape != std::vector<int64_t>{shape[0]}) {
      throw BadWeights(
          fmt::format("has labels of shape {} in '{}'; expected [{}], one for each "
                      "sample of '{}'",
                      shape_of(labels.shape), labels_name, shape[0], features_name));
    }
    const std::string bytes = bytes_of(file_, labels);
    for_each_place(labels, bytes.data(), [&](const char* at) {
      part.labels.push_back(label_at(labels.type, at));
      if (part.labels.back() < 0 || part.labels.back() >= kMostClasses) {
        throw BadWeights(fmt::format("has the label {} in '{}'; expected 0 to classes - 1",
                                     part.labels.back(), labels_name));
      }
    });
    return part;
  }

  static void expect_shape(const LabeledTensors& part, const std::vector<int64_t>& expected) {
    const std::vector<int64_t> found(part.features.shape.begin() + 1, part.features.shape.end());
    if (found == expected) return;
    throw BadWeights(fmt::format(
        "has samples of shape {} beside 'x_train', whose samples are of shape {}; expected one "
        "shape",
        shape_of(found), shape_of(expected)));
  }

  std::string_view file_;
  TensorIndex arrays_;
};

}  // namespace

std::vector<int64_t> TensorData::shape() const {
  return {train.features.shape.begin() + 1, train.features.shape.end()};
}

TensorData index_tensor_data(std::string_view file) { return TensorDataIndex(file).read(); }

std::vector<float> read_features(std::string_view file, const LabeledTensors& part) {
  const StoredTensor& features = part.features;
  const std::string bytes = bytes_of(file, features);
  std::vector<float> values;
  values.reserve(static_cast<size_t>(features.elements()));
  for_each_place(features, bytes.data(), [&](const char* at) {
    values.push_back(static_cast<float>(feature_at(features.type, at)));
    if (!std::isfinite(values.back())) {
      const int64_t per_sample = features.elements() / features.shape[0];
      throw BadWeights(fmt::format("holds {} in sample {}; expected finite numbers", values.back(),
                                   (static_cast<int64_t>(values.size()) - 1) / per_sample));
    }
  });
  return values;
}

}  // namespace qbitopt
