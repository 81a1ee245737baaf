#pragma once

#include <ATen/core/dispatch/Dispatcher.h>

#include <string>
#include <variant>
#include <vector>

#include "qbitopt/graph/graph.h"
#include "qbitopt/quant/torch.h"

namespace qbitopt {

// One operator of PyTorch with its arguments, found in LibTorch by its name: no code here knows any
// operator. What a node leaves out has the schema's default. The argument "train" or "training"
// follows the network's mode, whatever the export said.
class OperatorCall {
 public:
  // `node`: of a target like "aten.conv2d.default". Throws BadGraph for an operator that LibTorch
  // has not, and for arguments that do not fit its schema.
  OperatorCall(const Graph& graph, const GraphNode& node);

  struct Mode {
    bool is_training = false;
    torch::Device device = torch::kCPU;  // of the tensors that the operator makes
  };
  // Reads and writes `values`, one for each of the graph's. Gradients flow as in PyTorch. Throws
  // c10::Error with the node's name for what LibTorch refuses.
  void run(std::vector<c10::IValue>& values, const Mode& mode) const;

 private:
  struct FromMode {};
  struct FromDevice {};
  struct Number {  // a whole number where a tensor is expected
    size_t value = 0;
  };
  struct List {
    enum class Kind { kTensors, kOptionalTensors, kInts };  // only lists that hold values
    Kind kind = Kind::kInts;
    std::vector<ListItem> items;
  };
  using Argument = std::variant<c10::IValue, ValueRef, Number, List, FromMode, FromDevice>;

  Argument argument(const Graph& graph, const GraphNode& node, const c10::Argument& expected) const;
  Argument list(const Graph& graph, const std::vector<ListItem>& items,
                const c10::Argument& expected, const c10::TypePtr& element) const;
  [[noreturn]] void refuse(const std::string& why) const;
  static c10::IValue make(const List& list, const std::vector<c10::IValue>& values);

  std::string place_;  // "aten.conv2d.default in module 'layer1.0.conv1'"
  c10::OperatorHandle operator_;
  std::vector<Argument> arguments_;  // in the schema's order
  std::vector<size_t> outputs_;
};

// "aten.conv2d.default in module 'layer1.0.conv1'".
std::string place_of(const GraphNode& node);

}  // namespace qbitopt
