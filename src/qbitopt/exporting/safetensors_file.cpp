#include "qbitopt/exporting/safetensors_file.h"

#include <stdexcept>

#include "qbitopt/core/json.h"

namespace qbitopt {
namespace {

const char* safetensors_type(torch::ScalarType type) {
  switch (type) {
    case torch::kFloat32:
      return "F32";
    case torch::kInt64:
      return "I64";
    case torch::kInt8:
      return "I8";
    case torch::kUInt8:
      return "U8";
    case torch::kBool:
      return "BOOL";
    default:
      throw std::logic_error(std::string("no tensor of a network is of type ") + toString(type));
  }
}

}  // namespace

std::string to_safetensors(const StateDict& tensors,
                           const std::map<std::string, std::string>& metadata) {
  Json header = {{"__metadata__", metadata}};
  size_t end = 0;
  for (const auto& [name, tensor] : tensors) {
    const size_t begin = end;
    end += tensor.nbytes();
    header[name] = {{"dtype", safetensors_type(tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {begin, end}}};
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  std::string file;
  for (size_t i = 0; i < 8; ++i) file += static_cast<char>(text.size() >> (8 * i) & 255);
  file += text;
  for (const auto& [name, tensor] : tensors) {
    const torch::Tensor flat = tensor.contiguous();
    file.append(static_cast<const char*>(flat.data_ptr()), flat.nbytes());
  }
  return file;
}

}  // namespace qbitopt
