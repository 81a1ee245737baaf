#pragma once

#include <cstdint>
#include <string>

#include "qbitopt/quant/site.h"
#include "qbitopt/quant/torch.h"

namespace qbitopt {

// Scales each channel of a feature map by a factor between 0 and 1, the gate of a squeeze-excite
// unit. The factors may be quantized, on an unsigned grid. Made by Network::add_gate.
class Gate : public torch::nn::Module {
 public:
  explicit Gate(const std::string& path);

  // x: [batch, channels, height, width]; scores: [batch, channels, 1, 1].
  // Returns x * q(relu6(scores + 3) / 6).
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& scores);

  QuantizerSite& site() { return site_; }

  // Of the latest forward(), per sample: factors, and products of a factor with an element of x.
  int64_t elements() const { return elements_; }
  int64_t products() const { return products_; }

 private:
  QuantizerSite site_;
  int64_t elements_ = 0;
  int64_t products_ = 0;
};

}  // namespace qbitopt
