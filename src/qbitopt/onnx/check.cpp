#include "qbitopt/onnx/check.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <utility>

namespace qbitopt::onnx {
namespace {

int64_t elements(const Tensor& tensor) {
  int64_t product = 1;
  for (const int64_t size : tensor.shape) product *= size;
  return product;
}

class Checker {
 public:
  explicit Checker(const Model& model) : model_(model) {}

  std::vector<std::string> check() {
    for (const Tensor& tensor : model_.tensors) add_tensor(tensor);
    for (const Value& input : model_.inputs) define(input.name, "the inputs");
    for (const Node& node : model_.nodes) check_node(node);
    for (const Value& output : model_.outputs) read(output.name, "the outputs");
    for (const auto& [name, tensor] : tensors_) {
      if (read_.count(name) == 0) fault("tensor '{}' is read by nothing", name);
    }
    return std::move(faults_);
  }

 private:
  template <typename... Arguments>
  void fault(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
    faults_.push_back(fmt::format(text, std::forward<Arguments>(arguments)...));
  }

  void add_tensor(const Tensor& tensor) {
    define(tensor.name, "the tensors");
    tensors_[tensor.name] = &tensor;
    const auto bytes = static_cast<size_t>((elements(tensor) * bits_of(tensor.type) + 7) / 8);
    if (tensor.bytes.size() != bytes) {
      fault("tensor '{}' has {} bytes; its shape asks for {}", tensor.name, tensor.bytes.size(),
            bytes);
    }
  }

  void define(const std::string& name, const std::string& place) {
    if (name.empty() || !made_.insert(name).second) fault("{} make '{}' again", place, name);
  }

  void read(const std::string& name, const std::string& place) {
    if (made_.count(name) == 0) fault("{} read '{}' before it is made", place, name);
    read_.insert(name);
  }

  void check_node(const Node& node) {
    const std::string place = "inputs and outputs of '" + node.name + "'";
    if (!names_.insert(node.name).second) fault("two nodes are named '{}'", node.name);
    if (model_.opsets.count(node.domain) == 0)
      fault("node '{}' is of a domain without version, '{}'", node.name, node.domain);
    for (const std::string& input : node.inputs) {
      if (!input.empty()) read(input, place);
    }
    for (const std::string& output : node.outputs) define(output, place);
    if (node.operation == "QuantizeLinear" || node.operation == "DequantizeLinear")
      check_scales(node);
  }

  void check_scales(const Node& node) {
    const Tensor* scale = tensor(node, 1);
    const Tensor* zero = tensor(node, 2);
    if (!scale || !zero) {
      fault("node '{}' has no scale and zero point among the tensors", node.name);
      return;
    }
    if (scale->shape != zero->shape)
      fault("node '{}' has a zero point of another shape than the scale", node.name);
    const Tensor* codes = tensor(node, 0);
    if (!codes) return;
    if (codes->type != zero->type)
      fault("node '{}' has a zero point of another type than the codes", node.name);
    if (scale->shape.empty()) return;
    const auto given = node.attributes.find("axis");
    const int64_t axis = given == node.attributes.end() ? 1 : std::get<int64_t>(given->second);
    const bool fits = scale->shape.size() == 1 && axis >= 0 &&
                      axis < static_cast<int64_t>(codes->shape.size()) &&
                      codes->shape[static_cast<size_t>(axis)] == scale->shape[0];
    if (!fits)
      fault("node '{}' has not one scale for each channel of '{}'", node.name, codes->name);
  }

  const Tensor* tensor(const Node& node, size_t input) const {
    const auto found =
        input < node.inputs.size() ? tensors_.find(node.inputs[input]) : tensors_.end();
    return found != tensors_.end() ? found->second : nullptr;
  }

  const Model& model_;
  std::map<std::string, const Tensor*> tensors_;
  std::set<std::string> made_, read_, names_;
  std::vector<std::string> faults_;
};

}  // namespace

std::vector<std::string> faults_of(const Model& model) { return Checker(model).check(); }

}  // namespace qbitopt::onnx
