#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "qbitopt/core/random.h"

namespace qbitopt::bench {

// Ranks from 1; equal values share the mean of theirs.
inline std::vector<double> ranks(const std::vector<double>& values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    for (size_t i = begin; i < end; ++i) {
      ranks[order[i]] = 0.5 * static_cast<double>(begin + 1 + end);
    }
  }
  return ranks;
}

// Spearman's: the correlation of ranks. NaN where either side is constant.
inline double spearman(const std::vector<double>& a, const std::vector<double>& b) {
  const std::vector<double> x = ranks(a), y = ranks(b);
  const double mean = 0.5 * static_cast<double>(x.size() + 1);
  double xy = 0, xx = 0, yy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - mean) * (y[i] - mean);
    xx += (x[i] - mean) * (x[i] - mean);
    yy += (y[i] - mean) * (y[i] - mean);
  }
  return xy / std::sqrt(xx * yy);
}

struct Interval {
  double low = 0;
  double high = 0;
};

// The middle 95% of Spearman's correlation over pairs drawn anew with replacement.
inline Interval bootstrap_spearman(const std::vector<double>& a, const std::vector<double>& b,
                                   int draws = 2000) {
  Random random(0, "bootstrap");
  std::vector<double> found;
  std::vector<double> x(a.size()), y(a.size());
  for (int draw = 0; draw < draws; ++draw) {
    for (size_t i = 0; i < a.size(); ++i) {
      const auto drawn = static_cast<size_t>(random.below(a.size()));
      x[i] = a[drawn], y[i] = b[drawn];
    }
    const double correlation = spearman(x, y);
    if (std::isfinite(correlation)) found.push_back(correlation);
  }
  std::sort(found.begin(), found.end());
  if (found.empty()) return {NAN, NAN};
  const auto at = [&](double fraction) {
    return found[static_cast<size_t>(
        std::lround(fraction * static_cast<double>(found.size() - 1)))];
  };
  return {at(0.025), at(0.975)};
}

}  // namespace qbitopt::bench
