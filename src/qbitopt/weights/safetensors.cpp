#include "qbitopt/weights/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include "qbitopt/core/json.h"

namespace qbitopt {
namespace {

static_assert(std::endian::native == std::endian::little, "values are little-endian");

// As in the format's own library.
constexpr uint64_t kMostHeaderBytes = 100'000'000;
constexpr int kMostDepth = 4;

[[noreturn]] void refuse_header(const std::string& why) {
  throw BadWeights("has a safetensors header that cannot be read: " + why);
}

Json parse_header(std::string_view text) {
  const auto expect_flat = [](int depth, Json::parse_event_t, Json&) {
    if (depth > kMostDepth) refuse_header("it is nested too deeply");
    return true;
  };
  try {
    Json header = Json::parse(std::string(text), expect_flat);
    if (!header.is_object()) refuse_header("it is no JSON object");
    return header;
  } catch (const Json::exception& error) {
    refuse_header(error.what());
  }
}

std::vector<int64_t> whole_numbers(const Json& list) {
  std::vector<int64_t> numbers;
  for (const Json& number : list) {
    if (!number.is_number_unsigned() || number.get<uint64_t>() > INT64_MAX)
      refuse_header("expected a whole number, found " + number.dump());
    numbers.push_back(number.get<int64_t>());
  }
  return numbers;
}

StoredTensor read_entry(const Json& entry) {
  StoredTensor tensor;
  try {
    tensor.type = entry.at("dtype").get<std::string>();
    tensor.shape = whole_numbers(entry.at("shape"));
    const std::vector<int64_t> offsets = whole_numbers(entry.at("data_offsets"));
    if (offsets.size() != 2 || offsets[0] > offsets[1])
      refuse_header("data_offsets are no begin and end");
    tensor.values.begin = static_cast<uint64_t>(offsets[0]);
    tensor.values.size = static_cast<uint64_t>(offsets[1] - offsets[0]);
  } catch (const Json::exception& error) {
    refuse_header(error.what());
  }
  tensor.strides.resize(tensor.shape.size());
  int64_t stride = 1;
  for (size_t i = tensor.shape.size(); i-- > 0;) {
    tensor.strides[i] = stride;
    if (__builtin_mul_overflow(stride, std::max<int64_t>(1, tensor.shape[i]), &stride))
      refuse_header("a shape has more values than can be counted");
  }
  return tensor;
}

void expect_no_overlap(const TensorIndex& tensors) {
  std::vector<const TensorIndex::value_type*> order;
  for (const auto& entry : tensors) order.push_back(&entry);
  std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return a->second.values.begin < b->second.values.begin;
  });
  const TensorIndex::value_type* before = nullptr;
  for (const auto* entry : order) {
    const StoredValues& values = entry->second.values;
    if (values.size == 0) continue;
    if (before && before->second.values.begin + before->second.values.size > values.begin) {
      throw BadWeights(fmt::format("is damaged: tensors '{}' and '{}' lie over each other",
                                   before->first, entry->first));
    }
    before = entry;
  }
}

}  // namespace

TensorIndex index_safetensors(std::string_view file) {
  uint64_t header_size = 0;
  std::memcpy(&header_size, file.data(), sizeof(header_size));
  const uint64_t rest = file.size() - sizeof(header_size);
  if (header_size < 2 || header_size > std::min(rest, kMostHeaderBytes)) {
    throw BadWeights(fmt::format(
        "is neither safetensors nor PyTorch's zip file, or was cut off: its header would have {} "
        "bytes; the file has {} bytes",
        header_size, file.size()));
  }
  const Json header = parse_header(file.substr(sizeof(header_size), header_size));
  const uint64_t first = sizeof(header_size) + header_size;
  TensorIndex tensors;
  uint64_t end = first;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    StoredTensor tensor = read_entry(entry);
    tensor.values.begin += first;
    end = std::max(end, tensor.values.begin + tensor.values.size);
    tensors.emplace(name, std::move(tensor));
  }
  if (tensors.empty()) throw BadWeights("holds no tensors");
  if (end > file.size()) {
    throw BadWeights(fmt::format("is cut off: its tensors need {} bytes; the file has {} bytes",
                                 end, file.size()));
  }
  for (const auto& [name, tensor] : tensors) {
    expect_within_values(name, tensor);
    const uint64_t needed =
        static_cast<uint64_t>(tensor.elements() * value_bytes().at(tensor.type));
    if (needed == tensor.values.size) continue;
    throw BadWeights(fmt::format("is damaged: tensor '{}' has {} bytes; its type and shape need {}",
                                 name, tensor.values.size, needed));
  }
  expect_no_overlap(tensors);
  return tensors;
}

}  // namespace qbitopt
