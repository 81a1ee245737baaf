#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "qbitopt/core/parameters.h"
#include "qbitopt/quant/batch_norm_quantize.h"
#include "qbitopt/quant/cached_integer.h"
#include "qbitopt/quant/fisher_estimate.h"
#include "qbitopt/quant/grid.h"
#include "qbitopt/quant/quantizer.h"
#include "qbitopt/quant/range_search.h"
#include "qbitopt/quant/torch.h"

namespace qbitopt {

enum class RangeAtChange {
  kKeep,   // a new bit-width keeps the width and changes the step
  kRefit,  // the width is scaled by the ratio of the error-optimal widths of a Gaussian (unsigned:
           // its positive half)
};

// N in LSQ's gradient scale g = 1 / sqrt(N p), for activations (weights: numel, per channel: numel
// of a channel).
enum class LsqGradN { kPerSample, kNumel };

struct UniformQuantizerOptions {
  SignedGrid signed_grid = SignedGrid::kFull;
  // One width an output channel; the bit-width stays one number a tensor.
  bool per_channel_weights = false;
  RangeInit range_init = RangeInit::kMse;
  LsqGradN lsq_grad_n = LsqGradN::kPerSample;
  RangeAtChange range_at_change = RangeAtChange::kKeep;

  // Reads quantizers.{signed_grid, per_channel_weights, range_init, lsq_grad_n} and
  // reallocation.range_at_change of a job; absent ones keep the defaults above. Throws InputError
  // on an unknown choice.
  static UniformQuantizerOptions from(const Parameters& parameters);
};

// A uniform grid whose width r > 0 is learned by gradient descent (RangeOptimizer) and whose
// bit-width others set. Parameter "range": [1] or [channels]. Buffers "bits" and "fisher": a
// checkpoint carries allocation and estimate.
//
// Where the spec has an offset o (LSQ+): x_hat = o + Q(a - o) with Q on the unsigned grid, and a
// parameter "offset", [1]; dL/do is the sum of dL/dx_hat where a lies outside the grid.
class UniformQuantizer : public Quantizer {
 public:
  // Starts at the pinned bits or the widest candidate, with width 1 until calibrated.
  UniformQuantizer(QuantizerSpec spec, UniformQuantizerOptions options = {});

  torch::Tensor forward(const torch::Tensor& x) override;
  bool takes_sixteen_bits(const torch::Tensor& x) const override;
  // What forward() would do to a tensor of this shape, for batch_norm_quantize() to do instead;
  // nullopt if forward() must be called (calibration, an offset, a tap, a sample).
  std::optional<QuantizeStep> joined_step(at::IntArrayRef shape);
  int bits() const override;
  // Throws std::invalid_argument outside 1 .. 16 (signed: from 2).
  void set_bits(int bits) override;
  void begin_calibration() override;
  // Throws InputError if no data came since begin_calibration().
  void end_calibration() override;

  const UniformQuantizerOptions& options() const { return options_; }
  Grid grid() const { return grid_at(bits()); }
  Grid grid_at(int bits) const { return Grid::make(bits, spec().is_signed, options_.signed_grid); }
  // The learned width. Its gradient is dL/dr.
  torch::Tensor& range() { return range_; }
  const torch::Tensor& range() const { return range_; }

  // The learned start of the grid; undefined unless spec().has_offset.
  torch::Tensor& offset() { return offset_; }
  // The width that set_bits(bits) would leave (see RangeAtChange). A copy without a graph.
  torch::Tensor range_at(int bits) const;

  // LSQ's g = 1 / sqrt(N p) at the present bits. N is known after the first forward.
  double gradient_scale() const;

  // Squared gradients seen by backward. Off at first: fisher() returns null.
  void track_fisher(bool on);
  const std::shared_ptr<FisherEstimate>& fisher() const { return tracked_; }

  // Keeps up to `count` values of the (activated) tensor, less its offset, of the last forward in
  // training mode; 0: none. For the measured quantization noise of activations.
  void keep_sample(int64_t count) { sample_size_ = count; }
  const torch::Tensor& sample() const { return sample_; }

  // While set, forward() hands on tap(a) in place of the quantized tensor; a: the tensor after the
  // absorbed activation. For measurements that look at a tensor or put another in its place. Null:
  // none.
  using Tap = std::function<torch::Tensor(const torch::Tensor& a)>;
  void set_tap(Tap tap) { tap_ = std::move(tap); }

 private:
  // Whether forward() is one fake_quantize() of x and nothing else.
  bool is_one_kernel() const;
  void count_elements(at::IntArrayRef shape);

  UniformQuantizerOptions options_;
  torch::Tensor range_;
  torch::Tensor offset_;
  torch::Tensor bits_;  // int64 [1]
  CachedInteger bits_in_buffer_;
  std::shared_ptr<FisherEstimate> fisher_;  // always there, so that checkpoints have one shape
  std::shared_ptr<FisherEstimate> tracked_;
  std::unique_ptr<RangeObserver> observer_;  // during calibration
  int64_t lsq_elements_ = 0;                 // N
  int64_t sample_size_ = 0;
  torch::Tensor sample_;
  Tap tap_;
};

}  // namespace qbitopt
