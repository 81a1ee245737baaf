#include "qbitopt/exporting/folding.h"

#include "qbitopt/exporting/integer_grid.h"
#include "qbitopt/exporting/operators.h"

namespace qbitopt {
namespace {

// Runtimes keep a bias as int32, in steps of the input's scale times the weight's.
constexpr double kMostBiasSteps = 1 << 30;

class FoldFinder {
 public:
  FoldFinder(const GraphNetwork& network, const std::vector<TracedValue>& traced)
      : network_(network), graph_(network.graph()), traced_(traced), readers_(traced.size()) {
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      for_each_value(graph_.nodes[i], [&](size_t value) { ++readers_[value]; });
      for (const size_t output : graph_.nodes[i].outputs) makers_[output] = i;
    }
    ++readers_[graph_.output];
  }

  std::map<size_t, FoldedNorm> find() {
    std::map<size_t, FoldedNorm> folds;
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      const GraphNode& norm = graph_.nodes[i];
      if (norm.plain_name() != "batch_norm" || !norm.value("running_mean")) continue;
      const size_t input = *norm.value("input");
      const auto layer = makers_.find(input);
      if (layer == makers_.end() || readers_[input] != 1 || !is_foldable(layer->second)) continue;
      FoldedNorm fold = folded(i);
      const bool is_finite =
          fold.factor.isfinite().all().item<bool>() && fold.shift.isfinite().all().item<bool>();
      if (is_finite && is_exact(layer->second, fold)) folds[layer->second] = fold;
    }
    return folds;
  }

 private:
  // Its channels are dimension 0 of the weight and dimension 1 of the output.
  bool is_foldable(size_t index) const {
    const GraphNode& node = graph_.nodes[index];
    const std::string_view operation = node.plain_name();
    const bool is_linear = operation == "linear" && traced_[node.outputs.front()].rank() == 2;
    const bool is_layer =
        is_linear || operation == "conv1d" || operation == "conv2d" || operation == "conv3d";
    if (!is_layer || !weight_of(node).defined()) return false;
    return !node.value("bias") || traced_[*node.value("bias")].constant.defined();
  }

  // The float values, also of a quantized weight; undefined if the images change them.
  torch::Tensor weight_of(const GraphNode& layer) const {
    const size_t weight = *layer.value("weight");
    const auto maker = makers_.find(weight);
    if (maker == makers_.end() || graph_.nodes[maker->second].target != kQuantize)
      return traced_[weight].constant;
    return traced_[*graph_.nodes[maker->second].value("input")].constant;
  }

  FoldedNorm folded(size_t index) const {
    const GraphNode& norm = graph_.nodes[index];
    const auto constant = [&](const char* name) {
      return traced_[*norm.value(name)].constant.detach().to(torch::kFloat64);
    };
    const torch::Tensor variance = constant("running_var");
    const double epsilon = std::get<double>(*norm.find("eps"));
    torch::Tensor factor = (variance + epsilon).rsqrt();
    if (norm.value("weight")) factor = factor * constant("weight");
    torch::Tensor shift = -constant("running_mean") * factor;
    if (norm.value("bias")) shift = shift + constant("bias");
    return {index, factor, shift};
  }

  // Null if no quantizer made the value.
  const QuantizerSite* site_of(size_t value) const {
    const auto maker = makers_.find(value);
    if (maker == makers_.end() || graph_.nodes[maker->second].target != kQuantize) return nullptr;
    const auto number = std::get<int64_t>(*graph_.nodes[maker->second].find("site"));
    const QuantizerSite* site = network_.sites().at(static_cast<size_t>(number));
    return site->quantizer() ? site : nullptr;
  }

  bool is_exact(size_t layer, const FoldedNorm& fold) const {
    const GraphNode& node = graph_.nodes[layer];
    const QuantizerSite* site = site_of(*node.value("weight"));
    if (!site) return true;
    const IntegerGrid grid = integer_grid(*site);
    const torch::Tensor is_negative = fold.factor < 0;
    const torch::Tensor lowest =
        std::get<0>(codes_of(*site, weight_of(node)).flatten(1).to(torch::kInt64).min(1));
    if (is_negative.logical_and(lowest < -grid.highest).any().item<bool>()) return false;
    const QuantizerSite* input = site_of(*node.value("input"));
    if (!input) return true;
    torch::Tensor bias = fold.shift;
    if (const auto own = node.value("bias"))
      bias = bias + traced_[*own].constant.detach().to(torch::kFloat64) * fold.factor;
    const torch::Tensor step = grid.scale.to(torch::kFloat64) * fold.factor.abs() *
                               integer_grid(*input).scale.item<float>();
    return !(bias.abs() > kMostBiasSteps * step).logical_and(step > 0).any().item<bool>();
  }

  const GraphNetwork& network_;
  const Graph& graph_;
  const std::vector<TracedValue>& traced_;
  std::vector<int> readers_;
  std::map<size_t, size_t> makers_;  // node by value
};

}  // namespace

std::map<size_t, FoldedNorm> find_folds(const GraphNetwork& network,
                                        const std::vector<TracedValue>& traced) {
  return FoldFinder(network, traced).find();
}

}  // namespace qbitopt
