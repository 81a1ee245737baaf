#pragma once

#include <optional>
#include <vector>

namespace qbitopt {

// Mean of at least one value.
double mean(const std::vector<double>& values);

// Standard deviation with n - 1, by two passes; nothing for fewer than two values.
std::optional<double> standard_deviation(const std::vector<double>& values);

struct Interval {
  double low = 0;
  double high = 0;
};

// Where the mean of the population lies with probability `level`, if the values are normally
// distributed: mean -+ t(n - 1) * deviation / sqrt(n). Nothing for fewer than two values.
std::optional<Interval> t_interval(const std::vector<double>& values, double level = 0.95);

// Is a difference that was measured in pairs more than chance?
struct SignFlipTest {
  int pairs = 0;
  double difference = 0;  // mean over the blocks of the mean of their differences
  double p = 1;           // share of the sign patterns whose |difference| is at least this large
  double smallest_p = 1;  // that so many pairs could have given
  bool is_exact = true;   // all 2^pairs patterns were counted; else 100,000 drawn ones, seeded
};

// Two-sided. If a pair's two methods were alike, its difference could as well have had the other
// sign, independently of other pairs. Blocks (one a budget) weigh the same however many pairs each
// has; pairs are never compared across blocks. Empty blocks are left out. All patterns are counted
// up to 20 pairs.
SignFlipTest sign_flip_test(const std::vector<std::vector<double>>& blocks);

}  // namespace qbitopt
