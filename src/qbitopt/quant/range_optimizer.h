#pragma once

#include <memory>
#include <vector>

#include "qbitopt/quant/torch.h"
#include "qbitopt/quant/uniform_quantizer.h"

namespace qbitopt {

enum class RangeOptimizerKind { kSgd, kAdam };

struct RangeOptimizerOptions {
  RangeOptimizerKind kind = RangeOptimizerKind::kSgd;
  double learning_rate = 1e-2;
  double momentum = 0.9;              // SGD
  double beta1 = 0.9, beta2 = 0.999;  // Adam
  double epsilon = 1e-8;              // Adam, in the unit of dL/ds

  // Reads ranges.{optimizer, learning_rate, momentum (Adam: beta1)} of a job. Throws InputError on
  // an unknown optimizer.
  static RangeOptimizerOptions from(const Parameters& parameters);
};

// Trains the widths r of uniform quantizers, and their offsets where they have one. Its state lives
// in the unit of dL/dr, which hardly changes with the bit-width, so it survives a new allocation;
// only the step is scaled, so that s = r / K moves as if s were the parameter of LSQ:
//
//   SGD    m <- mu m + dL/dr                r <- r - lr K^2 g m,      g = 1 / sqrt(N p)
//   Adam   m, v from dL/dr                  r <- r - lr K m^ / (sqrt(v^) + epsilon / K)
//
// One step widens or narrows a range by at most a factor of 1.25, and no range is below
// kRangeFloor; where that holds a range back, its momentum ends. A width of 8 bits moves K^2 = 65025
// times its gradient: without the bound, a few steps of momentum carry one below zero, where the
// next gradient, of a layer that has no outputs left, throws it to 10^6 times its size, for good.
// An offset moves like s: the same with K = 1, unbounded.
class RangeOptimizer {
 public:
  // Quantizers of other kinds are left alone: their method trains them.
  RangeOptimizer(const std::vector<QuantizerPtr>& quantizers, RangeOptimizerOptions options);

  // One step with the gradients that are there; a width without a gradient stays. Schedules pass
  // the factor by which they lower the learning rate now.
  void step(double learning_rate_factor = 1);
  void zero_grad();
  // Of the widths and offsets that have one now.
  std::vector<torch::Tensor> gradients() const;

  // Momentum and counters, for exact resume. load() throws std::runtime_error if the number or
  // shape of ranges differs.
  void save(torch::serialize::OutputArchive& archive) const;
  void load(torch::serialize::InputArchive& archive);

 private:
  struct Item {
    std::shared_ptr<UniformQuantizer> quantizer;
    bool is_offset;
    torch::Tensor first;   // momentum, or Adam's m
    torch::Tensor second;  // Adam's v
    int64_t steps = 0;

    torch::Tensor& value() const { return is_offset ? quantizer->offset() : quantizer->range(); }
  };
  RangeOptimizerOptions options_;
  std::vector<Item> items_;
};

}  // namespace qbitopt
