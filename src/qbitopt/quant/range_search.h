#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "qbitopt/quant/grid.h"
#include "qbitopt/quant/torch.h"

namespace qbitopt {

// How the first width of a quantizer is found.
enum class RangeInit {
  kMse,         // least squared error of the quantized values
  kMinMax,      // the grid just covers all values
  kPercentile,  // the grid just covers the middle 99.9% (unsigned: the lower 99.9%)
  kLsq,         // s = 2 mean|x| / sqrt(p) (Esser et al., 2020)
};

// Sees tensors during calibration and finds the widths that suit them. One width a channel
// (dimension 0) or one in all. Of each tensor at most `limit` values (per channel: all) are kept,
// evenly spread; minimum and maximum are exact.
class RangeObserver {
 public:
  static constexpr int64_t kSampleLimit = 1 << 16;

  explicit RangeObserver(int64_t channels, int64_t limit = kSampleLimit)
      : channels_(channels), limit_(limit) {}

  void observe(const torch::Tensor& x);
  bool empty() const { return samples_.empty(); }
  // float32 [channels]. Non-finite values are ignored; a channel without any non-zero value gets 1.
  torch::Tensor range(RangeInit init, const Grid& grid) const;
  // What was kept: float32 [channels, n], contiguous, on the CPU; non-finite values are 0.
  torch::Tensor sample() const { return torch::cat(samples_, 1).contiguous(); }

  // Width and start (at most 0) of an unsigned grid for values that reach below zero. kMse: the
  // start among 33 between the minimum and 0 that suits the values best, then the width.
  struct RangeWithOffset {
    double range, offset;
  };
  RangeWithOffset range_with_offset(RangeInit init, const Grid& grid) const;

 private:
  int64_t channels_;
  int64_t limit_;
  std::vector<torch::Tensor> samples_;  // each float32 [channels, n], contiguous, on the CPU
  torch::Tensor minimum_;               // float32 [channels]
  torch::Tensor maximum_;
};

// Up to `limit` values of x, evenly spread over its memory: float32, 1-dimensional, on the CPU.
torch::Tensor spread_sample(const torch::Tensor& x, int64_t limit);

// Mean squared error of the values when quantized with this width. values: float32, contiguous, on
// the CPU.
double mean_squared_error(const torch::Tensor& values, double range, const Grid& grid);

// The width of least squared error, to 4 digits: 100 candidates up to the covering width, then
// golden section.
double mse_range(const torch::Tensor& values, const Grid& grid);

// The error-optimal width, in standard deviations, of a Gaussian (unsigned grid: of its positive
// half).
double gaussian_range(const Grid& grid);

}  // namespace qbitopt
