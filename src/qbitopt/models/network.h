#pragma once

#include <torch/torch.h>

#include <memory>
#include <string>
#include <vector>

#include "qbitopt/core/registry.h"
#include "qbitopt/quant/site.h"

namespace qbitopt {

// A classifier whose weights and layer inputs may be quantised. Parameter and buffer names are the published
// ones (torchvision, timm); attached quantisers add "<layer>.weight_quantizer.*" and "<layer>.input_quantizer.*".
class Network : public torch::nn::Module {
 public:
  // images: [batch, channels, height, width], float32. Returns logits [batch, classes].
  virtual torch::Tensor forward(const torch::Tensor& images) = 0;

  // Every site in the order of execution: a layer's input before its weight. Pointers live as long as the network.
  const std::vector<QuantizerSite*>& sites() const { return sites_; }

  // Runs one image of this shape (in evaluation mode, without gradients) and fills elements and MACs of all sites.
  void measure(at::IntArrayRef image_shape);  // [channels, height, width]

 protected:
  void add_site(QuantizerSite& site) { sites_.push_back(&site); }

 private:
  std::vector<QuantizerSite*> sites_;
};

struct NetworkOptions {
  int64_t classes = 10;
  int64_t image_channels = 1;
};

using NetworkRegistry = Registry<Network, const NetworkOptions&>;
// mobilenet_v2_tiny, resnet8, resnet20.
void register_networks(NetworkRegistry& registry);

}  // namespace qbitopt
