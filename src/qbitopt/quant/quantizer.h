#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "qbitopt/quant/activation.h"
#include "qbitopt/quant/torch.h"

namespace qbitopt {

enum class TensorKind { kWeight, kActivation };

// What a network says about one tensor that may be quantized. Never changes after the network is
// measured.
struct QuantizerSpec {
  // "features.1.conv.0.0.weight" or ".input": the published layer name and which tensor.
  std::string name;
  TensorKind kind = TensorKind::kWeight;
  bool is_signed = true;  // false: the tensor is never negative (after ReLU)
  // Only where is_signed is false: the grid starts at a learned offset instead of 0 (LSQ+, Bhalgat
  // et al., 2020). For tensors that reach a little below zero, as hard-swish's do (-3/8).
  bool has_offset = false;
  Activation absorbs = Activation::kIdentity;
  std::vector<int> candidate_bits = {2, 3, 4, 5, 6, 7, 8};  // ascending
  std::optional<int> pinned_bits;                           // e.g. first and last layer at 8
  bool counted = true;                                      // enters the budget's average
  int64_t elements = 0;                                     // numel; activations: per sample
  int64_t channels = 1;  // weights: output channels (dimension 0), for one range a channel
  int64_t macs = 0;      // of the layer that consumes it, per sample
  // Weights: name of the activation that their layer multiplies them with; empty: one that is not
  // quantized.
  std::string input;
};

// Simulates one tensor on an integer grid during training. A method may bring its own kind.
// Registered in its layer as "weight_quantizer" or "input_quantizer", so that a checkpoint carries
// ranges and bits under the layer's name.
class Quantizer : public torch::nn::Module {
 public:
  explicit Quantizer(QuantizerSpec spec) : spec_(std::move(spec)) {}

  const QuantizerSpec& spec() const { return spec_; }

  // Applies spec().absorbs, then quantizes. Same shape, type and memory format as x.
  virtual torch::Tensor forward(const torch::Tensor& x) = 0;
  // True if forward() computes in float32 from x as it is, in float16 or bfloat16 (under autocast);
  // otherwise its site hands it x as float32.
  virtual bool takes_sixteen_bits(const torch::Tensor& x) const { return false; }

  // The integer bit-width it works at now (at the end of training: its answer).
  virtual int bits() const = 0;
  virtual void set_bits(int bits) = 0;

  // Calibration: between begin and end, forward() passes data through unquantized (with the
  // absorbed activation) and learns from it; end sets the range for the present bits.
  virtual void begin_calibration() = 0;
  virtual void end_calibration() = 0;

 private:
  QuantizerSpec spec_;
};
using QuantizerPtr = std::shared_ptr<Quantizer>;

}  // namespace qbitopt
