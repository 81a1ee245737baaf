#include "qbitopt/models/network.h"

#include <algorithm>
#include <utility>

#include "qbitopt/core/error.h"

namespace qbitopt {

torch::nn::Module& Network::module_at(const std::string& path) {
  torch::nn::Module* module = this;
  for (size_t begin = 0; begin < path.size();) {
    const size_t dot = std::min(path.find('.', begin), path.size());
    const std::string name = path.substr(begin, dot - begin);
    const auto children = module->named_children();
    const auto* known = children.find(name);
    module = known ? known->get()
                   : module->register_module(name, std::make_shared<torch::nn::Module>()).get();
    begin = dot + 1;
  }
  return *module;
}

void Network::register_at(const std::string& path, std::shared_ptr<torch::nn::Module> module) {
  const size_t dot = path.rfind('.');
  torch::nn::Module& parent = dot == std::string::npos ? *this : module_at(path.substr(0, dot));
  parent.register_module(dot == std::string::npos ? path : path.substr(dot + 1), std::move(module));
}

QuantizedLayer& Network::add_layer(const std::string& path, const LayerOptions& options,
                                   QuantizerSite* shared_input) {
  auto layer = std::make_shared<QuantizedLayer>(path, options, shared_input);
  register_at(path, layer);
  layers_.push_back(layer.get());
  if (layer->owns_input_site()) sites_.push_back(&layer->input_site());
  sites_.push_back(&layer->weight_site());
  return *layer;
}

torch::nn::BatchNorm2d Network::add_batch_norm(const std::string& path, int64_t channels,
                                               const BatchNormOptions& options) {
  torch::nn::BatchNorm2d batch_norm(
      torch::nn::BatchNorm2dOptions(channels).eps(options.epsilon).momentum(options.momentum));
  register_at(path, batch_norm.ptr());
  return batch_norm;
}

Gate& Network::add_gate(const std::string& path) {
  auto gate = std::make_shared<Gate>(path);
  register_at(path, gate);
  gates_.push_back(gate.get());
  sites_.push_back(&gate->site());
  return *gate;
}

void Network::finish_sites() {
  std::vector<QuantizerSite*> ends;
  for (QuantizedLayer* layer : {layers_.front(), layers_.back()})
    ends.insert(ends.end(), {&layer->input_site(), &layer->weight_site()});
  finish_sites(ends, {&layers_.front()->input_site()});
}

void Network::finish_sites(const std::vector<QuantizerSite*>& ends,
                           const std::vector<QuantizerSite*>& images) {
  for (QuantizerSite* site : sites_) {
    std::vector<int>& candidates = site->spec().candidate_bits = options_.candidate_bits;
    if (site->spec().is_signed) std::erase(candidates, 1);  // one code is no grid
    if (candidates.empty()) {
      throw InputError("quantizers.candidate_bits leaves '" + site->spec().name +
                       "' none; signed tensors start at 2 bits");
    }
  }
  if (options_.first_last_bits == 1)
    throw InputError("quantizers.first_last_bits is 1; signed tensors start at 2 bits");
  const auto pin = [&](QuantizerSite* site, int bits) {
    site->spec().pinned_bits = bits;
    site->spec().counted = options_.count_first_last;
  };
  if (options_.first_last_bits > 0) {
    for (QuantizerSite* site : ends) pin(site, options_.first_last_bits);
  }
  for (QuantizerSite* site : images) pin(site, 8);
}

std::vector<LayerSites> Network::layer_sites() const {
  std::vector<LayerSites> sites;
  for (QuantizedLayer* layer : layers_)
    sites.push_back({&layer->input_site(), &layer->weight_site(), layer->weight, layer->macs()});
  return sites;
}

void Network::measure(at::IntArrayRef image_shape) {
  const torch::NoGradGuard no_grad;
  const bool was_training = is_training();
  eval();
  std::vector<int64_t> shape = {1};
  shape.insert(shape.end(), image_shape.begin(), image_shape.end());
  forward(torch::zeros(shape));
  train(was_training);

  for (QuantizerSite* site : sites_) site->spec().macs = 0;
  for (QuantizedLayer* layer : layers_) {
    layer->input_site().spec().elements = layer->input_elements();
    layer->input_site().spec().macs += layer->macs();
    layer->weight_site().spec().macs = layer->macs();
  }
  for (Gate* gate : gates_) {
    gate->site().spec().elements = gate->elements();
    gate->site().spec().macs = gate->products();
  }
}

}  // namespace qbitopt
