#include "qbitopt/models/conv_block.h"

namespace qbitopt {

ConvBlock::ConvBlock(Network& network, const ConvBlockOptions& options)
    : layer_(&network.add_layer(options.convolution,
                                {.in_channels = options.in_channels,
                                 .out_channels = options.out_channels,
                                 .kernel = options.kernel,
                                 .stride = options.stride,
                                 .groups = options.groups,
                                 .signed_input = options.signed_input},
                                options.shared_input)),
      batch_norm_(
          network.add_batch_norm(options.batch_norm, options.out_channels, options.normalization)),
      activation_(options.activation) {}

void ConvBlock::feeds(QuantizedLayer& next) {
  next_input_ = &next.input_site();
  next_input_->spec().absorbs = activation_;
  describe_output_of(activation_, next_input_->spec());
  next.expect_quantized_input();
}

torch::Tensor ConvBlock::operator()(const torch::Tensor& x) const {
  auto batch_norm = batch_norm_;
  const torch::Tensor y = batch_norm(layer_->forward(x));
  return next_input_ ? (*next_input_)(y) : apply_activation(activation_, y);
}

void describe_output_of(Activation activation, QuantizerSpec& spec) {
  spec.is_signed = activation == Activation::kIdentity;
  spec.has_offset = activation == Activation::kHardSwish;
}

QuantizedLayer& add_linear_head(Network& network, const std::string& path, int64_t features,
                                bool signed_input) {
  return network.add_layer(path, {.kind = LayerOptions::Kind::kLinear,
                                  .in_channels = features,
                                  .out_channels = network.options().classes,
                                  .bias = true,
                                  .signed_input = signed_input});
}

torch::Tensor global_average_pool(const torch::Tensor& x) { return x.mean({2, 3}); }

}  // namespace qbitopt
