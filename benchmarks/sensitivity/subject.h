#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "qbitopt/models/batch_norm.h"
#include "qbitopt/models/network.h"
#include "qbitopt/quant/torch.h"
#include "qbitopt/quant/uniform_quantizer.h"
#include "qbitopt/sensitivity/sensitivity.h"

namespace qbitopt::bench {

using Batches = std::vector<std::pair<torch::Tensor, torch::Tensor>>;

// A network with quantizers and what a metric may use of it.
struct Subject {
  explicit Subject(const std::string& model) {
    NetworkRegistry registry("model");
    register_networks(registry);
    network = registry.make(model, NetworkOptions{});
    network->measure({1, 28, 28});
  }

  // Attaches a quantizer to every site, at `bits` (pinned ones at theirs), its first width from the
  // calibration batches.
  void quantize(int bits) {
    for (QuantizerSite* site : network->sites()) {
      auto quantizer = std::make_shared<UniformQuantizer>(site->spec());
      if (!site->spec().pinned_bits) quantizer->set_bits(bits);
      quantizer->begin_calibration();
      site->attach(quantizer);
      uniform.push_back(quantizer);
      quantizers.push_back(quantizer);
    }
    const torch::NoGradGuard no_grad;
    for (const auto& [images, labels] : calibration) network->forward(images);
    for (const auto& quantizer : uniform) quantizer->end_calibration();
  }

  // The metric's table before training, with batch norm as the metric wants it.
  CostTable estimate(Sensitivity& metric, uint64_t seed = 0) {
    SensitivityContext ask = context(seed);
    if (metric.uses_running_statistics()) {
      const RunningStatisticsScope scope(*network);
      return metric.estimate(ask);
    }
    const BatchStatisticsScope scope(*network);
    return metric.estimate(ask);
  }

  SensitivityContext context(uint64_t seed = 0) {
    return {.quantizers = quantizers,
            .forward = [this](const torch::Tensor& images) { return network->forward(images); },
            .batches = [this] { return calibration; },
            .seed = seed};
  }

  std::unique_ptr<Network> network;
  Batches calibration;
  std::vector<std::shared_ptr<UniformQuantizer>> uniform;
  std::vector<QuantizerPtr> quantizers;
};

}  // namespace qbitopt::bench
