#include "qbitopt/report/statistics.h"

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
  const boost::math::students_t distribution(n - 1);
  const double t = boost::math::quantile(distribution, 0.5 + level / 2);
  const double half = t * *deviation / std::sqrt(n);
  return Interval{mean(values) - half, mean(values) + half};
}

SignFlipTest sign_flip_test(const std::vector<std::vector<double>>& blocks) {
  const std::vector<double> shares = shares_of(blocks);
  SignFlipTest test;
  test.pairs = static_cast<int>(shares.size());
  if (shares.empty()) return test;
  test.difference = std::accumulate(shares.begin(), shares.end(), 0.0);
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

}  // namespace qbitopt
