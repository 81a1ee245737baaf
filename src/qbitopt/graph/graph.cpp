#include "qbitopt/graph/graph.h"

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

std::string_view GraphNode::operation() const {
  const std::string_view all = target;
  return all.substr(0, all.rfind('.'));
}

std::vector<int64_t> Graph::image_shape() const {
  const std::vector<int64_t>& shape = values[input].shape;
  return {shape.begin() + 1, shape.end()};
}

}  // namespace qbitopt
