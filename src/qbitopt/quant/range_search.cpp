#include "qbitopt/quant/range_search.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <mutex>
#include <numeric>
#include <span>
#include <tuple>

#include "qbitopt/quant/kernels/kernels.h"

namespace qbitopt {
namespace {

using torch::Tensor;

// Of all values, those between these two are covered by RangeInit::kPercentile (unsigned: below the
// upper one).
constexpr double kLowerPercentile = 0.0005, kUpperPercentile = 0.9995, kUnsignedPercentile = 0.999;

std::span<const float> span_of(const Tensor& values) {
  return {values.const_data_ptr<float>(), static_cast<size_t>(values.numel())};
}

double squared_error(std::span<const float> values, double range, const Grid& grid) {
  const kernels::Constants constants{static_cast<float>(range / grid.K),
                                     static_cast<float>(grid.K / range), static_cast<float>(grid.n),
                                     static_cast<float>(grid.p)};
  return kernels::best_kernels().squared_error(values.data(), values.size(), constants);
}

double percentile(std::vector<float> values, double fraction) {
  const auto at = values.begin() + std::lround(fraction * (values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

}  // namespace

Tensor spread_sample(const Tensor& x, int64_t limit) {
  const Tensor detached = x.detach();
  const Tensor dense = detached.is_non_overlapping_and_dense() ? detached : detached.contiguous();
  const int64_t count = dense.numel();
  const Tensor flat = dense.as_strided({count}, {1});
  // A stride that shares no factor with the size visits all channels and positions alike.
  int64_t stride = std::max<int64_t>(1, (count + limit - 1) / limit);
  while (std::gcd(stride, count) != 1 && count > 0) ++stride;
  return flat.slice(0, 0, count, stride).to(torch::kCPU, torch::kFloat32).contiguous();
}

double mean_squared_error(const Tensor& values, double range, const Grid& grid) {
  return squared_error(span_of(values), range, grid) / static_cast<double>(values.numel());
}

double mse_range(const Tensor& values, const Grid& grid) {
  const auto [low, high] = values.aminmax();
  const double cover = grid.covering_range(low.item<double>(), high.item<double>());
  if (cover == 0) return 0;
  const std::span<const float> data = span_of(values);

  constexpr int kCandidates = 100;
  std::array<double, kCandidates> errors;
  at::parallel_for(0, kCandidates, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      errors[i] = squared_error(data, cover * static_cast<double>(i + 1) / kCandidates, grid);
    }
  });
  const auto best = std::min_element(errors.begin(), errors.end()) - errors.begin() + 1;

  // Golden section between the best candidate's neighbors.
  double left = cover * std::max<double>(best - 1, 0.5) / kCandidates;
  double right = cover * std::min<double>(best + 1, kCandidates) / kCandidates;
  const double golden = (std::sqrt(5.0) - 1) / 2;
  double a = right - golden * (right - left), b = left + golden * (right - left);
  double error_a = squared_error(data, a, grid), error_b = squared_error(data, b, grid);
  while (right - left > 1e-4 * cover) {
    if (error_a <= error_b) {
      right = b;
      b = a, error_b = error_a;
      a = right - golden * (right - left);
      error_a = squared_error(data, a, grid);
    } else {
      left = a;
      a = b, error_a = error_b;
      b = left + golden * (right - left);
      error_b = squared_error(data, b, grid);
    }
  }
  // The error is not quite unimodal: the search may end above the candidate it started from.
  const double found = error_a <= error_b ? a : b;
  return std::min(error_a, error_b) <= errors[best - 1] ? found : cover * best / kCandidates;
}

void RangeObserver::observe(const Tensor& any_x) {
  if (any_x.numel() == 0) return;
  torch::NoGradGuard no_grad;
  const Tensor x = any_x.detach();
  Tensor sample, low, high;
  if (channels_ == 1) {
    sample = spread_sample(x, limit_).view({1, -1});
    const auto [least, most] = x.aminmax();
    low = least.to(torch::kCPU, torch::kFloat32).view({1});
    high = most.to(torch::kCPU, torch::kFloat32).view({1});
  } else {
    sample = x.to(torch::kCPU, torch::kFloat32).reshape({channels_, -1}).clone();
    std::tie(low, high) = sample.aminmax(1);
  }
  if (!low.isfinite().all().item<bool>() || !high.isfinite().all().item<bool>()) {
    const Tensor clean = torch::nan_to_num(x.to(torch::kCPU, torch::kFloat32), 0, 0, 0);
    std::tie(low, high) = clean.reshape({channels_, -1}).aminmax(1);
    sample = torch::nan_to_num(sample, 0, 0, 0);
  }
  minimum_ = minimum_.defined() ? torch::minimum(minimum_, low) : low;
  maximum_ = maximum_.defined() ? torch::maximum(maximum_, high) : high;
  samples_.push_back(sample);
}

Tensor RangeObserver::range(RangeInit init, const Grid& grid) const {
  const Tensor values = torch::cat(samples_, 1);
  Tensor ranges = torch::ones({channels_}, torch::kFloat32);
  for (int64_t c = 0; c < channels_; ++c) {
    const double cover =
        grid.covering_range(minimum_[c].item<double>(), maximum_[c].item<double>());
    double range = cover;
    const std::span<const float> data = span_of(values[c]);
    if (init == RangeInit::kMse) {
      range = mse_range(values[c], grid);
    } else if (init == RangeInit::kLsq) {
      range = grid.K * 2 * values[c].abs().mean().item<double>() / std::sqrt(grid.p);
    } else if (init == RangeInit::kPercentile) {
      const std::vector<float> copy(data.begin(), data.end());
      range = grid.is_signed() ? grid.covering_range(percentile(copy, kLowerPercentile),
                                                     percentile(copy, kUpperPercentile))
                               : grid.covering_range(0, percentile(copy, kUnsignedPercentile));
    }
    if (range == 0) range = cover;  // fewer non-zero values than the percentile or the sample sees
    if (range > 0) ranges[c] = range;
  }
  return ranges;
}

RangeObserver::RangeWithOffset RangeObserver::range_with_offset(RangeInit init,
                                                                const Grid& grid) const {
  const Tensor values = torch::cat(samples_, 1).flatten();
  const double minimum = std::min(minimum_.min().item<double>(), 0.0);
  const double maximum = maximum_.max().item<double>();
  RangeWithOffset found{maximum - minimum, minimum};
  if (init == RangeInit::kMse) {
    constexpr int kStarts = 32;
    const double top = minimum + mse_range(values - minimum, grid);
    double least = std::numeric_limits<double>::infinity();
    for (int i = 0; i <= kStarts; ++i) {
      const double offset = minimum * i / kStarts;
      if (top <= offset) continue;
      const double error = mean_squared_error(values - offset, top - offset, grid);
      if (error >= least) continue;
      least = error;
      found.offset = offset;
    }
    found.range = mse_range(values - found.offset, grid);
  } else if (init == RangeInit::kLsq) {
    found.range = grid.K * 2 * (values - minimum).mean().item<double>() / std::sqrt(grid.p);
  } else if (init == RangeInit::kPercentile) {
    const std::span<const float> data = span_of(values);
    const std::vector<float> copy(data.begin(), data.end());
    found.offset = std::min(percentile(copy, kLowerPercentile), 0.0);
    found.range = percentile(copy, kUpperPercentile) - found.offset;
  }
  if (found.range <= 0) found.range = maximum > minimum ? maximum - minimum : 1;
  return found;
}

double gaussian_range(const Grid& grid) {
  static std::mutex mutex;
  static std::map<std::pair<double, double>, double> known;
  const std::lock_guard lock(mutex);
  const auto key = std::pair(grid.n, grid.p);
  const auto found = known.find(key);
  if (found != known.end()) return found->second;
  // The middle of each of 2^16 slices of equal probability.
  constexpr int64_t kSlices = 1 << 16;
  const Tensor u = (torch::arange(kSlices, torch::kFloat64) + 0.5) / kSlices;
  const Tensor values = torch::special::ndtri(grid.is_signed() ? u : 0.5 + u / 2);
  return known[key] = mse_range(values.to(torch::kFloat32), grid);
}

}  // namespace qbitopt
