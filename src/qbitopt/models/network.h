#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "qbitopt/core/parameters.h"
#include "qbitopt/core/registry.h"
#include "qbitopt/graph/quantizers.h"
#include "qbitopt/quant/site.h"
#include "qbitopt/quant/torch.h"

namespace qbitopt {

struct NetworkOptions {
  int64_t classes = 10;
  int64_t image_channels = 1;
  uint64_t seed = 0;  // of the initial weights
  // What the sites' specs say (see QuantizerSpec).
  std::vector<int> candidate_bits = {2, 3, 4, 5, 6, 7, 8};
  // Pins weight and input of the first and the last layer; 0: they are free and counted.
  int first_last_bits = 8;
  bool count_first_last = false;  // whether these enter the budget's average though they are pinned
  // Patterns (core/patterns.h) of sites that are pinned like those of the first and the last layer;
  // at 8 bits if first_last_bits is 0.
  std::vector<std::string> pinned;
  QuantizerPlacement placement;
  // In training, batch norm, the activation and the quantizer that follow it share their passes
  // over memory where they can (batch_norm_quantize()), and the gradient of the images is
  // convolve_image()'s.
  bool joined_passes = false;

  // From a job's parameters: quantizers.*. Methods without quantizers have none.
  void take_quantizers(const Parameters& parameters);
};

// The sites of one layer, as it is executed; an input may be shared with other layers.
struct LayerSites {
  QuantizerSite* input;   // null: never quantized (NetworkOptions::placement)
  QuantizerSite* weight;  // likewise
  torch::Tensor latent;   // the parameter that is the weight; undefined if the weight is computed
  // One for each product of a weight with an input, per sample; after measure().
  int64_t macs;
};

// A classifier whose weights and layer inputs may be quantized. Parameter and buffer names are the
// published ones (torchvision, timm); attached quantizers add "<layer>.weight_quantizer.*" and
// "<layer>.input_quantizer.*".
class Network : public torch::nn::Module {
 public:
  explicit Network(NetworkOptions options) : options_(std::move(options)) {}

  // images: [batch, channels, height, width], float32, best channels-last. Returns logits [batch,
  // classes].
  virtual torch::Tensor forward(const torch::Tensor& images) = 0;

  const NetworkOptions& options() const { return options_; }

  // Every site in the order of execution: a layer's input before its weight. A tensor that several
  // layers read has one site, at the first of them. Pointers live as long as the network.
  const std::vector<QuantizerSite*>& sites() const { return sites_; }
  // Of every layer, in the order of execution.
  virtual std::vector<LayerSites> layer_sites() const = 0;

  // Runs one image of this shape (in evaluation mode) and fills elements and MACs of all sites.
  // MACs of a shared input are those of all its layers, those of a gate's factors its products.
  virtual void measure(at::IntArrayRef image_shape) = 0;  // [channels, height, width]

 protected:
  // Last act of a constructor: gives the sites their candidates, pins `ends`, the sites of the
  // first and last layers, and those of options().pinned, as the options say, and `images`, which
  // read the network's input, at 8 bits. Throws InputError if that leaves a site without
  // candidates, or if a pattern fits no site.
  void finish_sites(const std::vector<QuantizerSite*>& ends,
                    const std::vector<QuantizerSite*>& images);
  // One that the network owns, next in the order of execution.
  void add_site(QuantizerSite& site) { sites_.push_back(&site); }

  // The module under a dotted path; the modules on the way are made as needed, and it itself.
  torch::nn::Module& module_at(const std::string& path);
  void register_at(const std::string& path, std::shared_ptr<torch::nn::Module> module);

 private:
  NetworkOptions options_;
  std::vector<QuantizerSite*> sites_;
};

using NetworkRegistry = Registry<Network, const NetworkOptions&>;
// efficientnet_lite0, mobilenet_v2, mobilenet_v2_tiny, mobilenet_v3_small, resnet18, resnet20,
// resnet50, resnet8.
void register_networks(NetworkRegistry& registry);

}  // namespace qbitopt
