#include "qbitopt/models/initialization.h"

#include <cmath>
#include <map>
#include <optional>
#include <string>

#include "qbitopt/core/random.h"

namespace qbitopt {
namespace {

using torch::Tensor;

class InitialValues {
 public:
  InitialValues(const Graph& graph, const Initialization& initialization, uint64_t seed)
      : initialization_(initialization), seed_(seed) {
    for (const GraphTensor& tensor : graph.tensors) {
      const GraphValue& value = graph.values[tensor.value];
      values_[tensor.name] =
          torch::zeros(value.shape, value.type == "I64" ? torch::kInt64 : torch::kFloat32);
      names_[tensor.value] = tensor.name;
    }
    for (const GraphNode& node : graph.nodes) start(node);
  }

  StateDict take() { return std::move(values_); }

 private:
  void start(const GraphNode& node) {
    const std::string_view kind = node.plain_name();
    if (kind == "batch_norm") {
      for (const char* argument : {"weight", "running_var"})
        values_.at(name(node, argument)).fill_(1);
    } else if (kind == "conv2d") {
      const auto groups =
          static_cast<int64_t>(initialization_.groups_count ? node.number("groups", 1) : 1);
      const Tensor& weight = values_.at(name(node, "weight"));
      const double fan_out = static_cast<double>(weight.size(0) * weight.size(2) * weight.size(3)) /
                             static_cast<double>(groups);
      normal(name(node, "weight"), std::sqrt(2.0 / fan_out));
    } else if (kind == "linear") {
      start_linear(name(node, "weight"), name(node, "bias"));
    }
  }

  void start_linear(const std::string& weight, const std::string& bias) {
    const Tensor& values = values_.at(weight);
    const auto bound = [](int64_t size) { return 1.0 / std::sqrt(static_cast<double>(size)); };
    switch (initialization_.linear) {
      case Initialization::Linear::kFeatures:
        uniform(weight, bound(values.size(1)));
        if (!bias.empty()) uniform(bias, bound(values.size(1)));
        break;
      case Initialization::Linear::kNormal:
        normal(weight, 0.01);
        break;
      case Initialization::Linear::kClasses:
        uniform(weight, bound(values.size(0)));
        break;
    }
  }

  void normal(const std::string& name, double deviation) {
    fill(name, [&](Random& random) { return deviation * random.normal(); });
  }
  void uniform(const std::string& name, double bound) {
    fill(name, [&](Random& random) { return bound * (2.0 * random.uniform() - 1.0); });
  }

  template <typename Draw>
  void fill(const std::string& name, Draw draw) {
    Random random(seed_, "initial value of " + name);
    Tensor& values = values_.at(name);
    float* value = values.data_ptr<float>();
    for (int64_t i = 0; i < values.numel(); ++i) value[i] = static_cast<float>(draw(random));
  }

  // Of the tensor that a node's argument is; empty if it has none.
  std::string name(const GraphNode& node, const char* argument) const {
    const auto value = node.value(argument);
    return value ? names_.at(*value) : "";
  }

  Initialization initialization_;
  uint64_t seed_;
  StateDict values_;
  std::map<size_t, std::string> names_;  // by value
};

}  // namespace

StateDict initial_values(const Graph& graph, const Initialization& initialization, uint64_t seed) {
  return InitialValues(graph, initialization, seed).take();
}

}  // namespace qbitopt
