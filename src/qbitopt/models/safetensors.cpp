#include "qbitopt/models/safetensors.h"

#include <bit>
#include <cstring>
#include <string_view>

#include "qbitopt/core/error.h"
#include "qbitopt/core/json.h"

namespace qbitopt {
namespace {

static_assert(std::endian::native == std::endian::little, "values are little-endian");

const std::map<std::string, torch::ScalarType> kSafetensorTypes = {
    {"F64", torch::kFloat64},   {"F32", torch::kFloat32}, {"F16", torch::kFloat16},
    {"BF16", torch::kBFloat16}, {"I64", torch::kInt64},   {"I32", torch::kInt32},
    {"I16", torch::kInt16},     {"I8", torch::kInt8},     {"U8", torch::kUInt8},
    {"BOOL", torch::kBool}};

[[noreturn]] void refuse_safetensors(const std::filesystem::path& file, const std::string& what) {
  throw InputError(file.string() + ": " + what);
}

// values: the bytes after the header.
torch::Tensor read_tensor(const std::filesystem::path& file, const std::string& name,
                          const Json& entry, const torch::Tensor& values) {
  const auto type_name = entry.at("dtype").get<std::string>();
  const auto type = kSafetensorTypes.find(type_name);
  if (type == kSafetensorTypes.end())
    refuse_safetensors(file, "tensor '" + name + "' has the unknown type " + type_name);
  const auto shape = entry.at("shape").get<std::vector<int64_t>>();
  const auto [begin, end] = entry.at("data_offsets").get<std::pair<int64_t, int64_t>>();
  int64_t expected = static_cast<int64_t>(c10::elementSize(type->second));
  for (const int64_t size : shape) expected *= size;
  if (begin < 0 || end > values.numel() || end - begin != expected) {
    refuse_safetensors(file, "tensor '" + name + "' lies at bytes " + std::to_string(begin) +
                                 " to " + std::to_string(end) + " of " +
                                 std::to_string(values.numel()) + "; its type and shape need " +
                                 std::to_string(expected) + ": the file is damaged");
  }
  // A copy starts at an address that suits every type.
  return values.slice(0, begin, end).clone().view(type->second).view(shape);
}

}  // namespace

StateDict read_safetensors(const std::filesystem::path& file) {
  const auto size = static_cast<int64_t>(std::filesystem::file_size(file));
  if (size < 10)
    refuse_safetensors(file,
                       "is not a safetensors file: it has only " + std::to_string(size) + " bytes");
  const torch::Tensor bytes =
      torch::from_file(file.string(), /*shared=*/false, size, torch::kUInt8);
  int64_t header_size = 0;
  std::memcpy(&header_size, bytes.const_data_ptr(), sizeof(header_size));
  if (header_size < 2 || header_size > size - 8) {
    refuse_safetensors(file, "is not a safetensors file, or was cut off: its header would have " +
                                 std::to_string(static_cast<uint64_t>(header_size)) +
                                 " bytes, the file has " + std::to_string(size));
  }
  const auto* text = reinterpret_cast<const char*>(bytes.const_data_ptr<uint8_t>()) + 8;
  const torch::Tensor values = bytes.slice(0, 8 + header_size);
  StateDict tensors;
  try {
    const Json header = Json::parse(text, text + header_size);
    for (const auto& [name, entry] : header.items()) {
      if (name != "__metadata__") tensors.emplace(name, read_tensor(file, name, entry, values));
    }
  } catch (const Json::exception& error) {
    refuse_safetensors(
        file, std::string("has a safetensors header that cannot be read: ") + error.what());
  }
  return tensors;
}

}  // namespace qbitopt
