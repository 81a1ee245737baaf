#include "qbitopt/models/weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "qbitopt/core/error.h"
#include "qbitopt/core/mapped_file.h"
#include "qbitopt/weights/tensor_index.h"
#include "qbitopt/weights/wrappers.h"
#include "qbitopt/weights/zip_directory.h"

namespace qbitopt {
namespace {

// A copy, so that it starts at an address that suits every type. Flat, of whole values.
torch::Tensor read_values(std::string_view file, const StoredValues& stored,
                          torch::ScalarType type) {
  const std::string bytes = unpack(file, stored);
  const auto count = static_cast<int64_t>(bytes.size() / c10::elementSize(type));
  const torch::Tensor values = torch::empty({count}, type);
  if (count > 0) std::memcpy(values.data_ptr(), bytes.data(), values.nbytes());
  return values;
}

StateDict read_tensors(std::string_view file, const TensorIndex& index) {
  StateDict tensors;
  std::map<std::pair<uint64_t, torch::ScalarType>, torch::Tensor> read;  // tensors may share values
  for (const auto& [name, stored] : index) {
    const torch::ScalarType type = scalar_type_of(stored.type);
    torch::Tensor& values = read[{stored.values.begin, type}];
    if (!values.defined()) values = read_values(file, stored.values, type);
    tensors[name] = values.as_strided(stored.shape, stored.strides, stored.offset);
  }
  return tensors;
}

template <typename Index>
StateDict read_index(const std::filesystem::path& file, Index index) {
  const MappedFile mapped(file);
  try {
    return read_tensors(mapped.bytes(), index(mapped.bytes()));
  } catch (const BadWeights& error) {
    throw InputError(file.string() + ": " + error.advice(file, "OUT.safetensors"));
  }
}

}  // namespace

torch::ScalarType scalar_type_of(const std::string& type) {
  static const std::map<std::string, torch::ScalarType> types = {
      {"F64", torch::kFloat64},   {"F32", torch::kFloat32}, {"F16", torch::kFloat16},
      {"BF16", torch::kBFloat16}, {"I64", torch::kInt64},   {"I32", torch::kInt32},
      {"I16", torch::kInt16},     {"I8", torch::kInt8},     {"U8", torch::kUInt8},
      {"BOOL", torch::kBool}};
  return types.at(type);
}

torch::Tensor read_tensor(std::string_view file, const StoredTensor& stored) {
  const torch::Tensor values = read_values(file, stored.values, scalar_type_of(stored.type));
  return values.as_strided(stored.shape, stored.strides, stored.offset);
}

StateDict read_weights(const std::filesystem::path& file) {
  return read_index(file, [](std::string_view bytes) { return index_tensors(bytes); });
}

StateDict read_weights(const std::filesystem::path& file, const torch::nn::Module& network) {
  return read_index(file, [&](std::string_view bytes) {
    TensorIndex index = index_tensors_as_written(bytes);
    const auto parameters = network.named_parameters();
    const bool has_all = std::all_of(parameters.begin(), parameters.end(), [&](const auto& item) {
      return item.key().find("_quantizer.") != std::string::npos || index.count(item.key()) != 0;
    });
    return has_all ? index : without_wrappers(std::move(index));
  });
}

}  // namespace qbitopt
