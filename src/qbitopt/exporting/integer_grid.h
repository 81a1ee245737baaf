#pragma once

#include <cstdint>
#include <optional>

#include "qbitopt/quant/site.h"

namespace qbitopt {

// How a quantizer's values are stored: x_hat = scale * code + offset.
struct IntegerGrid {
  int bits = 8;
  int64_t lowest = -128, highest = 127;  // of the codes
  torch::Tensor scale;                   // float32, [1] or [channels]; > 0
  std::optional<float> offset;

  bool is_signed() const { return lowest < 0; }
  // The lowest code is left out, so that the grid is symmetric.
  bool is_narrow() const { return lowest == -highest; }
  // A byte for each code.
  torch::ScalarType type() const { return is_signed() ? torch::kInt8 : torch::kUInt8; }
};

// Of the quantizer that is attached. Throws InputError for one that is not uniform, and for more
// than 8 bits.
IntegerGrid integer_grid(const QuantizerSite& site);

// The codes that the site quantizes a weight to, in the grid's type and the weight's shape:
// scale * code is what the network computes with, to the last digit.
torch::Tensor codes_of(const QuantizerSite& site, const torch::Tensor& weight);

// The codes of what a quantizer with one scale made: values are scale * code + offset.
torch::Tensor codes_in(const IntegerGrid& grid, const torch::Tensor& values);

// scale * code, float32; scale: one, or one for each of dimension `axis`.
torch::Tensor values_of(const torch::Tensor& codes, const torch::Tensor& scale, int64_t axis = 0);

}  // namespace qbitopt
