#include "qbitopt/report/statistics.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "qbitopt/core/random.h"

namespace qbitopt {
namespace {

constexpr int kExactPairs = 20;
constexpr int kDraws = 100'000;

// The contribution of each pair to the statistic: difference / (pairs of its block * blocks).
std::vector<double> shares_of(const std::vector<std::vector<double>>& blocks) {
  double count = 0;
  for (const auto& block : blocks) count += !block.empty();
  std::vector<double> shares;
  for (const auto& block : blocks) {
    for (const double difference : block)
      shares.push_back(difference / (static_cast<double>(block.size()) * count));
  }
  return shares;
}

// mean -+ t * sqrt(variance of the mean).
Interval t_interval(double mean, double variance, double degrees, double level) {
  const boost::math::students_t distribution(degrees);
  const double half = boost::math::quantile(distribution, 0.5 + level / 2) * std::sqrt(variance);
  return {mean - half, mean + half};
}

// Of the mean of the blocks' means.
std::optional<Interval> interval_of(const std::vector<std::vector<double>>& blocks, double mean) {
  double variance = 0, squares = 0, count = 0;  // count: of blocks
  for (const auto& block : blocks) {
    if (block.empty()) continue;
    const std::optional<double> deviation = standard_deviation(block);
    if (!deviation) return std::nullopt;
    const auto n = static_cast<double>(block.size());
    const double share = *deviation * *deviation / n;
    variance += share;
    squares += share * share / (n - 1);
    ++count;
  }
  if (count == 0) return std::nullopt;
  if (variance == 0) return Interval{mean, mean};
  return t_interval(mean, variance / (count * count), variance * variance / squares, 0.95);
}

}  // namespace

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

std::optional<double> standard_deviation(const std::vector<double>& values) {
  if (values.size() < 2) return std::nullopt;
  const double center = mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - center) * (value - center);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

std::optional<Interval> t_interval(const std::vector<double>& values, double level) {
  const std::optional<double> deviation = standard_deviation(values);
  if (!deviation) return std::nullopt;
  const auto n = static_cast<double>(values.size());
  return t_interval(mean(values), *deviation * *deviation / n, n - 1, level);
}

SignFlipTest sign_flip_test(const std::vector<std::vector<double>>& blocks) {
  const std::vector<double> shares = shares_of(blocks);
  SignFlipTest test;
  test.pairs = static_cast<int>(shares.size());
  if (shares.empty()) return test;
  test.positive = static_cast<int>(
      std::count_if(shares.begin(), shares.end(), [](double share) { return share > 0; }));
  test.difference = std::accumulate(shares.begin(), shares.end(), 0.0);
  test.interval = interval_of(blocks, test.difference);
  double scale = 0;
  for (const double share : shares) scale += std::abs(share);
  // A pattern that differs only by rounding counts as equally large.
  const double threshold = std::abs(test.difference) - 1e-12 * scale;

  test.is_exact = test.pairs <= kExactPairs;
  if (test.is_exact) {
    const uint64_t patterns = uint64_t{1} << test.pairs;
    uint64_t as_large = 0;
    for (uint64_t pattern = 0; pattern < patterns; ++pattern) {
      double sum = 0;
      for (int i = 0; i < test.pairs; ++i) sum += (pattern >> i & 1) != 0 ? -shares[i] : shares[i];
      as_large += std::abs(sum) >= threshold;
    }
    test.p = static_cast<double>(as_large) / static_cast<double>(patterns);
    test.smallest_p = 2.0 / static_cast<double>(patterns);
    return test;
  }
  // The measured pattern counts as one of the draws, so that p is never zero.
  int as_large = 1;
  for (int draw = 0; draw < kDraws; ++draw) {
    Random random(0, "sign_flip", static_cast<uint64_t>(draw));
    double sum = 0;
    for (const double share : shares) sum += random.uniform() < 0.5 ? -share : share;
    as_large += std::abs(sum) >= threshold;
  }
  test.p = as_large / (kDraws + 1.0);
  test.smallest_p = 1 / (kDraws + 1.0);
  return test;
}

std::vector<double> holm_adjusted(const std::vector<double>& p_values) {
  std::vector<size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return p_values[a] < p_values[b]; });
  std::vector<double> adjusted(p_values.size());
  double largest = 0;
  for (size_t rank = 0; rank < order.size(); ++rank) {
    const double p = p_values[order[rank]] * static_cast<double>(order.size() - rank);
    largest = std::min(1.0, std::max(largest, p));
    adjusted[order[rank]] = largest;
  }
  return adjusted;
}

}  // namespace qbitopt
