#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "qbitopt/allocation/relax_greedy.h"
#include "qbitopt/core/names.h"
#include "qbitopt/methods/budget_problem.h"
#include "qbitopt/models/graph_network.h"
#include "qbitopt/models/network.h"
#include "qbitopt/quant/range_optimizer.h"
#include "qbitopt/quant/torch.h"
#include "qbitopt/sensitivity/fit.h"
#include "qbitopt/training/autocast.h"
#include "qbitopt/training/fused_sgd.h"
#include "qbitopt/training/loss_scale.h"

namespace qbitopt::bench {

// What a Trainee's network is trained with.
enum class Training {
  kFp32,
  kFixed,    // quantizers at 4 bits with learned ranges
  kQbitopt,  // the same, and the accumulation of FIT
};

// A network on made-up images with everything that one step of its training needs.
class Trainee {
 public:
  using MakeQuantizer = std::function<QuantizerPtr(const QuantizerSpec&)>;

  // `model`: a built-in network, or a .pt2 file. image_shape: {channels, height, width}. `make`:
  // null for UniformQuantizer. joined_passes: as in NetworkOptions, for a built-in network.
  Trainee(const std::string& model, int64_t batch_size, std::vector<int64_t> image_shape,
          int64_t classes, Training training, torch::Device device = torch::kCPU,
          const MakeQuantizer& make = nullptr, Precision precision = Precision::kFloat32,
          bool joined_passes = true)
      : training_(training), precision_(precision) {
    torch::manual_seed(1);
    NetworkOptions options;
    options.image_channels = image_shape[0];
    options.classes = classes;
    options.joined_passes = joined_passes;
    network_ = make_network(model, options);
    network_->measure(image_shape);
    network_->to(device);
    image_shape.insert(image_shape.begin(), batch_size);
    images_ = torch::randn(image_shape).contiguous(at::MemoryFormat::ChannelsLast).to(device);
    labels_ = torch::randint(classes, {batch_size}).to(device);
    weights_ = std::make_unique<FusedSgd>(
        network_->parameters(),
        torch::optim::SGDOptions(kLearningRate).momentum(0.9).weight_decay(1e-4));
    if (training != Training::kFp32) quantize(device, make);
  }

  // Returns the loss.
  torch::Tensor step() {
    weights_->zero_grad();
    if (ranges_) ranges_->zero_grad();
    const bool is_scaled = precision_ == Precision::kFloat16;
    const double scale = is_scaled ? loss_scale_.value : 1;
    const torch::Tensor loss = torch::cross_entropy_loss(logits(), labels_);
    (is_scaled ? loss * scale : loss).backward();
    const bool is_finite = !is_scaled || loss_scale_.unscale(gradients());
    if (training_ == Training::kQbitopt) fit_.observe_step(quantizers_, images_.size(0), scale);
    if (!is_finite) return loss.detach();
    weights_->step();
    if (ranges_) ranges_->step();
    return loss.detach();
  }

  Network& network() { return *network_; }
  const std::vector<QuantizerPtr>& quantizers() const { return quantizers_; }
  const torch::Tensor& images() const { return images_; }
  const torch::Tensor& labels() const { return labels_; }

  // Reads FIT, solves for 3 bits on average, sets the bits.
  void reallocate() {
    std::vector<QuantizerSpec> specs;
    for (const QuantizerPtr& quantizer : quantizers_) specs.push_back(quantizer->spec());
    Problem problem = budget_problem(specs, Parameters(Json::object({{"budget.average_bits", 3}})));
    SensitivityContext context{.quantizers = quantizers_, .forward = {}, .batches = {}};
    const CostTable table = fit_.current(context);
    for (size_t i = 0; i < specs.size(); ++i) {
      if (!specs[i].pinned_bits) problem.quantizers[i].costs = table.costs[i];
    }
    const Solution solution = solver_.solve(problem);
    for (size_t i = 0; i < specs.size(); ++i) quantizers_[i]->set_bits(solution.bits[i]);
  }

 private:
  static constexpr double kLearningRate = 1e-6;  // made-up labels would make it diverge

  static std::unique_ptr<Network> make_network(const std::string& model,
                                               const NetworkOptions& options) {
    if (names_graph_file(model)) return read_graph_network(model, options);
    NetworkRegistry registry("model");
    register_networks(registry);
    return registry.make(model, options);
  }

  torch::Tensor logits() {
    const Autocast autocast(precision_, images_.device());
    return network_->forward(images_).to(torch::kFloat32);
  }

  std::vector<torch::Tensor> gradients() const {
    std::vector<torch::Tensor> gradients;
    const auto add = [&](const torch::nn::Module& module) {
      for (const torch::Tensor& parameter : module.parameters())
        if (parameter.grad().defined()) gradients.push_back(parameter.grad());
    };
    add(*network_);
    for (const QuantizerPtr& quantizer : quantizers_) add(*quantizer);
    return gradients;
  }

  void quantize(torch::Device device, const MakeQuantizer& make) {
    for (QuantizerSite* site : network_->sites()) {
      const QuantizerPtr quantizer =
          make ? make(site->spec()) : std::make_shared<UniformQuantizer>(site->spec());
      if (!site->spec().pinned_bits) quantizer->set_bits(4);
      quantizer->begin_calibration();
      quantizer->to(device);
      site->attach(quantizer);
      quantizers_.push_back(quantizer);
    }
    {
      const torch::NoGradGuard no_grad;
      network_->forward(images_);
    }
    for (const QuantizerPtr& quantizer : quantizers_) quantizer->end_calibration();
    ranges_ = std::make_unique<RangeOptimizer>(
        quantizers_, RangeOptimizerOptions{.learning_rate = kLearningRate});
    if (training_ == Training::kQbitopt) fit_.start(quantizers_);
  }

  Training training_;
  Precision precision_;
  LossScale loss_scale_;
  std::unique_ptr<Network> network_;
  torch::Tensor images_, labels_;
  std::unique_ptr<FusedSgd> weights_;
  std::vector<QuantizerPtr> quantizers_;
  std::unique_ptr<RangeOptimizer> ranges_;
  Fit fit_;
  RelaxGreedy solver_;
};

}  // namespace qbitopt::bench
