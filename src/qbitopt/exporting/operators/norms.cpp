#include <limits>

#include "qbitopt/exporting/operators.h"

namespace qbitopt {
namespace {

// A vector of channels, or as many of one value.
std::string channels_or(TranslatedCall& call, const char* argument, int64_t channels,
                        double value) {
  if (call.has(argument)) return call.input(argument);
  return call.onnx().tensor(torch::full({channels}, value),
                            call.node().module + (value == 1 ? ".ones" : ".zeros"));
}

void batch_norm(TranslatedCall& call) {
  if (!call.has("running_mean")) {
    call.refuse("uses the statistics of each batch; ONNX's computes with stored ones");
  }
  const int64_t channels = call.size("running_mean", 0);
  call.give("BatchNormalization",
            {call.input("input"), channels_or(call, "weight", channels, 1),
             channels_or(call, "bias", channels, 0), call.input("running_mean"),
             call.input("running_var")},
            {{"epsilon", static_cast<float>(call.real("eps"))}});
}

void layer_norm(TranslatedCall& call) {
  const auto dimensions = static_cast<int64_t>(call.wholes("normalized_shape").size());
  std::string scale;
  if (call.has("weight")) {
    scale = call.input("weight");
  } else {
    scale = call.onnx().tensor(torch::ones(call.wholes("normalized_shape")),
                               call.node().module + ".ones");
  }
  std::vector<std::string> inputs = {call.input("input"), scale};
  if (call.has("bias")) inputs.push_back(call.input("bias"));
  call.give("LayerNormalization", inputs,
            {{"axis", -dimensions}, {"epsilon", static_cast<float>(call.real("eps"))}});
}

// x / sqrt(mean x^2 + epsilon), times weight. ONNX's own operator came with opset 23.
void rms_norm(TranslatedCall& call) {
  const std::vector<int64_t> shape = call.wholes("normalized_shape");
  std::vector<int64_t> axes;
  int64_t elements = 1;
  for (size_t i = 0; i < shape.size(); ++i) {
    axes.push_back(static_cast<int64_t>(i) - static_cast<int64_t>(shape.size()));
    elements *= shape[i];
  }
  const std::string x = call.input("input");
  const std::string sum = call.add("ReduceSum", {call.add("Mul", {x, x}), call.onnx().wholes(axes)},
                                   {{"keepdims", int64_t{1}}});
  const std::string mean =
      call.add("Div", {sum, call.onnx().number(static_cast<double>(elements))});
  const double epsilon = call.has("eps") ? call.real("eps") : std::numeric_limits<float>::epsilon();
  const std::string root = call.add("Sqrt", {call.add("Add", {mean, call.onnx().number(epsilon)})});
  if (!call.has("weight")) return call.give("Div", {x, root});
  call.give("Mul", {call.add("Div", {x, root}), call.input("weight")});
}

// `value` times weight plus bias, each one value a channel (dimension 1) or absent.
void give_scaled(TranslatedCall& call, std::string value) {
  const int64_t rank = call.rank("input");
  std::vector<TracedSize> shape(static_cast<size_t>(rank - 1));
  shape[0].size = call.size("input", 1);
  const bool has_bias = call.has("bias");
  if (call.has("weight")) {
    const std::string weight = call.reshaped(call.input("weight"), shape);
    if (!has_bias) return call.give("Mul", {value, weight});
    value = call.add("Mul", {value, weight});
  }
  if (!has_bias) return call.give_value(value);
  call.give("Add", {value, call.reshaped(call.input("bias"), shape)});
}

// Each group of channels is one channel of an instance norm.
void group_norm(TranslatedCall& call) {
  const int64_t groups = call.whole("num_groups");
  const auto& shape = call.traced("input").shape;
  int64_t elements = 1;
  for (int64_t i = 1; i < call.rank("input"); ++i) elements *= call.size("input", i);
  const std::string grouped =
      call.reshaped(call.input("input"), {shape[0], {groups}, {elements / groups}});
  const std::string normed =
      call.add("InstanceNormalization",
               {grouped, call.onnx().tensor(torch::ones({groups}), call.node().module + ".ones"),
                call.onnx().tensor(torch::zeros({groups}), call.node().module + ".zeros")},
               {{"epsilon", static_cast<float>(call.real("eps"))}});
  give_scaled(call, call.reshaped(normed, shape));
}

void instance_norm(TranslatedCall& call) {
  if (call.has("running_mean")) call.refuse("has running statistics, which is not translated");
  const int64_t channels = call.size("input", 1);
  call.give("InstanceNormalization",
            {call.input("input"), channels_or(call, "weight", channels, 1),
             channels_or(call, "bias", channels, 0)},
            {{"epsilon", static_cast<float>(call.real("eps"))}});
}

}  // namespace

const Translations& norm_operators() {
  static const Translations all = {{"batch_norm", batch_norm},
                                   {"layer_norm", layer_norm},
                                   {"group_norm", group_norm},
                                   {"instance_norm", instance_norm},
                                   {"rms_norm", rms_norm}};
  return all;
}

}  // namespace qbitopt
