#include "qbitopt/exporting/to_onnx.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <tuple>

#include "qbitopt/core/error.h"
#include "qbitopt/exporting/folding.h"
#include "qbitopt/exporting/operators.h"
#include "qbitopt/onnx/check.h"

namespace qbitopt {
namespace {

using torch::Tensor;
using Style = OnnxOptions::Quantizers;

// A network that has diverged would be written with infinite scales, and answer with NaN elsewhere.
void expect_finite(const Tensor& scale, const std::string& name) {
  if (scale.isfinite().all().item<bool>()) return;
  throw InputError(
      fmt::format("cannot be exported: the scale of '{}' is not finite in float32; has the network "
                  "diverged? If "
                  "its accuracy is good, --no-fold keeps batch norm out of the scales",
                  name));
}

constexpr const char* kImages = "images";
constexpr const char* kLogits = "logits";
constexpr const char* kQonnx = "qonnx.custom_op.general";

// Opset 19 came with IR 9, opset 21 with IR 10.
int64_t ir_version(int opset) { return opset >= 21 ? 10 : opset >= 19 ? 9 : 8; }

// Outputs are views of the input: what is written into one changes the other.
bool is_view(const GraphNode& node) {
  static const std::set<std::string_view> views = {
      "alias",   "chunk",   "contiguous", "detach",    "dropout", "expand",    "flatten",
      "narrow",  "permute", "reshape",    "select",    "slice",   "split",     "split_with_sizes",
      "squeeze", "t",       "to",         "transpose", "unbind",  "unflatten", "unsqueeze",
      "view",    "view_as", "expand_as"};
  return views.count(node.plain_name()) != 0;
}

std::optional<size_t> first_input(const GraphNode& node) {
  for (const char* name : {"self", "input"}) {
    if (const auto value = node.value(name)) return value;
  }
  return std::nullopt;
}

class Translator {
 public:
  Translator(GraphNetwork& network, const std::vector<int64_t>& image_shape,
             const OnnxOptions& options)
      : network_(network),
        graph_(network.graph()),
        options_(options),
        traced_(trace(network, image_shape)),
        onnx_(options.opset),
        state_{graph_, traced_, onnx_} {
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      for (const size_t output : graph_.nodes[i].outputs) makers_[output] = i;
    }
    for (const GraphTensor& own : graph_.tensors) own_names_[own.value] = own.name;
    if (options.folds_batch_norms) folds_ = find_folds(network, traced_);
    for (const auto& [layer, fold] : folds_) folded_norms_.insert(fold.norm);
    state_.names[graph_.input] = onnx_.claim(kImages);
    onnx_.claim(kLogits);
    state_.weights = [this](const GraphNode& node, bool is_transposed) {
      return weights_of(node, is_transposed);
    };
    find_live_nodes();
  }

  OnnxExport translate() {
    expect_translations();
    expect_no_shared_writes();
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (is_translated(i)) translate(i);
    }
    return finish();
  }

 private:
  void find_live_nodes() {
    std::vector<bool> is_read(graph_.values.size());
    is_read[graph_.output] = true;
    is_live_.resize(graph_.nodes.size());
    for (size_t i = graph_.nodes.size(); i-- > 0;) {
      const GraphNode& node = graph_.nodes[i];
      bool is_live = node.works_in_place() && first_input(node) && is_read[*first_input(node)];
      for (const size_t output : node.outputs) is_live = is_live || is_read[output];
      is_live_[i] = is_live;
      if (is_live) for_each_value(node, [&](size_t value) { is_read[value] = true; });
    }
  }

  // The others are read by nothing, make numbers, or constants.
  bool is_translated(size_t index) const {
    const GraphNode& node = graph_.nodes[index];
    return is_live_[index] &&
           std::any_of(node.outputs.begin(), node.outputs.end(), [&](size_t output) {
             return graph_.values[output].is_tensor && !traced_[output].is_constant;
           });
  }

  void expect_translations() const {
    std::vector<std::string> missing;
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      const GraphNode& node = graph_.nodes[i];
      if (is_translated(i) && node.target != kQuantize && !find_translation(node))
        missing.push_back(place_of(node));
    }
    if (missing.empty()) return;
    throw InputError(fmt::format(
        "cannot be exported: there is no translation to ONNX of {}; write the module with other "
        "operators, or export it with --format safetensors",
        fmt::join(missing, ", ")));
  }

  // An operator that works in place makes a value of its own in ONNX. That is the same, unless
  // something still reads what shares memory with it.
  void expect_no_shared_writes() const {
    std::map<size_t, size_t> viewed;  // by view
    const auto shares = [&](size_t view, size_t with) {
      for (; view != with; view = viewed.at(view)) {
        if (viewed.count(view) == 0) return false;
      }
      return true;
    };
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      const GraphNode& node = graph_.nodes[i];
      const auto self = first_input(node);
      if (!self || !(is_view(node) || node.works_in_place())) continue;
      for (const size_t output : node.outputs) viewed[output] = *self;
      if (!node.works_in_place() || traced_[node.outputs.front()].is_constant) continue;
      for (size_t later = i + 1; later < graph_.nodes.size(); ++later) {
        for_each_value(graph_.nodes[later], [&](size_t value) {
          const bool was_there = makers_.count(value) == 0 || makers_.at(value) < i;
          if (value == *self || !was_there) return;
          if (!shares(value, *self) && !shares(*self, value) && !overlap(value, *self, viewed))
            return;
          throw InputError(fmt::format(
              "cannot be exported: {} writes into '{}', which {} reads by another name; use an "
              "operator that does not work in place (inplace=False)",
              place_of(node), graph_.values[*self].name, place_of(graph_.nodes[later])));
        });
      }
    }
  }

  // Whether two may be views of the same values. The outputs of one operator (chunk) are not.
  bool overlap(size_t a, size_t b, const std::map<size_t, size_t>& viewed) const {
    std::map<size_t, size_t> by_base;  // the view of it that leads to a
    for (size_t view = a; viewed.count(view); view = viewed.at(view))
      by_base[viewed.at(view)] = view;
    for (size_t view = b; viewed.count(view); view = viewed.at(view)) {
      const auto other = by_base.find(viewed.at(view));
      if (other != by_base.end()) return makers_.at(other->second) != makers_.at(view);
    }
    return false;
  }

  void translate(size_t index) {
    const GraphNode& node = graph_.nodes[index];
    if (node.target == kQuantize) return quantize(node);
    TranslatedCall call(node, state_);
    if (folded_norms_.count(index)) {
      call.give_value(call.input("input"));
    } else {
      find_translation(node)(call);
    }
    if (node.works_in_place() && first_input(node))
      state_.names[*first_input(node)] = state_.names.at(node.outputs.front());
  }

  const QuantizerSite& site_of(const GraphNode& node) const {
    return *network_.sites().at(static_cast<size_t>(std::get<int64_t>(*node.find("site"))));
  }

  // Weights are quantized where their layer reads them.
  void quantize(const GraphNode& node) {
    const QuantizerSite& site = site_of(node);
    if (site.spec().kind == TensorKind::kWeight) return;
    TranslatedCall call(node, state_);
    const std::string x = call.input("input");  // the graph has what the site absorbs, too
    if (!site.quantizer()) return call.give_value(x);
    const IntegerGrid grid = integer_grid(site);
    const std::string& name = site.spec().name;
    if (!grid.offset) return call.give_value(quantized(call, grid, x, name, name));
    const std::string offset = onnx_.tensor(torch::tensor(*grid.offset), name + "_offset");
    const std::string above = quantized(call, grid, call.add("Sub", {x, offset}), name, "");
    call.give_value(onnx_.add("Add", {above, offset}, {}, name));
  }

  // `name`: of the site; `output`: the name wished for the result.
  std::string quantized(TranslatedCall& call, const IntegerGrid& grid, const std::string& x,
                        const std::string& name, const std::string& output) {
    const Tensor scale = grid.scale.squeeze(0);
    expect_finite(scale, name);
    if (options_.quantizers == Style::kNone) {
      encodings_.push_back({onnx_.add("Identity", {x}, {}, output), false, grid});
      encodings_.back().grid.offset.reset();
      return encodings_.back().tensor;
    }
    const std::string scale_name = onnx_.tensor(scale, name + "_scale");
    if (options_.quantizers == Style::kQuantNodes) return quant_node(grid, x, scale_name, output);
    const std::string zero =
        onnx_.tensor(torch::zeros_like(scale, grid.type()), name + "_zero_point");
    std::string codes = call.add("QuantizeLinear", {x, scale_name, zero});
    const bool is_signed = grid.is_signed();
    if (grid.lowest != (is_signed ? -128 : 0) || grid.highest != (is_signed ? 127 : 255)) {
      codes = call.add("Clip", {codes, onnx_.code(grid.lowest, grid.type()),
                                onnx_.code(grid.highest, grid.type())});
    }
    return onnx_.add("DequantizeLinear", {codes, scale_name, zero}, {}, output);
  }

  std::string quant_node(const IntegerGrid& grid, const std::string& x, const std::string& scale,
                         const std::string& output) {
    return onnx_.add("Quant", {x, scale, onnx_.number(0), onnx_.number(grid.bits)},
                     {{"signed", int64_t{grid.is_signed()}},
                      {"narrow", int64_t{grid.is_narrow()}},
                      {"rounding_mode", std::string("ROUND")}},
                     output, kQonnx);
  }

  TranslationState::Weights weights_of(const GraphNode& layer, bool is_transposed) {
    const auto index = static_cast<size_t>(&layer - graph_.nodes.data());
    const auto fold = folds_.find(index);
    const FoldedNorm* norm = fold == folds_.end() ? nullptr : &fold->second;
    TranslatedCall call(layer, state_);
    return {weight_of(call, norm, is_transposed), bias_of(call, norm)};
  }

  std::string weight_of(TranslatedCall& call, const FoldedNorm* norm, bool is_transposed) {
    const size_t value = *call.node().value("weight");
    const auto maker = makers_.find(value);
    const bool has_site = maker != makers_.end() && graph_.nodes[maker->second].target == kQuantize;
    const QuantizerSite* site = has_site ? &site_of(graph_.nodes[maker->second]) : nullptr;
    const size_t source = has_site ? *graph_.nodes[maker->second].value("input") : value;
    const Tensor weight = traced_[source].constant;
    if (!weight.defined()) {
      if (site && site->quantizer()) call.refuse("has a weight that depends on the images");
      const std::string input = has_site ? state_.names.at(source) : call.input("weight");
      return is_transposed ? call.add("Transpose", {input}) : input;
    }
    std::string& known = weights_[{source, norm, is_transposed}];
    if (!known.empty()) return known;
    const auto own = own_names_.find(source);
    const std::string name = own != own_names_.end() ? own->second
                             : site                  ? site->spec().name
                                                     : graph_.values[source].name;
    if (site && site->quantizer()) {
      known = quantized_weight(*site, weight.detach(), norm, is_transposed, name);
    } else {
      Tensor folded = weight.detach().to(torch::kFloat32);
      if (norm) folded = values_of(folded, norm->factor.to(torch::kFloat32));
      known = onnx_.tensor(is_transposed ? folded.t() : folded, name);
    }
    return known;
  }

  std::string quantized_weight(const QuantizerSite& site, const Tensor& weight,
                               const FoldedNorm* norm, bool is_transposed,
                               const std::string& name) {
    IntegerGrid grid = integer_grid(site);
    Tensor codes = codes_of(site, weight);
    if (norm) fold_into(codes, grid.scale, norm->factor);
    expect_finite(grid.scale, name);
    const int64_t axis = is_transposed ? 1 : 0;
    if (is_transposed) codes = codes.t();
    const bool is_scalar = grid.scale.numel() == 1;
    if (options_.quantizers != Style::kIntegers) {
      const std::string values = onnx_.tensor(values_of(codes, grid.scale, axis), name);
      if (options_.quantizers == Style::kNone) {
        encodings_.push_back({values, true, grid, axis});
        return values;
      }
      std::vector<int64_t> shape(static_cast<size_t>(is_scalar ? 0 : codes.dim()), 1);
      if (!is_scalar) shape[static_cast<size_t>(axis)] = grid.scale.numel();
      const std::string scale = onnx_.tensor(grid.scale.view(shape), name + "_scale");
      return quant_node(grid, values, scale, name + "_quantized");
    }
    const Tensor scale = is_scalar ? grid.scale.squeeze(0) : grid.scale;
    const Tensor zero = torch::zeros_like(scale, grid.type());
    const bool is_packed = options_.opset >= 21 && grid.bits <= 4;
    const auto stored = [&](const Tensor& integers, const std::string& wish) {
      return is_packed ? onnx_.packed_tensor(integers, wish) : onnx_.tensor(integers, wish);
    };
    const std::string codes_name = stored(codes, name);
    const std::string scale_name = onnx_.tensor(scale, name + "_scale");
    OnnxAttributes attributes;
    if (!is_scalar) attributes["axis"] = axis;
    return onnx_.add("DequantizeLinear",
                     {codes_name, scale_name, stored(zero, name + "_zero_point")}, attributes,
                     name + "_dequantized");
  }

  // A channel that the batch norm multiplies by zero has codes of zero.
  static void fold_into(Tensor& codes, Tensor& scale, const Tensor& factor) {
    const Tensor folded = (scale.to(torch::kFloat64) * factor.abs()).to(torch::kFloat32);
    const Tensor is_zero = folded == 0;
    scale = torch::where(is_zero, scale.expand_as(folded), folded);
    const Tensor sign = torch::where(is_zero, torch::zeros_like(factor), factor.sign());
    std::vector<int64_t> shape(static_cast<size_t>(codes.dim()), 1);
    shape[0] = factor.numel();
    codes = (codes.to(torch::kInt64) * sign.to(torch::kInt64).view(shape)).to(codes.scalar_type());
  }

  std::string bias_of(TranslatedCall& call, const FoldedNorm* norm) {
    if (!norm) return call.optional_input("bias");
    Tensor bias = norm->shift;
    std::string name = call.node().module + ".bias";
    if (const auto own = call.node().value("bias")) {
      bias = bias + traced_[*own].constant.detach().to(torch::kFloat64) * norm->factor;
      if (own_names_.count(*own)) name = own_names_.at(*own);
    }
    return onnx_.tensor(bias.to(torch::kFloat32), name);
  }

  OnnxExport finish() {
    std::string last = state_.names.at(graph_.output);
    onnx::Model model = onnx_.take();
    const auto made_by = [&](onnx::Node& node) {
      return std::find(node.outputs.begin(), node.outputs.end(), last);
    };
    bool is_renamed = false;
    for (onnx::Node& node : model.nodes) {
      if (const auto output = made_by(node); output != node.outputs.end()) {
        *output = kLogits;
        is_renamed = true;
      } else if (is_renamed) {
        std::replace(node.inputs.begin(), node.inputs.end(), last, std::string(kLogits));
      }
    }
    if (!is_renamed) model.nodes.push_back({kLogits, "Identity", {last}, {kLogits}, {}, ""});
    model.ir_version = ir_version(options_.opset);
    model.opsets = {{"", options_.opset}};
    if (options_.quantizers == Style::kQuantNodes) model.opsets[kQonnx] = 1;
    model.producer = "qbitopt";
    model.name = "network";
    model.inputs = {value(kImages, graph_.input)};
    model.outputs = {value(kLogits, graph_.output)};
    if (const auto faults = onnx::faults_of(model); !faults.empty()) {
      throw std::logic_error(
          fmt::format("the ONNX model is not sound: {}", fmt::join(faults, "; ")));
    }
    return {std::move(model), std::move(encodings_)};
  }

  onnx::Value value(const std::string& name, size_t value) const {
    onnx::Value result{name, onnx::Type::kFloat, {}};
    for (const TracedSize& size : traced_[value].shape) {
      if (size.is_per_image) {
        result.shape.emplace_back("batch");
      } else {
        result.shape.emplace_back(size.size);
      }
    }
    return result;
  }

  GraphNetwork& network_;
  const Graph& graph_;
  const OnnxOptions options_;
  const std::vector<TracedValue> traced_;
  OnnxGraph onnx_;
  TranslationState state_;
  std::vector<bool> is_live_;                // by node
  std::map<size_t, size_t> makers_;          // node by value
  std::map<size_t, std::string> own_names_;  // of the graph's tensors, by value
  std::map<size_t, FoldedNorm> folds_;       // by layer
  std::set<size_t> folded_norms_;            // nodes
  std::map<std::tuple<size_t, const FoldedNorm*, bool>, std::string> weights_;
  std::vector<OnnxEncoding> encodings_;
};

}  // namespace

OnnxExport to_onnx(GraphNetwork& network, const std::vector<int64_t>& image_shape,
                   const OnnxOptions& options) {
  return Translator(network, image_shape, options).translate();
}

}  // namespace qbitopt
