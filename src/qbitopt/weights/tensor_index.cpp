#include "qbitopt/weights/tensor_index.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "qbitopt/weights/safetensors.h"
#include "qbitopt/weights/torch_file.h"
#include "qbitopt/weights/wrappers.h"

namespace qbitopt {
namespace {

// False if the sum or product is more than int64 holds.
bool add_product(int64_t a, int64_t b, int64_t& sum) {
  int64_t product = 0;
  return !__builtin_mul_overflow(a, b, &product) && !__builtin_add_overflow(sum, product, &sum);
}

// Of values from the stretch's begin to the tensor's last; -1 if the numbers make no sense.
int64_t reach(const StoredTensor& tensor) {
  if (tensor.offset < 0 || tensor.shape.size() != tensor.strides.size()) return -1;
  int64_t last = tensor.offset, elements = 1;
  for (size_t i = 0; i < tensor.shape.size(); ++i) {
    const int64_t size = tensor.shape[i], stride = tensor.strides[i];
    if (size < 0 || stride < 0 || __builtin_mul_overflow(elements, size, &elements)) return -1;
    if (size > 0 && !add_product(size - 1, stride, last)) return -1;
  }
  return elements == 0 ? 0 : last + 1;
}

}  // namespace

int64_t StoredTensor::elements() const {
  int64_t elements = 1;
  for (const int64_t size : shape) elements *= size;
  return elements;
}

std::string BadWeights::advice(const std::filesystem::path& file,
                               const std::filesystem::path& converted) const {
  if (!for_python_) return what();
  return fmt::format(
      "{}; what PyTorch can read, this converts: .venv/bin/python tools/convert_weights.py {} {}",
      what(), file.string(), converted.string());
}

const std::map<std::string, int64_t>& value_bytes() {
  static const std::map<std::string, int64_t> bytes = {
      {"F64", 8}, {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"I64", 8},
      {"I32", 4}, {"I16", 2}, {"I8", 1},  {"U8", 1},   {"BOOL", 1}};
  return bytes;
}

void expect_within_values(const std::string& name, const StoredTensor& tensor) {
  const auto bytes = value_bytes().find(tensor.type);
  if (bytes == value_bytes().end()) {
    throw BadWeights(
        fmt::format("cannot be read: tensor '{}' has the unknown type {}", name, tensor.type),
        /*for_python=*/true);
  }
  const auto room = static_cast<int64_t>(tensor.values.size) / bytes->second;
  const int64_t needed = reach(tensor);
  // More elements than values: a view that repeats them, which no weights are.
  if (needed >= 0 && needed <= room && tensor.elements() <= room) return;
  throw BadWeights(
      fmt::format("is damaged: tensor '{}' of {} [{}] does not lie within the {} "
                  "bytes of its values",
                  name, tensor.type, fmt::join(tensor.shape, ", "), tensor.values.size));
}

TensorIndex index_tensors(std::string_view file) {
  return without_wrappers(index_tensors_as_written(file));
}

TensorIndex index_tensors_as_written(std::string_view file) {
  if (file.starts_with("PK\x03\x04")) return index_torch_file(file);
  // The length of a safetensors header may begin with this byte, too; the header follows it.
  if (file.starts_with("\x80") && (file.size() < 9 || file[8] != '{')) {
    throw BadWeights("is a pickle as PyTorch wrote it before version 1.6, which is not read here",
                     /*for_python=*/true);
  }
  if (file.size() < 10)
    throw BadWeights(fmt::format("contains no weights: it has only {} bytes", file.size()));
  return index_safetensors(file);
}

}  // namespace qbitopt
