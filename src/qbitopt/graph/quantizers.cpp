#include "qbitopt/graph/quantizers.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace qbitopt {
namespace {

using Grid = GraphSite::Grid;

const std::set<std::string_view> kLayers = {
    "conv1d",           "conv2d",           "conv3d", "conv_transpose1d",
    "conv_transpose2d", "conv_transpose3d", "linear"};

const std::set<std::string_view> kNeverNegative = {
    "relu", "relu6", "sigmoid", "softmax", "_softmax", "hardsigmoid", "softplus", "_safe_softmax"};
// Outputs lie between 0 and 1, each for itself.
const std::set<std::string_view> kFactors = {"sigmoid", "hardsigmoid"};
const std::set<std::string_view> kSlightlyNegative = {"hardswish", "silu", "gelu", "mish"};

// Outputs are values of the input, their means or zeros.
const std::set<std::string_view> kKeepRange = {"adaptive_avg_pool1d",
                                               "adaptive_avg_pool2d",
                                               "adaptive_max_pool2d",
                                               "alias",
                                               "amax",
                                               "avg_pool1d",
                                               "avg_pool2d",
                                               "channel_shuffle",
                                               "chunk",
                                               "clone",
                                               "contiguous",
                                               "detach",
                                               "dropout",
                                               "dropout1d",
                                               "dropout2d",
                                               "dropout3d",
                                               "expand",
                                               "expand_as",
                                               "feature_dropout",
                                               "flatten",
                                               "flip",
                                               "index_select",
                                               "max_pool1d",
                                               "max_pool2d",
                                               "max_pool2d_with_indices",
                                               "mean",
                                               "movedim",
                                               "narrow",
                                               "permute",
                                               "pixel_shuffle",
                                               "pixel_unshuffle",
                                               "repeat",
                                               "reshape",
                                               "reshape_as",
                                               "roll",
                                               "select",
                                               "slice",
                                               "split",
                                               "split_with_sizes",
                                               "squeeze",
                                               "sum",
                                               "t",
                                               "to",
                                               "transpose",
                                               "unbind",
                                               "unflatten",
                                               "unsafe_chunk",
                                               "unsafe_split",
                                               "unsqueeze",
                                               "upsample_bilinear2d",
                                               "upsample_nearest2d",
                                               "view",
                                               "view_as"};

bool is_layer(const GraphNode& node) {
  return node.target.starts_with("aten.") && kLayers.count(node.plain_name()) != 0 &&
         node.value("input") && node.value("weight");
}

// Where the values of each tensor lie, in the order of execution.
class Ranges {
 public:
  explicit Ranges(const Graph& graph) : grids_(graph.values.size(), Grid::kSigned) {
    for (const GraphNode& node : graph.nodes) {
      const Grid grid = of_node(node);
      for (const size_t output : node.outputs) grids_[output] = grid;
    }
  }

  Grid operator[](size_t value) const { return grids_[value]; }

 private:
  Grid of_node(const GraphNode& node) const {
    const std::string_view name = node.plain_name();
    if (kNeverNegative.count(name)) return Grid::kUnsigned;
    if (kSlightlyNegative.count(name)) return Grid::kOffset;
    if (name == "hardtanh") return from(node.number("min_val", -1));
    if (name == "clamp" || name == "clamp_min") return from(node.number("min", -1));
    if (kKeepRange.count(name)) return of_first(node);
    if (name == "pad" || name == "constant_pad_nd")
      return node.number("value", 0) >= 0 ? of_first(node) : Grid::kSigned;
    if (name == "cat" || name == "stack" || name == "concat") return widest(node);
    if (name == "add") return has_factor(node) ? Grid::kSigned : widest(node);
    if (name == "mul") return of_product(node);
    if (name == "div" && !node.value("other"))
      return node.number("other", -1) > 0 ? of_first(node) : Grid::kSigned;
    return Grid::kSigned;
  }

  static Grid from(double minimum) { return minimum >= 0 ? Grid::kUnsigned : Grid::kSigned; }

  Grid of_first(const GraphNode& node) const {
    for (const char* name : {"self", "input", "tensor"}) {
      if (const auto value = node.value(name)) return grids_[*value];
    }
    return Grid::kSigned;
  }

  // Of values that are each one of the arguments', or a sum of them.
  Grid widest(const GraphNode& node) const {
    Grid grid = Grid::kUnsigned;
    bool is_any = false;
    for_each_value(node, [&](size_t value) {
      is_any = true;
      const Grid other = grids_[value];
      if (other == Grid::kSigned || grid == Grid::kSigned) grid = Grid::kSigned;
      if (other == Grid::kOffset && grid == Grid::kUnsigned) grid = Grid::kOffset;
    });
    const bool adds_less = node.number("other", 0) < 0;
    return is_any && !adds_less ? grid : Grid::kSigned;
  }

  static bool has_factor(const GraphNode& node) { return node.number("alpha", 1) < 0; }

  // A factor that is never negative keeps the range of the other.
  Grid of_product(const GraphNode& node) const {
    const auto other = node.value("other");
    if (!other) return node.number("other", -1) >= 0 ? of_first(node) : Grid::kSigned;
    const Grid left = of_first(node), right = grids_[*other];
    if (left == Grid::kUnsigned) return right;
    return right == Grid::kUnsigned ? left : Grid::kSigned;
  }

  std::vector<Grid> grids_;
};

// Which values follow from the images, and which from a layer.
struct Dependence {
  std::vector<bool> on_images, on_layer, feeds_layer, feeds_logits;

  explicit Dependence(const Graph& graph)
      : on_images(graph.values.size()),
        on_layer(graph.values.size()),
        feeds_layer(graph.values.size()),
        feeds_logits(graph.values.size()) {
    on_images[graph.input] = true;
    for (const GraphNode& node : graph.nodes) {
      bool images = false, layer = false;
      for_each_value(node, [&](size_t value) {
        images = images || on_images[value];
        layer = layer || on_layer[value];
      });
      layer = layer || (is_layer(node) && !on_images[*node.value("weight")]);
      for (const size_t output : node.outputs) {
        on_images[output] = images;
        on_layer[output] = layer && images;
      }
    }
    feeds_logits[graph.output] = true;
    for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
      bool layer = is_layer(*node) && !on_images[*node->value("weight")], logits = false;
      for (const size_t output : node->outputs) {
        layer = layer || feeds_layer[output];
        logits = logits || feeds_logits[output];
      }
      for_each_value(*node, [&](size_t value) {
        feeds_layer[value] = feeds_layer[value] || (layer && logits);
        feeds_logits[value] = feeds_logits[value] || logits;
      });
    }
  }
};

class Inserter {
 public:
  explicit Inserter(Graph graph) : dependence_(graph), ranges_(graph) {
    result_.graph = std::move(graph);
    for (const GraphTensor& tensor : result_.graph.tensors) owners_[tensor.value] = &tensor;
    for (const GraphNode& node : result_.graph.nodes) {
      if (!kFactors.count(node.plain_name())) continue;
      for (const size_t output : node.outputs) factors_.insert(output);
    }
  }

  QuantizedGraph insert() {
    std::vector<GraphNode> before = std::move(result_.graph.nodes);
    result_.graph.nodes.clear();
    for (GraphNode& node : before) {
      if (is_layer(node) && !dependence_.on_images[*node.value("weight")]) add_layer(node);
      if (const char* argument = factor_of(node)) add_gate(node, argument);
      result_.graph.nodes.push_back(std::move(node));
    }
    if (result_.layers.empty()) {
      throw BadGraph(
          "has nothing to quantize: no convolution (conv1d, conv2d, conv3d) and no linear layer");
    }
    return std::move(result_);
  }

 private:
  // The node is added by the caller, after the quantizers that it reads.
  void add_layer(GraphNode& node) {
    const size_t input = *node.value("input"), weight = *node.value("weight");
    const std::string path = path_of(weight, node);
    GraphLayer layer;
    layer.input_site = site_of(input, path, /*is_weight=*/false, node.module);
    layer.weight_site = site_of(weight, path, /*is_weight=*/true, node.module);
    layer.is_first = dependence_.on_images[input] && !dependence_.on_layer[input];
    const size_t output = node.outputs.empty() ? input : node.outputs.front();
    layer.is_last = dependence_.feeds_logits[output] && !dependence_.feeds_layer[output];
    for (NamedArgument& argument : node.arguments) {
      if (argument.name == "input") argument.value = ValueRef{quantized_.at({false, input})};
      if (argument.name == "weight") argument.value = ValueRef{quantized_.at({true, weight})};
    }
    layer.node = result_.graph.nodes.size();
    result_.layers.push_back(layer);
  }

  // The name of the argument that holds a gate's factors; null if the node is no gate.
  const char* factor_of(const GraphNode& node) const {
    const auto self = node.value("self"), other = node.value("other");
    if (node.plain_name() != "mul" || !self || !other) return nullptr;
    if (is_factor(*other, *self)) return "other";
    return is_factor(*self, *other) ? "self" : nullptr;
  }

  // One for each channel of `map`, [batch, channels, 1, ...] against [batch, channels, height,
  // ...].
  bool is_factor(size_t value, size_t map) const {
    if (!factors_.count(value) || !dependence_.on_layer[value]) return false;
    const std::vector<int64_t>& own = result_.graph.values[value].shape;
    const std::vector<int64_t>& all = result_.graph.values[map].shape;
    const auto is_one = [](int64_t size) { return size == 1; };
    return own.size() >= 3 && own.size() == all.size() && own[1] == all[1] &&
           std::all_of(own.begin() + 2, own.end(), is_one) &&
           !std::all_of(all.begin() + 2, all.end(), is_one);
  }

  void add_gate(GraphNode& node, const char* argument) {
    const size_t factors = *node.value(argument);
    const std::string path = node.module.empty() ? "gate" : node.module + ".gate";
    const size_t site = site_of(factors, path, /*is_weight=*/false, node.module);
    for (NamedArgument& given : node.arguments) {
      if (given.name == argument) given.value = ValueRef{quantized_.at({false, factors})};
    }
    result_.gates.push_back({result_.graph.nodes.size(), site});
  }

  size_t site_of(size_t value, const std::string& path, bool is_weight, const std::string& module) {
    const auto [known, is_new] = sites_.try_emplace({is_weight, value}, result_.sites.size());
    if (!is_new) return known->second;
    GraphSite site{.layer = unique(path, is_weight), .is_weight = is_weight};
    // By value, not by reference: the list of values grows below.
    const GraphValue read = result_.graph.values[value];
    if (!is_weight) site.grid = ranges_[value];
    if (is_weight && !read.shape.empty()) site.channels = read.shape.front();
    const size_t output = result_.graph.values.size();
    result_.graph.values.push_back(
        {.name = site.name() + " quantized", .type = read.type, .shape = read.shape});
    const auto number = static_cast<int64_t>(result_.sites.size());
    result_.graph.nodes.push_back({.target = kQuantize,
                                   .arguments = {{"input", ValueRef{value}}, {"site", number}},
                                   .outputs = {output},
                                   .module = module});
    quantized_[{is_weight, value}] = output;
    result_.sites.push_back(std::move(site));
    return known->second;
  }

  // "fc" for the parameter "fc.weight", "attn.in_proj" for "attn.in_proj_weight"; the calling
  // module for a weight that is computed.
  std::string path_of(size_t weight, const GraphNode& node) const {
    const auto owner = owners_.find(weight);
    if (owner == owners_.end()) return node.module;
    std::string name = owner->second->name;
    if (name == "weight") return "";
    for (const std::string_view end : {".weight", "_weight"}) {
      if (name.size() > end.size() && name.ends_with(end))
        return name.substr(0, name.size() - end.size());
    }
    return name;
  }

  // A layer that is called on several tensors has an input site for each: "head", "head_2", ...
  std::string unique(const std::string& path, bool is_weight) {
    std::string name = path;
    for (int count = 2; !paths_.insert({is_weight, name}).second; ++count)
      name = (path.empty() ? "call" : path) + "_" + std::to_string(count);
    return name;
  }

  const Dependence dependence_;
  const Ranges ranges_;
  QuantizedGraph result_;
  std::map<size_t, const GraphTensor*> owners_;          // by value
  std::set<size_t> factors_;                             // values between 0 and 1
  std::map<std::pair<bool, size_t>, size_t> sites_;      // of a weight? by value
  std::map<std::pair<bool, size_t>, size_t> quantized_;  // likewise: the value handed on
  std::set<std::pair<bool, std::string>> paths_;
};

}  // namespace

std::string GraphSite::name() const {
  const char* tensor = is_weight ? "weight" : "input";
  return layer.empty() ? tensor : layer + "." + tensor;
}

QuantizedGraph insert_quantizers(Graph graph) { return Inserter(std::move(graph)).insert(); }

}  // namespace qbitopt
