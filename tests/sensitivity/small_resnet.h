#pragma once

#include <memory>
#include <vector>

#include "qbitopt/models/network.h"
#include "qbitopt/models/resnet.h"
#include "qbitopt/quant/torch.h"
#include "qbitopt/quant/uniform_quantizer.h"
#include "qbitopt/sensitivity/sensitivity.h"

namespace qbitopt {

// Tensors this small are not worth a second thread.
struct OneThread {
  OneThread() { torch::set_num_threads(1); }
  ~OneThread() { torch::set_num_threads(before); }
  const int before = torch::get_num_threads();
};

// A residual network with batch norm, shared inputs and shortcuts, small enough for per-sample
// passes: two blocks of 8 and 16 channels on 8x8 images, every quantizer at 4 bits. (Not 4
// channels: LibTorch 2.13 writes beyond its memory in the weight gradient of a channels-last 1x1
// convolution with 4 input channels and stride 2.)
struct SmallResNet {
  explicit SmallResNet(int64_t count = 32) {
    torch::manual_seed(5);
    network = make_resnet({.stem_channels = 8, .stage_channels = {8, 16}, .stage_blocks = {1, 1}},
                          {.classes = 4, .first_last_bits = 0});
    network->measure({1, 8, 8});
    images = torch::randn({count, 1, 8, 8});
    labels = torch::randint(4, {count});
    network->train();
    for (int i = 0; i < 4; ++i) network->forward(images);  // running statistics of batch norm
    for (QuantizerSite* site : network->sites()) {
      uniform.push_back(std::make_shared<UniformQuantizer>(site->spec()));
      uniform.back()->set_bits(4);
      uniform.back()->begin_calibration();
      site->attach(uniform.back());
      quantizers.push_back(uniform.back());
    }
    network->eval();
    network->forward(images);
    for (const auto& quantizer : uniform) quantizer->end_calibration();
  }

  SensitivityContext context(int64_t batch_size) {
    return {.quantizers = quantizers,
            .forward = [this](const torch::Tensor& x) { return network->forward(x); },
            .batches =
                [this, batch_size] {
                  std::vector<std::pair<torch::Tensor, torch::Tensor>> batches;
                  for (int64_t i = 0; i + batch_size <= images.size(0); i += batch_size) {
                    batches.emplace_back(images.slice(0, i, i + batch_size),
                                         labels.slice(0, i, i + batch_size));
                  }
                  return batches;
                }};
  }

  // A few steps of gradient descent, batch norm in training mode.
  void train(int steps) {
    network->train();
    torch::optim::SGD optimizer(network->parameters(), torch::optim::SGDOptions(0.05));
    for (int i = 0; i < steps; ++i) {
      optimizer.zero_grad();
      torch::cross_entropy_loss(network->forward(images), labels).backward();
      optimizer.step();
    }
    network->zero_grad();
  }

  // The parameter whose quantizer sits at this site.
  torch::Tensor weight_of(const QuantizerSite& site) {
    for (const LayerSites& layer : network->layer_sites()) {
      if (layer.weight == &site) return layer.latent;
    }
    throw std::logic_error("no weight has this site");
  }

  OneThread one_thread;
  std::unique_ptr<Network> network;
  std::vector<std::shared_ptr<UniformQuantizer>> uniform;
  std::vector<QuantizerPtr> quantizers;
  torch::Tensor images, labels;
};

}  // namespace qbitopt
