#include "qbitopt/graph/activations.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

// Graphs of exported networks hold operators that change a tensor in place. An activation may be
// computed elsewhere or later only if nobody notices: no other node reads the memory that it
// changes afterwards, and none changes what it reads in between.
namespace qbitopt {
namespace {

// Their outputs are tensors of their own; those of other operators may be views of what they read.
const std::set<std::string_view> kMakesATensor = {"conv1d",
                                                  "conv2d",
                                                  "conv3d",
                                                  "conv_transpose1d",
                                                  "conv_transpose2d",
                                                  "conv_transpose3d",
                                                  "linear",
                                                  "batch_norm",
                                                  "group_norm",
                                                  "layer_norm",
                                                  "add",
                                                  "sub",
                                                  "mul",
                                                  "div",
                                                  "cat",
                                                  "max_pool2d",
                                                  "avg_pool2d",
                                                  "mean",
                                                  "relu",
                                                  "relu6",
                                                  "hardtanh",
                                                  "hardswish",
                                                  "hardsigmoid",
                                                  "sigmoid",
                                                  "silu",
                                                  "gelu",
                                                  "matmul"};

// Which values may share memory, and which nodes read and change it.
class Sharing {
 public:
  explicit Sharing(const Graph& graph)
      : graph_(graph),
        parent_(graph.values.size()),
        reads_(graph.values.size()),
        maker_(graph.values.size()),
        memory_(graph.values.size()) {
    std::iota(parent_.begin(), parent_.end(), size_t{0});
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      const GraphNode& node = graph.nodes[i];
      for_each_value(node, [&](size_t value) { ++reads_[value]; });
      for (const size_t output : node.outputs) maker_[output] = i;
      join_outputs(node);
    }
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      const GraphNode& node = graph.nodes[i];
      for_each_value(node, [&](size_t value) { memory_[root(value)].readers.push_back(i); });
      if (const auto changed = changed_by(node)) memory_[root(*changed)].changers.push_back(i);
    }
  }

  // The node that computes a value; none for an input and the network's own tensors.
  std::optional<size_t> maker(size_t value) const { return maker_[value]; }

  bool is_read_once(size_t value) const { return reads_[value] == 1 && value != graph_.output; }

  // Whether the node `activation` may be computed only when its one reader `reader` is.
  bool may_wait(size_t activation, size_t reader) {
    const GraphNode& node = graph_.nodes[activation];
    const size_t self = root(*node.value("self"));
    const auto& [readers, changers] = memory_[self];
    const auto later = [&](const std::vector<size_t>& nodes) {
      return std::upper_bound(nodes.begin(), nodes.end(), activation);
    };
    if (node.works_in_place()) {
      return self != root(graph_.output) &&
             std::all_of(later(readers), readers.end(), [&](size_t i) { return i == reader; });
    }
    const auto change = later(changers);
    return change == changers.end() || *change >= reader;
  }

 private:
  struct Memory {
    std::vector<size_t> readers, changers;  // nodes, ascending
  };

  static std::optional<size_t> changed_by(const GraphNode& node) {
    if (!node.works_in_place() || node.arguments.empty()) return std::nullopt;
    const auto* ref = std::get_if<ValueRef>(&node.arguments.front().value);
    return ref ? std::optional(ref->value) : std::nullopt;
  }

  void join_outputs(const GraphNode& node) {
    // What a quantizer hands on is read by layers only.
    const bool is_new = node.target == kQuantize || kMakesATensor.count(node.plain_name()) != 0;
    if (is_new && !node.works_in_place()) return;
    for (const size_t output : node.outputs) {
      if (const auto changed = changed_by(node)) {
        join(output, *changed);
      } else {
        for_each_value(node, [&](size_t value) { join(output, value); });
      }
    }
  }

  size_t root(size_t value) {
    while (parent_[value] != value) value = parent_[value] = parent_[parent_[value]];
    return value;
  }

  void join(size_t a, size_t b) { parent_[root(a)] = root(b); }

  const Graph& graph_;
  std::vector<size_t> parent_;  // of a forest of values; the values of a tree may share memory
  std::vector<size_t> reads_;   // of each value
  std::vector<std::optional<size_t>> maker_;
  std::vector<Memory> memory_;  // of each root
};

}  // namespace

Graph pool_before_activations(Graph graph) {
  Sharing sharing(graph);
  std::vector<std::pair<size_t, size_t>> pairs;  // activation, pool
  for (size_t pool = 0; pool < graph.nodes.size(); ++pool) {
    const GraphNode& node = graph.nodes[pool];
    const auto read = node.value("self");
    size_t values = 0;
    for_each_value(node, [&](size_t) { ++values; });
    const bool is_plain = read && values == 1 && node.outputs.size() == 1;
    if (node.target != "aten.max_pool2d.default" || !is_plain) continue;
    const auto activation = sharing.maker(*read);
    if (!activation) continue;
    const GraphActivation kind = activation_of(graph.nodes[*activation]);
    const bool is_monotone = kind == GraphActivation::kRelu || kind == GraphActivation::kRelu6;
    if (is_monotone && sharing.is_read_once(*read) && sharing.may_wait(*activation, pool))
      pairs.emplace_back(*activation, pool);
  }
  for (const auto& [activation, pool] : pairs) {
    // From self -> activation -> between -> pool -> output
    //   to self -> pool -> between -> activation -> output.
    const GraphNode &clips = graph.nodes[activation], &pools = graph.nodes[pool];
    const ValueRef self{*clips.value("self")};
    const size_t between = clips.outputs.front(), output = pools.outputs.front();
    graph.values[between].shape = graph.values[output].shape;
    const auto rewired = [](GraphNode node, ValueRef reads, size_t makes) {
      for (NamedArgument& argument : node.arguments) {
        if (argument.name == "self") argument.value = reads;
      }
      node.outputs = {makes};
      return node;
    };
    GraphNode first = rewired(pools, self, between);
    GraphNode second = rewired(clips, {between}, output);
    graph.nodes[activation] = std::move(first);
    graph.nodes[pool] = std::move(second);
  }
  return graph;
}

QuantizedGraph absorb_activations(QuantizedGraph quantized) {
  Sharing sharing(quantized.graph);
  for (size_t i = 0; i < quantized.graph.nodes.size(); ++i) {
    const GraphNode& node = quantized.graph.nodes[i];
    if (node.target != kQuantize) continue;
    const size_t read = *node.value("input");
    const auto maker = sharing.maker(read);
    if (!maker) continue;
    const GraphActivation activation = activation_of(quantized.graph.nodes[*maker]);
    if (activation == GraphActivation::kIdentity || !sharing.is_read_once(read)) continue;
    GraphSite& site = quantized.sites[static_cast<size_t>(std::get<int64_t>(*node.find("site")))];
    if (!site.is_weight && sharing.may_wait(*maker, i)) site.absorbs = activation;
  }
  return quantized;
}

QuantizedGraph quantize(Graph graph, const QuantizerPlacement& placement) {
  return absorb_activations(
      insert_quantizers(pool_before_activations(std::move(graph)), placement));
}

}  // namespace qbitopt
