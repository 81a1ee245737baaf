#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "qbitopt/exporting/onnx_graph.h"
#include "qbitopt/exporting/trace.h"

namespace qbitopt {

// Where the translation of a graph is.
struct TranslationState {
  const Graph& graph;
  const std::vector<TracedValue>& traced;
  OnnxGraph& onnx;
  std::map<size_t, std::string> names = {};  // of the values that are there, by value
  // Of a layer: what stands for its weight and its bias (empty: it has none), see weights.h.
  struct Weights {
    std::string weight, bias;
  };
  std::function<Weights(const GraphNode& node, bool is_transposed)> weights = {};
};

// One operator on its way to ONNX: its arguments, by the names of PyTorch's schema and with its
// defaults, and a place for what it returns.
class TranslatedCall {
 public:
  TranslatedCall(const GraphNode& node, TranslationState& state);

  const GraphNode& node() const { return node_; }
  OnnxGraph& onnx() { return state_.onnx; }

  const std::vector<ListItem>& list(const char* argument) const;
  // Whether the argument is given and not None.
  bool has(const char* argument) const;
  bool is_tensor(const char* argument) const;
  // The ONNX value of a tensor. A number becomes a float32 constant.
  std::string input(const char* argument);
  // The same for arithmetic in float32, which other types are converted to.
  std::string operand(const char* argument);
  // The same as input() of an argument that may be None: then empty.
  std::string optional_input(const char* argument);
  std::vector<std::string> inputs(const char* argument);  // of a list of tensors
  std::string input_of_list(const char* argument, size_t index);
  const TracedValue& traced(const char* argument) const;
  const TracedValue& output(size_t index = 0) const;
  int64_t rank(const char* argument) const { return traced(argument).rank(); }
  // Size of a dimension that does not grow with the images; refused if it does.
  int64_t size(const char* argument, int64_t dimension) const;

  int64_t whole(const char* argument) const;
  double real(const char* argument) const;
  bool truth(const char* argument) const;
  std::string text(const char* argument) const;
  // A list of whole numbers; a single one stands for `count` of them (0: for one).
  std::vector<int64_t> wholes(const char* argument, size_t count = 0) const;
  // A dimension of `argument`, counted from the front; a list of them, all if it is None or empty.
  int64_t dimension(const char* name, const char* argument) const;
  std::vector<int64_t> dimensions(const char* name, const char* argument) const;

  TranslationState::Weights weights(bool is_transposed = false);

  // Adds a node on the way.
  std::string add(const std::string& operation, std::vector<std::string> inputs,
                  OnnxAttributes attributes = {});
  // Adds the node whose output is the operator's.
  void give(const std::string& operation, std::vector<std::string> inputs,
            OnnxAttributes attributes = {});
  void give_several(const std::string& operation, std::vector<std::string> inputs,
                    OnnxAttributes attributes);
  // The operator's output is a value that is there already.
  void give_value(const std::string& value, size_t output = 0);
  // `value` in the shape of the operator's output, or in another one.
  void give_reshaped(const std::string& value);
  std::string reshaped(const std::string& value, const std::vector<TracedSize>& shape);
  // A list of sizes as an ONNX value: for Reshape, where one may stand for what is left; and for
  // operators that want all of them, computed from the number of images.
  std::string shape(const std::vector<TracedSize>& sizes);
  std::string full_shape(const std::vector<TracedSize>& sizes);

  [[noreturn]] void refuse(const std::string& why) const;

 private:
  c10::IValue argument(const char* name) const;  // of one that is no tensor
  c10::IValue resolved(const ListItem& item, const char* name) const;
  std::string name_of(size_t value);

  const GraphNode& node_;
  TranslationState& state_;
};

using Translation = void (*)(TranslatedCall&);
// "conv2d" -> its translation; by GraphNode::plain_name().
using Translations = std::map<std::string_view, Translation>;

// Null: there is none.
Translation find_translation(const GraphNode& node);

// One file each below operators/.
const Translations& layer_operators();       // convolutions and linear layers
const Translations& norm_operators();        // batch, layer, group and instance norm
const Translations& activation_operators();  // functions of one value
const Translations& arithmetic_operators();  // sums, products, means
const Translations& pooling_operators();
const Translations& shape_operators();      // reshaping, permuting, cutting, joining
const Translations& attention_operators();  // products of two computed tensors, softmax
const Translations& resizing_operators();   // nearest, linear, cubic

}  // namespace qbitopt
