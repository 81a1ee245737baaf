#include "qbitopt/graph/graph.h"

#include <algorithm>

namespace qbitopt {

const GraphArgument* GraphNode::find(std::string_view name) const {
  for (const NamedArgument& argument : arguments) {
    if (argument.name == name) return &argument.value;
  }
  return nullptr;
}

std::optional<size_t> GraphNode::value(std::string_view name) const {
  const GraphArgument* argument = find(name);
  const auto* ref = argument ? std::get_if<ValueRef>(argument) : nullptr;
  return ref ? std::optional(ref->value) : std::nullopt;
}

double GraphNode::number(std::string_view name, double otherwise) const {
  const GraphArgument* argument = find(name);
  if (argument && std::holds_alternative<int64_t>(*argument))
    return static_cast<double>(std::get<int64_t>(*argument));
  if (argument && std::holds_alternative<double>(*argument)) return std::get<double>(*argument);
  return otherwise;
}

std::string_view GraphNode::operation() const {
  const std::string_view all = target;
  return all.substr(0, all.rfind('.'));
}

std::string_view GraphNode::plain_name() const {
  std::string_view name = operation();
  name.remove_prefix(std::min(name.size(), name.find('.') + 1));
  if (works_in_place()) name.remove_suffix(1);
  return name;
}

bool GraphNode::works_in_place() const {
  const std::string_view name = operation();
  return name.size() > 1 && name.ends_with('_') && !name.ends_with("._");
}

GraphActivation activation_of(const GraphNode& node) {
  const std::string_view name = node.plain_name();
  if (!node.target.starts_with("aten.") || !node.value("self") || node.outputs.size() != 1)
    return GraphActivation::kIdentity;
  if (name == "relu") return GraphActivation::kRelu;
  if (name == "hardswish") return GraphActivation::kHardSwish;
  const bool clips_at_6 = node.number("min_val", -1) == 0 && node.number("max_val", 1) == 6;
  if (name == "relu6" || (name == "hardtanh" && clips_at_6)) return GraphActivation::kRelu6;
  return GraphActivation::kIdentity;
}

std::vector<int64_t> Graph::image_shape() const {
  const std::vector<int64_t>& shape = values[input].shape;
  return {shape.begin() + 1, shape.end()};
}

}  // namespace qbitopt
