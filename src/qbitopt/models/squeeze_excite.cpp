#include "qbitopt/models/squeeze_excite.h"

#include "qbitopt/models/conv_block.h"

namespace qbitopt {

SqueezeExcite::SqueezeExcite(Network& network, const SqueezeExciteOptions& options)
    : squeeze_(&network.add_layer(options.path + ".fc1", {.in_channels = options.channels,
                                                          .out_channels = options.squeezed_channels,
                                                          .kernel = 1,
                                                          .bias = true})),
      excite_(&network.add_layer(options.path + ".fc2", {.in_channels = options.squeezed_channels,
                                                         .out_channels = options.channels,
                                                         .kernel = 1,
                                                         .bias = true})),
      gate_(&network.add_gate(options.path + ".gate")) {
  describe_output_of(options.input_activation, squeeze_->input_site().spec());
  describe_output_of(Activation::kRelu, excite_->input_site().spec());
  excite_->input_site().spec().absorbs = Activation::kRelu;
}

torch::Tensor SqueezeExcite::operator()(const torch::Tensor& x) const {
  const torch::Tensor pooled = x.mean({2, 3}, /*keepdim=*/true);
  return gate_->forward(x, excite_->forward(squeeze_->forward(pooled)));
}

}  // namespace qbitopt
