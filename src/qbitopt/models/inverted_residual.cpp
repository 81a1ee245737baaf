#include "qbitopt/models/inverted_residual.h"

namespace qbitopt {

InvertedResidual::InvertedResidual(Network& network, const InvertedResidualOptions& options)
    : has_residual_(options.stride == 1 && options.in_channels == options.out_channels) {
  if (options.hidden_channels != options.in_channels) {
    blocks_.emplace_back(network, ConvBlockOptions{.convolution = options.expansion.convolution,
                                                   .batch_norm = options.expansion.batch_norm,
                                                   .in_channels = options.in_channels,
                                                   .out_channels = options.hidden_channels,
                                                   .kernel = 1,
                                                   .activation = options.activation,
                                                   .normalization = options.normalization});
  }
  blocks_.emplace_back(network, ConvBlockOptions{.convolution = options.depthwise.convolution,
                                                 .batch_norm = options.depthwise.batch_norm,
                                                 .in_channels = options.hidden_channels,
                                                 .out_channels = options.hidden_channels,
                                                 .kernel = options.kernel,
                                                 .stride = options.stride,
                                                 .groups = options.hidden_channels,
                                                 .activation = options.activation,
                                                 .normalization = options.normalization});
  if (!options.squeeze_path.empty()) {
    squeeze_excite_.emplace(network,
                            SqueezeExciteOptions{.path = options.squeeze_path,
                                                 .channels = options.hidden_channels,
                                                 .squeezed_channels = options.squeezed_channels,
                                                 .input_activation = options.activation});
  }
  blocks_.emplace_back(network, ConvBlockOptions{.convolution = options.projection.convolution,
                                                 .batch_norm = options.projection.batch_norm,
                                                 .in_channels = options.hidden_channels,
                                                 .out_channels = options.out_channels,
                                                 .kernel = 1,
                                                 .normalization = options.normalization});

  describe_output_of(options.input_activation, first().input_site().spec());
  const size_t depthwise = blocks_.size() - 2;
  if (depthwise > 0) blocks_[0].feeds(blocks_[depthwise]);
  if (squeeze_excite_) {
    // A factor between 0 and 1 keeps the sign.
    describe_output_of(options.activation, projection().input_site().spec());
  } else {
    blocks_[depthwise].feeds(projection());
  }
}

torch::Tensor InvertedResidual::operator()(const torch::Tensor& x) const {
  torch::Tensor y = x;
  for (size_t i = 0; i + 1 < blocks_.size(); ++i) y = blocks_[i](y);
  if (squeeze_excite_) y = (*squeeze_excite_)(y);
  y = blocks_.back()(y);
  return has_residual_ ? y + x : y;
}

void join_single_readers(ConvBlock& stem, std::vector<InvertedResidual>& units, ConvBlock& head) {
  if (!units.front().has_residual()) stem.feeds(units.front().first());
  for (size_t i = 0; i < units.size(); ++i) {
    const bool is_last = i + 1 == units.size();
    if (units[i].has_residual() || (!is_last && units[i + 1].has_residual())) continue;
    units[i].projection().feeds(is_last ? head : units[i + 1].first());
  }
}

}  // namespace qbitopt
