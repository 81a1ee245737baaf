#include "qbitopt/sweep/weights_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "qbitopt/core/error.h"
#include "qbitopt/core/mapped_file.h"
#include "qbitopt/weights/tensor_index.h"

namespace qbitopt {
namespace {

// Number of classes of a published network, for which its manifest counts weights.
constexpr int64_t kPublishedClasses = 1000;

// Number of trained weights, without the statistics of batch norm and the parameters of quantizers.
int64_t count_weights(const TensorIndex& tensors) {
  int64_t count = 0;
  for (const auto& [name, tensor] : tensors) {
    const bool is_statistic = name.ends_with("running_mean") || name.ends_with("running_var") ||
                              name.ends_with("num_batches_tracked");
    if (!is_statistic && name.find("_quantizer.") == std::string::npos) count += tensor.elements();
  }
  return count;
}

}  // namespace

std::string fault_of_weights(const std::filesystem::path& file,
                             const std::filesystem::path& converted) {
  const MappedFile mapped(file);
  try {
    index_tensors(mapped.bytes());
  } catch (const BadWeights& error) {
    return error.advice(file, converted);
  }
  return "";
}

std::string misfit_of_weights(const std::filesystem::path& file, const Manifest& model,
                              int64_t classes) {
  if (model.head.empty()) return "";
  const MappedFile mapped(file);
  const TensorIndex tensors = index_tensors(mapped.bytes());
  const std::string name = model.head + ".weight";
  const auto head = tensors.find(name);
  const bool is_matrix = head != tensors.end() && head->second.shape.size() == 2;
  if (!is_matrix || head->second.elements() == 0) {
    return fmt::format(
        "is of another network, or has no classifier: expected a matrix '{}', found tensors that "
        "begin with '{}'",
        name, tensors.begin()->first);
  }
  const std::vector<int64_t>& shape = head->second.shape;
  const int64_t expected = model.weights + (shape[0] - kPublishedClasses) * (shape[1] + 1);
  if (const int64_t found = count_weights(tensors); model.weights > 0 && found != expected) {
    return fmt::format(
        "is of another network: with {} classes '{}' has {} weights, but the file has {}", shape[0],
        model.name, expected, found);
  }
  if (shape[0] == classes) return "";
  return fmt::format(
      "is of a network for {} classes ({} is [{}]), but the data set has {}; give weights for {} "
      "classes, or leave weights.root out to train from scratch",
      shape[0], name, fmt::join(shape, ", "), classes, classes);
}

}  // namespace qbitopt
