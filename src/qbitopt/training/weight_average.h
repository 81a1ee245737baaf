#pragma once

#include <vector>

#include "qbitopt/models/network.h"
#include "qbitopt/quant/quantizer.h"
#include "qbitopt/quant/torch.h"
#include "qbitopt/quant/uniform_quantizer.h"

namespace qbitopt {

// The exponential moving average of what training moves (Polyak and Juditsky, 1992; as timm's
// ModelEmaV2 and, with buffers, torchvision's ExponentialMovingAverage):
//
//   average <- decay * average + (1 - decay) * value,   at first: average <- value
//
// Averaged are
// - the weights;
// - running mean and variance of batch norm: each step's statistics belong to that step's weights,
//   so that their average belongs to the average of the weights. Once they are frozen they are
//   constants, and so is their average;
// - widths and offsets of uniform quantizers, which mean the same at every bit-width. With
//   RangeAtChange::kRefit they do not: a quantizer's average then starts anew when its bits change.
// Other quantizers stay as trained: bit-widths follow from their parameters.
class WeightAverage {
 public:
  // `decay` in [0, 1); 0: there is no average, and nothing happens below. `weights`: the network's
  // own parameters.
  WeightAverage(double decay, const std::vector<torch::Tensor>& weights, Network& network,
                const std::vector<QuantizerPtr>& quantizers);

  bool is_on() const { return decay_ > 0; }
  // After a step, and after the bits that it may have changed.
  void update();
  // Forgets the past: the next update() takes the values as they are.
  void restart();
  // Exchanges the network's values and the average. What has no average yet stays.
  void swap();

  // For exact resume. load() comes after the network's; throws std::runtime_error if the number or
  // shape of the tensors differs.
  void save(torch::serialize::OutputArchive& archive) const;
  void load(torch::serialize::InputArchive& archive);

 private:
  struct Item {
    torch::Tensor value;
    torch::Tensor average;
    bool is_empty = true;
    std::shared_ptr<UniformQuantizer> refitted;  // whose change of bits ends the average; or null
    int bits = 0;                                // of `refitted`, at the last update
  };
  void add(const torch::Tensor& value, std::shared_ptr<UniformQuantizer> refitted = nullptr);
  void empty_refitted();

  double decay_;
  std::vector<Item> items_;
};

}  // namespace qbitopt
