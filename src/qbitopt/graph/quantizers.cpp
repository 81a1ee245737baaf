#include "qbitopt/graph/quantizers.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "qbitopt/core/patterns.h"

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

// The names of the arguments that a matrix product multiplies; nulls: it is none.
std::pair<const char*, const char*> operands_of(const GraphNode& node) {
  static const std::map<std::string_view, std::pair<const char*, const char*>> products = {
      {"matmul", {"self", "other"}},
      {"mm", {"self", "mat2"}},
      {"bmm", {"self", "mat2"}},
      {"baddbmm", {"batch1", "batch2"}}};
  const auto found = products.find(node.plain_name());
  const bool is_product = node.target.starts_with("aten.") && found != products.end() &&
                          node.value(found->second.first) && node.value(found->second.second);
  return is_product ? found->second : std::pair<const char*, const char*>{};
}

void set_value(GraphNode& node, std::string_view argument, size_t value) {
  for (NamedArgument& given : node.arguments) {
    if (given.name == argument) given.value = ValueRef{value};
  }
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
  Inserter(Graph graph, bool quantizes_products)
      : dependence_(graph), ranges_(graph), quantizes_products_(quantizes_products) {
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
      if (quantizes_products_) add_product(node);
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
    set_value(node, "input", quantized_.at({false, input}));
    set_value(node, "weight", quantized_.at({true, weight}));
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
    set_value(node, argument, quantized_.at({false, factors}));
    result_.gates.push_back({result_.graph.nodes.size(), site});
  }

  void add_product(GraphNode& node) {
    const auto [left, right] = operands_of(node);
    if (!left || !dependence_.on_images[*node.value(left)] ||
        !dependence_.on_images[*node.value(right)]) {
      return;
    }
    const std::string path = node.module.empty() ? "matmul" : node.module + ".matmul";
    const size_t first = *node.value(left), second = *node.value(right);
    GraphProduct product;
    product.left_site = site_of(first, path + ".left", /*is_weight=*/false, node.module);
    product.right_site = site_of(second, path + ".right", /*is_weight=*/false, node.module);
    set_value(node, left, quantized_.at({false, first}));
    set_value(node, right, quantized_.at({false, second}));
    product.node = result_.graph.nodes.size();
    result_.products.push_back(product);
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
  const bool quantizes_products_;
  QuantizedGraph result_;
  std::map<size_t, const GraphTensor*> owners_;          // by value
  std::set<size_t> factors_;                             // values between 0 and 1
  std::map<std::pair<bool, size_t>, size_t> sites_;      // of a weight? by value
  std::map<std::pair<bool, size_t>, size_t> quantized_;  // likewise: the value handed on
  std::set<std::pair<bool, std::string>> paths_;
};

// Takes sites out of a graph. What remains is numbered anew, and keeps its name.
class Remover {
 public:
  Remover(QuantizedGraph quantized, const std::vector<std::string>& skip)
      : result_(std::move(quantized)), renumbered_(result_.sites.size()) {
    std::vector<GraphSite> kept;
    for (size_t i = 0; i < result_.sites.size(); ++i) {
      if (matches_any(skip, result_.sites[i].name())) continue;
      renumbered_[i] = kept.size();
      kept.push_back(std::move(result_.sites[i]));
    }
    result_.sites = std::move(kept);
  }

  QuantizedGraph remove() {
    if (result_.sites.empty())
      throw BadGraph("has nothing to quantize: quantizers.skip leaves no quantizer");
    std::vector<size_t> moved(result_.graph.nodes.size());  // node -> its new number
    std::vector<GraphNode> before = std::move(result_.graph.nodes);
    result_.graph.nodes.clear();
    for (size_t i = 0; i < before.size(); ++i) {
      GraphNode& node = before[i];
      moved[i] = result_.graph.nodes.size();
      if (node.target == kQuantize && is_removed(node)) continue;
      for (NamedArgument& argument : node.arguments) {
        const auto* ref = std::get_if<ValueRef>(&argument.value);
        if (!ref) continue;
        if (const auto plain = unquantized_.find(ref->value); plain != unquantized_.end())
          argument.value = ValueRef{plain->second};
      }
      result_.graph.nodes.push_back(std::move(node));
    }
    for (GraphLayer& layer : result_.layers) {
      layer.node = moved[layer.node];
      layer.input_site = renumbered_[*layer.input_site];
      layer.weight_site = renumbered_[*layer.weight_site];
    }
    std::vector<GraphGate> gates;
    for (const GraphGate& gate : result_.gates) {
      if (const auto site = renumbered_[gate.site]) gates.push_back({moved[gate.node], *site});
    }
    result_.gates = std::move(gates);
    for (GraphProduct& product : result_.products) {
      product = {moved[product.node], renumbered_[*product.left_site],
                 renumbered_[*product.right_site]};
    }
    return std::move(result_);
  }

 private:
  // Gives a quantizer that stays its new number.
  bool is_removed(GraphNode& node) {
    for (NamedArgument& argument : node.arguments) {
      if (argument.name != "site") continue;
      const auto site = renumbered_[static_cast<size_t>(std::get<int64_t>(argument.value))];
      if (site) {
        argument.value = static_cast<int64_t>(*site);
        return false;
      }
    }
    unquantized_[node.outputs.front()] = *node.value("input");
    return true;
  }

  QuantizedGraph result_;
  std::vector<std::optional<size_t>> renumbered_;  // site -> its new number; nullopt: taken out
  std::map<size_t, size_t> unquantized_;           // what a quantizer handed on -> what it read
};

// Replaces one scaled_dot_product_attention.
class AttentionWriter {
 public:
  AttentionWriter(Graph& graph, std::vector<GraphNode>& nodes, const GraphNode& attention)
      : graph_(graph), nodes_(nodes), attention_(attention) {}

  void write() {
    const auto query = attention_.value("query"), key = attention_.value("key"),
               value = attention_.value("value");
    if (!query || !key || !value || attention_.outputs.size() != 1) refuse("lacks an argument");
    if (attention_.number("dropout_p", 0) != 0)
      refuse("drops out weights; export the module in evaluation mode");
    if (const auto* grouped = attention_.find("enable_gqa");
        grouped && std::holds_alternative<bool>(*grouped) && std::get<bool>(*grouped))
      refuse("groups queries (enable_gqa)");
    const std::vector<int64_t> queries = shape(*query), keys = shape(*key);
    if (queries.size() < 2 || keys.size() < 2 || queries.back() <= 0)
      refuse("reads tensors of unknown size");
    std::vector<int64_t> transposed = keys, products = queries;
    std::swap(transposed[keys.size() - 1], transposed[keys.size() - 2]);
    products.back() = transposed.back();
    const int64_t last = -1, second_last = -2;
    size_t scores =
        add("transpose.int", {{"self", ValueRef{*key}}, {"dim0", second_last}, {"dim1", last}},
            transposed);
    scores =
        add("matmul.default", {{"self", ValueRef{*query}}, {"other", ValueRef{scores}}}, products);
    const double scale =
        attention_.number("scale", 1 / std::sqrt(static_cast<double>(queries.back())));
    scores = add("mul.Tensor", {{"self", ValueRef{scores}}, {"other", scale}}, products);
    scores = add_mask(scores, products);
    scores = add("softmax.int", {{"self", ValueRef{scores}}, {"dim", last}}, products);
    nodes_.push_back({.target = "aten.matmul.default",
                      .arguments = {{"self", ValueRef{scores}}, {"other", ValueRef{*value}}},
                      .outputs = attention_.outputs,
                      .module = attention_.module});
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw BadGraph("cannot have quantizers in attention (quantizers.products): " +
                   attention_.target + " in module '" + attention_.module + "' " + why);
  }

  const std::vector<int64_t>& shape(size_t value) const { return graph_.values[value].shape; }

  size_t add(const std::string& operation, std::vector<NamedArgument> arguments,
             std::vector<int64_t> shape, const std::string& type = "F32") {
    const size_t output = graph_.values.size();
    graph_.values.push_back(
        {.name = graph_.values[attention_.outputs.front()].name + " step " + std::to_string(output),
         .type = type,
         .shape = std::move(shape)});
    nodes_.push_back({.target = "aten." + operation,
                      .arguments = std::move(arguments),
                      .outputs = {output},
                      .module = attention_.module});
    return output;
  }

  size_t add_mask(size_t scores, const std::vector<int64_t>& products) {
    if (const auto mask = attention_.value("attn_mask")) {
      if (graph_.values[*mask].type == "BOOL") return hide(scores, *mask, products);
      scores =
          add("add.Tensor", {{"self", ValueRef{scores}}, {"other", ValueRef{*mask}}}, products);
    }
    const auto* causal = attention_.find("is_causal");
    if (!causal || !std::holds_alternative<bool>(*causal) || !std::get<bool>(*causal))
      return scores;
    const std::vector<int64_t> square(products.end() - 2, products.end());
    if (square[0] <= 0 || square[1] <= 0) refuse("is causal over tokens of unknown number");
    const size_t all = add("ones.default",
                           {{"size", std::vector<ListItem>{square[0], square[1]}},
                            {"dtype", TypeArgument{"BOOL"}},
                            {"device", DeviceArgument{}}},
                           square, "BOOL");
    return hide(scores, add("tril.default", {{"self", ValueRef{all}}}, square, "BOOL"), products);
  }

  // Of the scores, those where `seen` is false.
  size_t hide(size_t scores, size_t seen, const std::vector<int64_t>& products) {
    const size_t hidden =
        add("logical_not.default", {{"self", ValueRef{seen}}}, shape(seen), "BOOL");
    return add("masked_fill.Scalar",
               {{"self", ValueRef{scores}},
                {"mask", ValueRef{hidden}},
                {"value", -std::numeric_limits<double>::infinity()}},
               products);
  }

  Graph& graph_;
  std::vector<GraphNode>& nodes_;
  const GraphNode& attention_;
};

}  // namespace

std::string GraphSite::name() const {
  const char* tensor = is_weight ? "weight" : "input";
  return layer.empty() ? tensor : layer + "." + tensor;
}

QuantizedGraph insert_quantizers(Graph graph, const QuantizerPlacement& placement) {
  if (placement.products) graph = decompose_attention(std::move(graph));
  QuantizedGraph quantized = Inserter(std::move(graph), placement.products).insert();
  std::vector<std::string> names;
  for (const GraphSite& site : quantized.sites) names.push_back(site.name());
  const std::string unmatched = unmatched_pattern("quantizer", placement.skip, names);
  if (!unmatched.empty()) throw BadGraph("does not fit quantizers.skip: " + unmatched);
  return placement.skip.empty() ? quantized
                                : Remover(std::move(quantized), placement.skip).remove();
}

Graph decompose_attention(Graph graph) {
  const std::vector<GraphNode> before = std::move(graph.nodes);
  graph.nodes.clear();
  for (const GraphNode& node : before) {
    if (node.operation() == "aten.scaled_dot_product_attention") {
      AttentionWriter(graph, graph.nodes, node).write();
    } else {
      graph.nodes.push_back(node);
    }
  }
  return graph;
}

}  // namespace qbitopt
