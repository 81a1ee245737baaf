#include "qbitopt/models/quantized_layer.h"

#include <utility>

namespace qbitopt {

QuantizedLayer::QuantizedLayer(std::string path, const LayerOptions& options,
                               QuantizerSite* shared_input)
    : torch::nn::Module(path), path_(std::move(path)), options_(options) {
  const bool is_convolution = options.kind == LayerOptions::Kind::kConvolution;
  // A tensor with one channel would count as channels-last whatever its strides, and a convolution
  // would then answer in the other format: so ask for the strides when it is made, not afterwards.
  weight = register_parameter(
      "weight", is_convolution
                    ? torch::empty({options.out_channels, options.in_channels / options.groups,
                                    options.kernel, options.kernel},
                                   torch::MemoryFormat::ChannelsLast)
                          .zero_()
                    : torch::zeros({options.out_channels, options.in_channels}));
  if (options.bias) bias = register_parameter("bias", torch::zeros({options.out_channels}));

  weight_site_ =
      std::make_unique<QuantizerSite>(*this, QuantizerSpec{.name = path_ + ".weight",
                                                           .kind = TensorKind::kWeight,
                                                           .elements = weight.numel(),
                                                           .channels = options.out_channels});
  if (shared_input == nullptr) {
    own_input_site_ =
        std::make_unique<QuantizerSite>(*this, QuantizerSpec{.name = path_ + ".input",
                                                             .kind = TensorKind::kActivation,
                                                             .is_signed = options.signed_input});
  }
  input_site_ = shared_input ? shared_input : own_input_site_.get();
  weight_site_->spec().input = input_site_->spec().name;
}

torch::Tensor QuantizedLayer::forward(const torch::Tensor& x) {
  const torch::Tensor input = input_is_quantized_ ? x : input_site()(x);
  const torch::Tensor quantized_weight = weight_site()(weight);
  const torch::Tensor output =
      options_.kind == LayerOptions::Kind::kConvolution
          ? torch::conv2d(input, quantized_weight, bias, options_.stride, options_.kernel / 2,
                          /*dilation=*/1, options_.groups)
          : torch::linear(input, quantized_weight, bias);
  input_elements_ = input.numel() / input.size(0);
  const int64_t positions = output.numel() / (output.size(0) * output.size(1));
  macs_ = positions * weight.numel();
  return output;
}

}  // namespace qbitopt
