#include "qbitopt/exporting/operators.h"

// Convolutions and linear layers. Their weights come as the quantizers left them.
namespace qbitopt {
namespace {

// ONNX wants the padding at the beginnings, then at the ends.
std::vector<int64_t> twice(std::vector<int64_t> padding) {
  padding.reserve(2 * padding.size());
  padding.insert(padding.end(), padding.begin(), padding.end());
  return padding;
}

// "same": as much as the kernel covers beyond one value, the odd one at the end.
std::vector<int64_t> named_padding(TranslatedCall& call, const std::vector<int64_t>& kernel,
                                   const std::vector<int64_t>& dilation) {
  const std::string name = call.text("padding");
  std::vector<int64_t> begins, ends;
  for (size_t i = 0; i < kernel.size(); ++i) {
    const int64_t total = name == "same" ? dilation[i] * (kernel[i] - 1) : 0;
    begins.push_back(total / 2);
    ends.push_back(total - total / 2);
  }
  begins.insert(begins.end(), ends.begin(), ends.end());
  return begins;
}

std::vector<std::string> with_bias(const std::string& input,
                                   const TranslationState::Weights& weights) {
  if (weights.bias.empty()) return {input, weights.weight};
  return {input, weights.weight, weights.bias};
}

OnnxAttributes geometry(TranslatedCall& call) {
  std::vector<int64_t> kernel;
  for (int64_t i = 2; i < call.rank("weight"); ++i) kernel.push_back(call.size("weight", i));
  if (call.rank("input") != call.rank("weight"))
    call.refuse("works on a single image without a batch");
  const std::vector<int64_t> dilation = call.wholes("dilation", kernel.size());
  const bool is_named = !call.text("padding").empty();
  return {{"kernel_shape", kernel},
          {"strides", call.wholes("stride", kernel.size())},
          {"pads", is_named ? named_padding(call, kernel, dilation)
                            : twice(call.wholes("padding", kernel.size()))},
          {"dilations", dilation},
          {"group", call.whole("groups")}};
}

void convolution(TranslatedCall& call) {
  call.give("Conv", with_bias(call.input("input"), call.weights()), geometry(call));
}

void transposed_convolution(TranslatedCall& call) {
  OnnxAttributes attributes = geometry(call);
  const auto dimensions = static_cast<size_t>(call.rank("weight") - 2);
  attributes["output_padding"] = call.wholes("output_padding", dimensions);
  call.give("ConvTranspose", with_bias(call.input("input"), call.weights()), attributes);
}

void linear(TranslatedCall& call) {
  if (call.rank("input") == 2) {
    call.give("Gemm", with_bias(call.input("input"), call.weights()), {{"transB", int64_t{1}}});
    return;
  }
  const auto weights = call.weights(/*is_transposed=*/true);
  const std::vector<std::string> factors = {call.input("input"), weights.weight};
  if (weights.bias.empty()) {
    call.give("MatMul", factors);
  } else {
    call.give("Add", {call.add("MatMul", factors), weights.bias});
  }
}

}  // namespace

const Translations& layer_operators() {
  static const Translations all = {{"conv1d", convolution},
                                   {"conv2d", convolution},
                                   {"conv3d", convolution},
                                   {"conv_transpose1d", transposed_convolution},
                                   {"conv_transpose2d", transposed_convolution},
                                   {"conv_transpose3d", transposed_convolution},
                                   {"linear", linear}};
  return all;
}

}  // namespace qbitopt
