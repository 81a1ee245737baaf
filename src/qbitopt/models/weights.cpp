#include "qbitopt/models/weights.h"

#include <fmt/format.h>
#include <zlib.h>

#include <cstring>

#include "qbitopt/core/error.h"
#include "qbitopt/core/mapped_file.h"
#include "qbitopt/weights/tensor_index.h"

namespace qbitopt {
namespace {

torch::ScalarType scalar_type(const std::string& type) {
  static const std::map<std::string, torch::ScalarType> types = {
      {"F64", torch::kFloat64},   {"F32", torch::kFloat32}, {"F16", torch::kFloat16},
      {"BF16", torch::kBFloat16}, {"I64", torch::kInt64},   {"I32", torch::kInt32},
      {"I16", torch::kInt16},     {"I8", torch::kInt8},     {"U8", torch::kUInt8},
      {"BOOL", torch::kBool}};
  return types.at(type);
}

// A copy, so that it starts at an address that suits every type. Flat, of whole values.
torch::Tensor read_values(std::string_view file, const StoredValues& stored,
                          torch::ScalarType type) {
  const std::string_view bytes = file.substr(stored.begin, stored.size);
  const auto* data = reinterpret_cast<const Bytef*>(bytes.data());
  if (stored.crc32 && ::crc32_z(0, data, bytes.size()) != *stored.crc32) {
    throw BadWeights(
        fmt::format("is damaged: the checksum of its bytes {} to {} is not the one in it",
                    stored.begin, stored.begin + stored.size));
  }
  const auto count = static_cast<int64_t>(bytes.size() / c10::elementSize(type));
  const torch::Tensor values = torch::empty({count}, type);
  if (count > 0) std::memcpy(values.data_ptr(), bytes.data(), values.nbytes());
  return values;
}

StateDict read_tensors(std::string_view file) {
  StateDict tensors;
  std::map<std::pair<uint64_t, torch::ScalarType>, torch::Tensor> read;  // tensors may share values
  for (const auto& [name, stored] : index_tensors(file)) {
    const torch::ScalarType type = scalar_type(stored.type);
    torch::Tensor& values = read[{stored.values.begin, type}];
    if (!values.defined()) values = read_values(file, stored.values, type);
    tensors[name] = values.as_strided(stored.shape, stored.strides, stored.offset);
  }
  return tensors;
}

}  // namespace

StateDict read_weights(const std::filesystem::path& file) {
  const MappedFile mapped(file);
  try {
    return read_tensors(mapped.bytes());
  } catch (const BadWeights& error) {
    throw InputError(file.string() + ": " + error.advice(file, "OUT.safetensors"));
  }
}

}  // namespace qbitopt
