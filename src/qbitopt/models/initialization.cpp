#include "qbitopt/models/initialization.h"

#include <cmath>
#include <string>

#include "qbitopt/core/random.h"

namespace qbitopt {
namespace {

// Fills in the order of the indices, whatever the memory format.
template <typename Draw>
void fill(torch::Tensor& parameter, uint64_t seed, const std::string& name, Draw draw) {
  const torch::NoGradGuard no_grad;
  Random random(seed, "initial value of " + name);
  torch::Tensor values = torch::empty(parameter.sizes());
  float* value = values.data_ptr<float>();
  for (int64_t i = 0; i < values.numel(); ++i) value[i] = static_cast<float>(draw(random));
  parameter.copy_(values);
}

// `groups_count`: whether a grouped convolution's fan-out is divided by its groups. PyTorch's is
// not.
void initialize_convolutions(Network& network, bool groups_count) {
  for (QuantizedLayer* layer : network.layers()) {
    const LayerOptions& options = layer->options();
    if (options.kind != LayerOptions::Kind::kConvolution) continue;
    const double fan_out =
        static_cast<double>(options.out_channels * options.kernel * options.kernel) /
        static_cast<double>(groups_count ? options.groups : 1);
    const double deviation = std::sqrt(2.0 / fan_out);
    fill(layer->weight, network.options().seed, layer->path() + ".weight",
         [&](Random& random) { return deviation * random.normal(); });
  }
}

}  // namespace

void initialize_convolutions(Network& network) { initialize_convolutions(network, false); }

void initialize_like_efficientnet(Network& network, QuantizedLayer& classifier) {
  initialize_convolutions(network, true);
  const double bound = 1.0 / std::sqrt(static_cast<double>(classifier.options().out_channels));
  fill(classifier.weight, network.options().seed, classifier.path() + ".weight",
       [&](Random& random) { return bound * (2.0 * random.uniform() - 1.0); });
}

void initialize_linear_uniform(Network& network, QuantizedLayer& layer) {
  const double bound = 1.0 / std::sqrt(static_cast<double>(layer.options().in_channels));
  const auto draw = [&](Random& random) { return bound * (2.0 * random.uniform() - 1.0); };
  fill(layer.weight, network.options().seed, layer.path() + ".weight", draw);
  fill(layer.bias, network.options().seed, layer.path() + ".bias", draw);
}

void initialize_linear_normal(Network& network, QuantizedLayer& layer, double deviation) {
  fill(layer.weight, network.options().seed, layer.path() + ".weight",
       [&](Random& random) { return deviation * random.normal(); });
}

}  // namespace qbitopt
