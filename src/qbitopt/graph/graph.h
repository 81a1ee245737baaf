#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "qbitopt/weights/tensor_index.h"

namespace qbitopt {

// A network as plain data: operators in the order of execution, each with named arguments, some of
// which are values that inputs, parameters or earlier operators make. Everything that reads,
// changes or runs a network works on this; it knows no LibTorch.

// Index into Graph::values.
struct ValueRef {
  size_t value = 0;
  bool operator==(const ValueRef&) const = default;
};

// Arguments that stand for a property of tensors. A device is always the one that the network is
// on, and a layout always strided, so neither says more.
struct TypeArgument {
  std::string type;  // as safetensors calls it: "F32"
};
struct DeviceArgument {};
struct LayoutArgument {};
enum class MemoryFormatArgument { kContiguous, kChannelsLast, kChannelsLast3d, kPreserve };

// monostate: None.
using ListItem = std::variant<std::monostate, ValueRef, int64_t, double, bool, std::string>;
using GraphArgument = std::variant<std::monostate, ValueRef, int64_t, double, bool, std::string,
                                   std::vector<ListItem>, TypeArgument, DeviceArgument,
                                   LayoutArgument, MemoryFormatArgument>;

struct NamedArgument {
  std::string name;  // as the operator's schema calls it
  GraphArgument value;
};

struct GraphNode {
  // "aten.conv2d.default", an operator with its overload; "operator.mul", arithmetic on sizes;
  // kQuantize, put in by insert_quantizers().
  std::string target;
  std::vector<NamedArgument> arguments;
  std::vector<size_t> outputs;  // values; a list of tensors counts one by one
  std::string module;           // path of the module that asked for it: "layer1.0.conv1"

  const GraphArgument* find(std::string_view name) const;  // null: left to the schema's default
  // The value of an argument that is one; nullopt if it is absent, None or a constant.
  std::optional<size_t> value(std::string_view name) const;
  // Of an argument that is a number; `otherwise` if it is none, or is not given.
  double number(std::string_view name, double otherwise) const;
  // "aten.conv2d" of "aten.conv2d.default".
  std::string_view operation() const;
  // "conv2d" of "aten.conv2d.default", "relu" of "aten.relu_.default".
  std::string_view plain_name() const;
  // Whether it changes its first argument, as "aten.relu_.default" does.
  bool works_in_place() const;
};

// What a quantizer can apply to a tensor in the pass in which it rounds it.
enum class GraphActivation {
  kIdentity,
  kRelu,
  kRelu6,      // or hardtanh between 0 and 6
  kHardSwish,  // x relu6(x + 3) / 6
};
// The one that a node applies to its argument "self"; kIdentity for every other node.
GraphActivation activation_of(const GraphNode& node);

struct GraphValue {
  std::string name;            // unique
  bool is_tensor = true;       // false: a whole number, made of sizes
  std::string type;            // of a tensor: "F32"
  std::vector<int64_t> shape;  // of a tensor; -1: known when it runs, as the batch is
};

// A tensor that the network owns.
struct GraphTensor {
  enum class Kind { kParameter, kBuffer, kConstant };
  std::string name;  // in the state_dict: "layer1.0.conv1.weight"; of tied weights the first
  Kind kind = Kind::kParameter;  // one that does not learn (requires_grad=False) is a buffer
  size_t value = 0;
  StoredTensor stored;  // where its bytes are in the file that the graph comes from
};

struct Graph {
  std::vector<GraphValue> values;
  std::vector<GraphTensor> tensors;
  std::vector<GraphNode> nodes;  // each after those that make its arguments
  size_t input = 0;              // images: [batch, ...]
  size_t output = 0;             // logits: [batch, classes]
  std::string made_by;           // "torch 2.13.0"; for messages

  int64_t classes() const { return values[output].shape.back(); }
  // Of one image; -1: any size.
  std::vector<int64_t> image_shape() const;
};

// A file that holds no network, or one that cannot be trained here. The text goes on from the
// file's name.
class BadGraph : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Calls `use` with every value that the node's arguments name, lists included.
template <typename Use>
void for_each_value(const GraphNode& node, Use use) {
  for (const NamedArgument& argument : node.arguments) {
    if (const auto* ref = std::get_if<ValueRef>(&argument.value)) use(ref->value);
    const auto* list = std::get_if<std::vector<ListItem>>(&argument.value);
    if (!list) continue;
    for (const ListItem& item : *list) {
      if (const auto* ref = std::get_if<ValueRef>(&item)) use(ref->value);
    }
  }
}

}  // namespace qbitopt
