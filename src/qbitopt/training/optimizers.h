#pragma once

#include <memory>
#include <vector>

#include "qbitopt/methods/method.h"
#include "qbitopt/models/network.h"
#include "qbitopt/quant/range_optimizer.h"
#include "qbitopt/quant/torch.h"
#include "qbitopt/training/recipe.h"

namespace qbitopt {

// Everything that a step moves: weights (SGD, or AdamW of Loshchilov and Hutter, 2019, arXiv
// 1711.05101; biases and batch norm without decay), ranges, and what the method trains besides.
class Optimizers {
 public:
  // `weights`: the network's parameters without those of its quantizers.
  Optimizers(const Recipe& recipe, const std::vector<torch::Tensor>& weights,
             const std::vector<QuantizerPtr>& quantizers, const Parameters& parameters,
             const std::vector<ExtraParameters>& extra);

  // Before the first backward pass of a step.
  void zero_grad();
  // The gradients that exist, of everything that step() moves; tensors without one are left out.
  std::vector<torch::Tensor> gradients() const;
  // `factor`: of the learning-rate schedule, for weights, ranges and what follows it. Before it,
  // where the recipe says so, the weights' gradients are scaled down to a largest norm over all of
  // them together (Pascanu et al., 2013, arXiv 1211.5063). Gradients of ranges do not count: each
  // is a sum over its whole tensor, which the range's own optimizer scales (LSQ's g), so that they
  // would decide the norm.
  void step(double factor);
  // Forgets the weights' and ranges' momentum, for a phase that trains anew.
  void restart();

  // Momentum and moments, for exact resume. load() throws c10::Error if the archive has none that fit
  // these tensors.
  void save(torch::serialize::OutputArchive& archive) const;
  void load(torch::serialize::InputArchive& archive);

 private:
  void make();
  std::unique_ptr<torch::optim::Optimizer> make_weight_optimizer() const;
  void clip_gradients();

  Recipe recipe_;
  std::vector<torch::Tensor> weights_;
  std::vector<QuantizerPtr> quantizers_;
  RangeOptimizerOptions range_options_;
  std::unique_ptr<torch::optim::Optimizer> weight_optimizer_;
  std::unique_ptr<RangeOptimizer> range_optimizer_;
  std::vector<ExtraParameters> extra_options_;
  std::vector<std::unique_ptr<torch::optim::Optimizer>> extra_;  // in the same order
};

}  // namespace qbitopt
