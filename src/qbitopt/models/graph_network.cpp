#include "qbitopt/models/graph_network.h"

#include <ATen/Context.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/csrc/autograd/function.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <utility>

#include "qbitopt/core/error.h"
#include "qbitopt/core/mapped_file.h"
#include "qbitopt/graph/activations.h"
#include "qbitopt/graph/pt2_file.h"
#include "qbitopt/models/weights.h"
#include "qbitopt/quant/batch_norm_quantize.h"
#include "qbitopt/quant/uniform_quantizer.h"

namespace qbitopt {
namespace {

using c10::IValue;
using torch::Tensor;

constexpr const char* kRunningMean = ".running_mean";

// "layer1.0" and "conv1" of "layer1.0.conv1".
std::pair<std::string, std::string> split_path(const std::string& path) {
  const size_t dot = path.rfind('.');
  if (dot == std::string::npos) return {"", path};
  return {path.substr(0, dot), path.substr(dot + 1)};
}

// A view is only one where its input's layout is that of the export, so where the graph takes one
// images and weights stay as they were.
bool depends_on_layout(const Graph& graph) {
  static const std::set<std::string_view> views = {"aten.view", "aten.as_strided", "aten.view_as",
                                                   "aten.as_strided_"};
  return std::any_of(graph.nodes.begin(), graph.nodes.end(),
                     [](const GraphNode& node) { return views.count(node.operation()) != 0; });
}

int64_t whole(const GraphArgument& argument, const std::vector<IValue>& values) {
  const auto* ref = std::get_if<ValueRef>(&argument);
  return ref ? values[ref->value].toInt() : std::get<int64_t>(argument);
}

// As Python rounds: toward minus infinity.
int64_t floor_divide(int64_t left, int64_t right) {
  TORCH_CHECK(right != 0, "a size is divided by zero");
  const int64_t quotient = left / right;
  return left % right != 0 && (left < 0) != (right < 0) ? quotient - 1 : quotient;
}

int64_t compute(const std::string& operation, int64_t left, int64_t right) {
  if (operation == "operator.add") return left + right;
  if (operation == "operator.sub") return left - right;
  if (operation == "operator.mul") return left * right;
  if (operation == "operator.neg") return -left;
  if (operation == "operator.floordiv") return floor_divide(left, right);
  return left - floor_divide(left, right) * right;  // operator.mod
}

double number_of(const GraphNode& node, const char* name) {
  const GraphArgument* argument = node.find(name);
  const auto* real = argument ? std::get_if<double>(argument) : nullptr;
  if (!real) throw BadGraph(fmt::format("is damaged: {} says no '{}'", place_of(node), name));
  return *real;
}

// A 1x1 convolution of few channels with a stride: LibTorch 2.13 writes beyond its buffers in the
// gradient if input or weight lie channels-last.
bool is_narrow(const Graph& graph, const GraphNode& node) {
  constexpr int64_t kFewChannels = 16;
  const auto weight = node.value("weight");
  if (node.operation() != "aten.conv2d" || !weight) return false;
  const std::vector<int64_t>& shape = graph.values[*weight].shape;
  const auto* stride = node.find("stride");
  const auto* strides = stride ? std::get_if<std::vector<ListItem>>(stride) : nullptr;
  const bool has_stride =
      strides && std::any_of(strides->begin(), strides->end(),
                             [](const ListItem& item) { return item != ListItem(int64_t{1}); });
  return has_stride && shape.size() == 4 && shape[1] < kFewChannels && shape[2] == 1 &&
         shape[3] == 1;
}

// The two whole numbers of a list; `otherwise` twice if the node leaves it out, and of one number
// that too. Nullopt for what is not known before the network runs.
std::optional<std::vector<int64_t>> pair_of(const GraphNode& node, const char* name,
                                            int64_t otherwise) {
  const GraphArgument* argument = node.find(name);
  if (!argument) return std::vector<int64_t>{otherwise, otherwise};
  std::vector<int64_t> pair;
  if (const auto* list = std::get_if<std::vector<ListItem>>(argument)) {
    for (const ListItem& item : *list) {
      if (const auto* number = std::get_if<int64_t>(&item)) pair.push_back(*number);
    }
    if (list->size() != pair.size()) return std::nullopt;
  }
  if (pair.size() == 1) pair.push_back(pair.front());
  return pair.size() == 2 ? std::optional(pair) : std::nullopt;
}

// Whether PyTorch can take the gradient of the operator that made a tensor. Some operators say that
// they cannot by the node they leave in the graph, others only when that node is run.
bool has_derivative(const Tensor& made) {
  const auto& node = made.grad_fn();
  if (!node) return true;
  if (node->name().find("NotImplemented") != std::string::npos) return false;
  torch::autograd::variable_list gradients(node->num_inputs());
  gradients[made.output_nr()] = torch::zeros_like(made);
  try {
    (*node)(std::move(gradients));
  } catch (const c10::Error& error) {
    if (std::string(error.what()).find("not implemented") != std::string::npos) return false;
    throw;
  }
  return true;
}

Activation activation_of(GraphActivation activation) {
  switch (activation) {
    case GraphActivation::kRelu:
      return Activation::kRelu;
    case GraphActivation::kRelu6:
      return Activation::kRelu6;
    case GraphActivation::kHardSwish:
      return Activation::kHardSwish;
    case GraphActivation::kIdentity:
      break;
  }
  return Activation::kIdentity;
}

// Of a layer's input, or a gate's factors.
void describe(const GraphSite& site, QuantizerSpec& spec) {
  spec.is_signed = site.grid == GraphSite::Grid::kSigned;
  spec.has_offset = site.grid == GraphSite::Grid::kOffset;
  spec.absorbs = activation_of(site.absorbs);
}

}  // namespace

GraphNetwork::GraphNetwork(QuantizedGraph graph, const StateDict& tensors, std::string source,
                           const NetworkOptions& options)
    : Network(options),
      quantized_(std::move(graph)),
      source_(std::move(source)),
      layer_macs_(quantized_.layers.size()),
      keeps_layout_(depends_on_layout(quantized_.graph)) {
  for (const GraphTensor& tensor : quantized_.graph.tensors) names_[tensor.value] = tensor.name;
  make_batch_norms(tensors);
  add_tensors(tensors);
  add_sites();
  add_steps();
}

std::string GraphNetwork::tensor_name(const GraphNode& node, const char* argument) const {
  const auto value = node.value(argument);
  const auto found = value ? names_.find(*value) : names_.end();
  return found != names_.end() ? found->second : "";
}

// Null if the node is no batch norm, or one without statistics of its own.
torch::nn::BatchNorm2dImpl* GraphNetwork::batch_norm_of(const GraphNode& node) const {
  if (node.operation() != "aten.batch_norm") return nullptr;
  const std::string mean = tensor_name(node, "running_mean");
  if (!mean.ends_with(kRunningMean)) return nullptr;
  const auto found = batch_norms_.find(mean.substr(0, mean.size() - std::strlen(kRunningMean)));
  return found != batch_norms_.end() ? found->second.module.ptr().get() : nullptr;
}

void GraphNetwork::make_batch_norms(const StateDict& tensors) {
  for (const GraphNode& node : quantized_.graph.nodes) {
    if (node.operation() != "aten.batch_norm" || !node.value("running_mean")) continue;
    const std::string mean = tensor_name(node, "running_mean");
    const std::string path = mean.substr(0, mean.rfind('.'));
    if (!mean.ends_with(kRunningMean) ||
        tensor_name(node, "running_var") != path + ".running_var") {
      throw BadGraph(fmt::format(
          "cannot be trained here: {} has statistics that are no 'running_mean' and 'running_var' "
          "of one module",
          place_of(node)));
    }
    if (batch_norms_.count(path)) continue;
    const bool has_weight = tensors.count(path + ".weight") != 0;
    if (has_weight != (tensors.count(path + ".bias") != 0)) {
      throw BadGraph(
          fmt::format("cannot be trained here: {} has a weight or a bias without the "
                      "other",
                      place_of(node)));
    }
    // A module without momentum, which averages over all batches, exports 0.
    const double momentum = number_of(node, "momentum");
    torch::nn::BatchNorm2d module(
        torch::nn::BatchNorm2dOptions(tensors.at(mean).numel())
            .affine(has_weight)
            .eps(number_of(node, "eps"))
            .momentum(momentum == 0 ? std::nullopt : std::optional(momentum)));
    batch_norms_.emplace(path, OwnedNorm{module});
  }
}

void GraphNetwork::add_tensors(const StateDict& tensors) {
  std::vector<size_t> read_by_sites(quantized_.sites.size());
  for (const GraphNode& node : quantized_.graph.nodes) {
    if (node.target != kQuantize) continue;
    read_by_sites[static_cast<size_t>(std::get<int64_t>(*node.find("site")))] =
        *node.value("input");
  }
  std::set<size_t> layer_weights;
  std::vector<size_t> weights;  // of each layer
  for (const GraphLayer& layer : quantized_.layers) {
    const GraphNode& node = quantized_.graph.nodes[layer.node];
    weights.push_back(layer.weight_site ? read_by_sites[*layer.weight_site]
                                        : *node.value("weight"));
    if (!is_narrow(quantized_.graph, node)) layer_weights.insert(weights.back());
  }
  const torch::NoGradGuard no_grad;
  for (const GraphTensor& own : quantized_.graph.tensors) {
    Tensor tensor = tensors.at(own.name);
    if (tensor.is_floating_point()) tensor = tensor.to(torch::kFloat32);
    const auto [path, leaf] = split_path(own.name);
    if (const auto norm = batch_norms_.find(path); norm != batch_norms_.end()) {
      // Here, so that parameters stand in the order of the graph's tensors.
      if (!norm->second.is_registered) register_at(path, norm->second.module.ptr());
      norm->second.is_registered = true;
      auto& module = *norm->second.module;
      const std::map<std::string, Tensor> members = {
          {"weight", module.weight},
          {"bias", module.bias},
          {"running_mean", module.running_mean},
          {"running_var", module.running_var},
          {"num_batches_tracked", module.num_batches_tracked}};
      if (const auto member = members.find(leaf); member != members.end()) {
        if (member->second.sizes() != tensor.sizes()) {
          throw BadGraph(
              fmt::format("is damaged: '{}' has another shape than its batch norm", own.name));
        }
        Tensor(member->second).copy_(tensor);
        owned_.push_back({own.value, member->second});
        continue;
      }
    }
    // A tensor with one channel would count as channels-last whatever its strides, and a
    // convolution would then answer in the other format: so ask for the strides when it is made.
    const bool is_image_weight =
        !keeps_layout_ && tensor.dim() == 4 && layer_weights.count(own.value) != 0;
    const Tensor copy = is_image_weight ? torch::empty(tensor.sizes(), tensor.options(),
                                                       torch::MemoryFormat::ChannelsLast)
                                              .copy_(tensor)
                                        : tensor.clone(torch::MemoryFormat::Contiguous);
    torch::nn::Module& parent = module_at(path);
    const bool learns = own.kind == GraphTensor::Kind::kParameter && copy.is_floating_point();
    owned_.push_back({own.value, learns ? parent.register_parameter(leaf, copy)
                                        : parent.register_buffer(leaf, copy)});
  }
  std::map<size_t, Tensor> by_value;
  for (const Owned& owned : owned_) {
    if (owned.tensor.requires_grad()) by_value[owned.value] = owned.tensor;
  }
  for (const size_t weight : weights) latents_.push_back(by_value[weight]);
}

void GraphNetwork::add_sites() {
  std::vector<QuantizerSite*> pinned, images;
  for (const GraphSite& site : quantized_.sites) {
    QuantizerSpec spec{.name = site.name(),
                       .kind = site.is_weight ? TensorKind::kWeight : TensorKind::kActivation,
                       .channels = site.channels};
    if (!site.is_weight) describe(site, spec);
    own_sites_.push_back(std::make_unique<QuantizerSite>(module_at(site.layer), std::move(spec)));
    add_site(*own_sites_.back());
  }
  for (size_t i = 0; i < quantized_.layers.size(); ++i) {
    const GraphLayer& layer = quantized_.layers[i];
    QuantizerSite *input = site(layer.input_site), *weight = site(layer.weight_site);
    if (weight) {
      QuantizerSpec& spec = weight->spec();
      if (latents_[i].defined()) spec.elements = latents_[i].numel();
      // Of several layers that share the weight, the first counts.
      if (spec.input.empty() && input) spec.input = input->spec().name;
    }
    if (layer.is_first && input) images.push_back(input);
    if (!layer.is_first && !layer.is_last) continue;
    for (QuantizerSite* end : {input, weight}) {
      if (end) pinned.push_back(end);
    }
  }
  finish_sites(pinned, images);
}

QuantizerSite* GraphNetwork::site(std::optional<size_t> number) const {
  return number ? own_sites_[*number].get() : nullptr;
}

void GraphNetwork::add_steps() {
  const Graph& graph = quantized_.graph;
  std::vector<size_t> makers(graph.values.size());
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const GraphNode& node = graph.nodes[i];
    for (const size_t output : node.outputs) makers[output] = i;
    steps_.push_back({action_of(node), {}});
    auto* quantize = std::get_if<Quantize>(&steps_.back().action);
    if (!quantize || quantized_.sites[quantize->site].absorbs == GraphActivation::kIdentity)
      continue;
    const size_t absorbed = makers[quantize->input];
    quantize->input = *graph.nodes[absorbed].value("self");
    steps_[absorbed].action = Skip{};
  }
  if (options().joined_passes) join_passes();
  add_last_uses();
}

// Finds for each batch norm the site that alone reads it.
void GraphNetwork::join_passes() {
  std::map<size_t, size_t> readers;  // how many, by value
  readers[quantized_.graph.output] = 1;
  for (size_t i = 0; i < steps_.size(); ++i) {
    if (const auto* quantize = std::get_if<Quantize>(&steps_[i].action)) {
      ++readers[quantize->input];
    } else if (!std::holds_alternative<Skip>(steps_[i].action)) {
      for_each_value(quantized_.graph.nodes[i], [&](size_t value) { ++readers[value]; });
    }
  }
  std::map<size_t, Quantize> sites;  // by the value they read
  for (const Step& step : steps_) {
    if (const auto* quantize = std::get_if<Quantize>(&step.action))
      sites.emplace(quantize->input, *quantize);
  }
  for (Step& step : steps_) {
    auto* norm = std::get_if<BatchNorm>(&step.action);
    const auto site = norm ? sites.find(norm->output) : sites.end();
    if (site != sites.end() && readers[norm->output] == 1) norm->reader = site->second;
  }
}

void GraphNetwork::add_last_uses() {
  const Graph& graph = quantized_.graph;
  std::vector<size_t> last_use(graph.values.size(), 0);
  for (size_t i = 0; i < steps_.size(); ++i) {
    const auto* quantize = std::get_if<Quantize>(&steps_[i].action);
    if (quantize) last_use[quantize->input] = i;
    if (std::holds_alternative<Skip>(steps_[i].action)) continue;
    for_each_value(graph.nodes[i], [&](size_t value) { last_use[value] = i; });
    for (const size_t output : graph.nodes[i].outputs) last_use[output] = i;
  }
  for (size_t value = 0; value < last_use.size(); ++value) {
    if (value != graph.output && !steps_.empty())
      steps_[last_use[value]].last_uses.push_back(value);
  }
}

GraphNetwork::Action GraphNetwork::action_of(const GraphNode& node) {
  if (node.target == kQuantize) {
    return Quantize{static_cast<size_t>(std::get<int64_t>(*node.find("site"))),
                    *node.value("input"), node.outputs.front()};
  }
  if (node.target.starts_with("operator.")) {
    const bool is_unary = node.target == "operator.neg";
    bool fits = node.arguments.size() == (is_unary ? 1 : 2) && node.outputs.size() == 1;
    for (const NamedArgument& argument : node.arguments) {
      const auto* ref = std::get_if<ValueRef>(&argument.value);
      fits = fits && (ref ? !quantized_.graph.values[ref->value].is_tensor
                          : std::holds_alternative<int64_t>(argument.value));
    }
    if (!fits) throw BadGraph("is damaged: " + place_of(node) + " works on other than numbers");
    return Arithmetic{node.target, node.arguments[0].value,
                      is_unary ? GraphArgument(int64_t{0}) : node.arguments[1].value,
                      node.outputs[0]};
  }
  if (auto* module = batch_norm_of(node)) {
    if (!node.value("input") || node.outputs.size() != 1)
      throw BadGraph("is damaged: " + place_of(node) + " has no input or no output");
    return BatchNorm{module,
                     *node.value("input"),
                     node.outputs[0],
                     node.value("weight"),
                     node.value("bias"),
                     number_of(node, "eps")};
  }
  if (node.target == "aten.hardsigmoid.default" && node.value("self") && node.outputs.size() == 1)
    return HardSigmoid{*node.value("self"), node.outputs[0]};
  if (is_narrow(quantized_.graph, node) && node.value("input"))
    return NarrowConvolution{OperatorCall(quantized_.graph, node), *node.value("input")};
  OperatorCall call(quantized_.graph, node);
  if (node.target != "aten.conv2d.default" || !options().joined_passes) return call;
  const auto stride = pair_of(node, "stride", 1), padding = pair_of(node, "padding", 0),
             dilation = pair_of(node, "dilation", 1);
  const auto input = node.value("input"), weight = node.value("weight");
  if (!input || !weight || !stride || !padding || !dilation) return call;
  return ImageConvolution{std::move(call),
                          *input,
                          *weight,
                          node.outputs.front(),
                          node.value("bias"),
                          {*stride, *padding, *dilation}};
}

void GraphNetwork::take(const Step& step, std::vector<IValue>& values, torch::Device device) {
  if (const auto* call = std::get_if<OperatorCall>(&step.action)) {
    call->run(values, {is_training(), device});
  } else if (const auto* narrow = std::get_if<NarrowConvolution>(&step.action)) {
    const IValue input = values[narrow->input];
    values[narrow->input] = input.toTensor().contiguous();
    narrow->call.run(values, {is_training(), device});
    values[narrow->input] = input;
  } else if (const auto* first = std::get_if<ImageConvolution>(&step.action)) {
    const Tensor input = values[first->input].toTensor(), weight = values[first->weight].toTensor();
    if (!is_training() || !is_image_convolution(input, weight))
      return first->call.run(values, {is_training(), device});
    values[first->output] = convolve_image(
        input, weight, first->bias ? values[*first->bias].toTensor() : Tensor(), first->geometry);
  } else if (const auto* quantize = std::get_if<Quantize>(&step.action)) {
    if (!values[quantize->input].isNone())  // else its batch norm has done it
      values[quantize->output] = (*own_sites_[quantize->site])(values[quantize->input].toTensor());
  } else if (const auto* sum = std::get_if<Arithmetic>(&step.action)) {
    values[sum->output] =
        compute(sum->operation, whole(sum->left, values), whole(sum->right, values));
  } else if (const auto* sigmoid = std::get_if<HardSigmoid>(&step.action)) {
    values[sigmoid->output] = torch::hardtanh(values[sigmoid->input].toTensor() + 3, 0, 6) / 6;
  } else if (std::holds_alternative<BatchNorm>(step.action)) {
    normalize(std::get<BatchNorm>(step.action), values);
  }
}

// As BatchNorm2d::forward, for tensors of any dimension.
void GraphNetwork::normalize(const BatchNorm& norm, std::vector<IValue>& values) {
  torch::nn::BatchNorm2dImpl& module = *norm.module;
  double factor = 0;
  if (module.is_training()) {
    module.num_batches_tracked += 1;
    factor = module.options.momentum()
                 ? *module.options.momentum()
                 : 1.0 / static_cast<double>(module.num_batches_tracked.item<int64_t>());
    if (options().joined_passes && !shows_values_ && normalize_and_quantize(norm, factor, values))
      return;
  }
  const auto tensor = [&](std::optional<size_t> value) {
    return value ? values[*value].toTensor() : Tensor();
  };
  values[norm.output] =
      torch::batch_norm(tensor(norm.input), tensor(norm.weight), tensor(norm.bias),
                        module.running_mean, module.running_var, module.is_training(), factor,
                        norm.epsilon, at::globalContext().userEnabledCuDNN());
}

// Leaves the batch norm's output out where it writes that of the site that reads it.
bool GraphNetwork::normalize_and_quantize(const BatchNorm& norm, double factor,
                                          std::vector<IValue>& values) {
  if (!norm.weight || !norm.bias) return false;
  const Tensor x = values[norm.input].toTensor();
  const BatchNormStep step{values[*norm.weight].toTensor(),
                           values[*norm.bias].toTensor(),
                           norm.module->running_mean,
                           norm.module->running_var,
                           factor,
                           norm.epsilon};
  std::optional<QuantizeStep> quantize;
  if (norm.reader) {
    const QuantizerSite& site = *own_sites_[norm.reader->site];
    if (!site.quantizer()) {
      quantize = QuantizeStep{.activation = site.spec().absorbs};
    } else if (auto* uniform = dynamic_cast<UniformQuantizer*>(site.quantizer().get())) {
      quantize = uniform->joined_step(x.sizes());
    }
    if (quantize && !has_joined_kernels(x, step, *quantize)) quantize.reset();
  }
  if (!has_joined_kernels(x, step, quantize.value_or(QuantizeStep{}))) return false;
  values[quantize ? norm.reader->output : norm.output] =
      batch_norm_quantize(x, step, quantize.value_or(QuantizeStep{}));
  return true;
}

Tensor GraphNetwork::forward(const Tensor& images) { return run(images, /*measures=*/false); }

Tensor GraphNetwork::forward(const Tensor& images, const Look& look) {
  return run(images, /*measures=*/false, look);
}

Tensor GraphNetwork::run(const Tensor& images, bool measures, const Look& look) {
  shows_values_ = look != nullptr;
  std::vector<IValue> values(quantized_.graph.values.size());
  values[quantized_.graph.input] = keeps_layout_ ? images.contiguous() : images;
  for (const Owned& owned : owned_) values[owned.value] = owned.tensor;
  size_t layer = 0, gate = 0, product = 0;
  for (size_t i = 0; i < steps_.size(); ++i) {
    take(steps_[i], values, images.device());
    if (look) look(quantized_.graph.nodes[i], values);
    if (measures) {
      expect_derivative(quantized_.graph.nodes[i], values);
      if (const auto* quantize = std::get_if<Quantize>(&steps_[i].action))
        measure_site(quantize->site, values[quantize->input].toTensor());
      if (layer < quantized_.layers.size() && quantized_.layers[layer].node == i) {
        measure_layer(quantized_.layers[layer], values);
        ++layer;
      }
      if (gate < quantized_.gates.size() && quantized_.gates[gate].node == i) {
        const Tensor products = values[quantized_.graph.nodes[i].outputs.front()].toTensor();
        own_sites_[quantized_.gates[gate].site]->spec().macs += products.numel();
        ++gate;
      }
      if (product < quantized_.products.size() && quantized_.products[product].node == i) {
        measure_product(quantized_.products[product], values);
        ++product;
      }
    }
    for (const size_t value : steps_[i].last_uses) values[value] = IValue();
  }
  return values[quantized_.graph.output].toTensor();
}

void GraphNetwork::expect_derivative(const GraphNode& node,
                                     const std::vector<IValue>& values) const {
  for (const size_t output : node.outputs) {
    if (!values[output].isTensor()) continue;
    if (!has_derivative(values[output].toTensor())) {
      throw BadGraph("cannot be trained here: PyTorch knows no derivative of operator " +
                     place_of(node));
    }
  }
}

void GraphNetwork::measure_site(size_t site, const Tensor& x) {
  own_sites_[site]->spec().elements = x.numel();
}

// One for each product of a weight with an input, for the one image that is run.
void GraphNetwork::measure_layer(const GraphLayer& layer, const std::vector<IValue>& values) {
  const GraphNode& node = quantized_.graph.nodes[layer.node];
  const Tensor weight = values[*node.value("weight")].toTensor();
  const bool is_transposed = node.target.find("transpose") != std::string::npos;
  // Positions at which the whole weight is used.
  const Tensor places =
      values[is_transposed ? *node.value("input") : node.outputs.front()].toTensor();
  const int64_t channels = std::max<int64_t>(1, weight.size(0));
  const int64_t macs = places.numel() / channels * weight.numel();
  layer_macs_[static_cast<size_t>(&layer - quantized_.layers.data())] = macs;
  for (const auto& number : {layer.input_site, layer.weight_site}) {
    if (number) own_sites_[*number]->spec().macs += macs;
  }
}

void GraphNetwork::measure_product(const GraphProduct& product, const std::vector<IValue>& values) {
  const GraphNode& node = quantized_.graph.nodes[product.node];
  const auto left = node.value(node.find("batch1") ? "batch1" : "self");
  const int64_t macs =
      values[node.outputs.front()].toTensor().numel() * values[*left].toTensor().size(-1);
  for (const auto& number : {product.left_site, product.right_site}) {
    if (number) own_sites_[*number]->spec().macs += macs;
  }
}

void GraphNetwork::expect_images(at::IntArrayRef shape) const {
  const std::vector<int64_t> expected = quantized_.graph.image_shape();
  const auto fits = [](int64_t size, int64_t wanted) { return wanted < 0 || size == wanted; };
  if (shape.size() == expected.size() &&
      std::equal(shape.begin(), shape.end(), expected.begin(), fits)) {
    return;
  }
  std::vector<std::string> sizes;
  for (const int64_t size : expected) sizes.push_back(size < 0 ? "any" : std::to_string(size));
  throw BadGraph(
      fmt::format("takes images of {}, and those of the data are {}; export it again with "
                  "--input {}",
                  fmt::join(sizes, "x"), fmt::join(shape, "x"), fmt::join(shape, "x")));
}

void GraphNetwork::measure(at::IntArrayRef image_shape) {
  for (const auto& site : own_sites_) site->spec().macs = 0;
  const bool was_training = is_training();
  eval();
  try {
    expect_images(image_shape);
    std::vector<int64_t> shape = {1};
    shape.insert(shape.end(), image_shape.begin(), image_shape.end());
    const torch::AutoGradMode with_gradients(true);
    expect_logits(run(torch::zeros(shape), /*measures=*/true));
  } catch (const BadGraph& error) {
    throw InputError(source_ + " " + error.what());
  } catch (const c10::OutOfMemoryError&) {
    throw;
  } catch (const c10::Error& error) {
    throw InputError(fmt::format("{} does not run on an image of {}: {}", source_,
                                 fmt::join(image_shape, "x"), error.what_without_backtrace()));
  }
  train(was_training);
}

void GraphNetwork::expect_logits(const Tensor& logits) const {
  if (!logits.requires_grad()) {
    throw BadGraph(
        "cannot be trained: no gradient reaches a weight from the logits; export it with "
        "parameters "
        "that require gradients, and without detach() or argmax()");
  }
  if (logits.dim() != 2 || logits.size(0) != 1 || logits.size(1) != options().classes) {
    throw BadGraph(fmt::format("returns [{}] for one image; expected [1, {}]",
                               fmt::join(logits.sizes(), ", "), options().classes));
  }
}

std::vector<LayerSites> GraphNetwork::layer_sites() const {
  std::vector<LayerSites> layers;
  for (size_t i = 0; i < quantized_.layers.size(); ++i) {
    const GraphLayer& layer = quantized_.layers[i];
    layers.push_back(
        {site(layer.input_site), site(layer.weight_site), latents_[i], layer_macs_[i]});
  }
  return layers;
}

std::unique_ptr<Network> make_network(Graph graph, const Initialization& initialization,
                                      const NetworkOptions& options) {
  const StateDict values = initial_values(graph, initialization, options.seed);
  try {
    return std::make_unique<GraphNetwork>(quantize(std::move(graph), options.placement), values,
                                          "the network", options);
  } catch (const BadGraph& error) {
    throw InputError(std::string("the network ") + error.what());
  }
}

Graph read_graph(const std::filesystem::path& file) {
  const MappedFile mapped(file);
  try {
    return read_pt2(mapped.bytes());
  } catch (const BadGraph& error) {
    throw InputError(file.string() + " " + error.what());
  }
}

std::unique_ptr<Network> read_graph_network(const std::filesystem::path& file,
                                            const NetworkOptions& options) {
  const MappedFile mapped(file);
  try {
    QuantizedGraph graph = quantize(read_pt2(mapped.bytes()), options.placement);
    if (graph.graph.classes() != options.classes) {
      throw BadGraph(
          fmt::format("has {} classes, and the data set has {}; export a network with {} outputs",
                      graph.graph.classes(), options.classes, options.classes));
    }
    StateDict tensors;
    for (const GraphTensor& tensor : graph.graph.tensors)
      tensors[tensor.name] = read_tensor(mapped.bytes(), tensor.stored);
    if (const std::string faults = non_finite_in(tensors); !faults.empty())
      throw BadGraph("holds weights that are no numbers: " + faults);
    return std::make_unique<GraphNetwork>(std::move(graph), tensors, file.string(), options);
  } catch (const BadGraph& error) {
    throw InputError(file.string() + " " + error.what());
  } catch (const BadWeights& error) {
    throw InputError(file.string() + " " + error.what());
  }
}

}  // namespace qbitopt
