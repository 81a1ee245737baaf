#pragma once

#include <optional>
#include <vector>

namespace qbitopt {

// Mean of at least one value.
double mean(const std::vector<double>& values);

// Standard deviation with n - 1, computed in two passes; nullopt for fewer than two values.
std::optional<double> standard_deviation(const std::vector<double>& values);

struct Interval {
  double low = 0;
  double high = 0;
};

// Confidence interval of the mean at `level`, if the values are normally distributed: mean -+ t(n -
// 1) * deviation / sqrt(n). Nullopt for fewer than two values.
std::optional<Interval> t_interval(const std::vector<double>& values, double level = 0.95);

// Result of a test whether a difference that was measured in pairs is more than chance.
struct SignFlipTest {
  int pairs = 0;
  int positive = 0;       // pairs with a difference above 0
  double difference = 0;  // mean over the blocks of the mean of their differences
  // 95% t interval of the difference (degrees of freedom after Satterthwaite, 1946, if there are
  // several blocks); nullopt if a block has a single pair.
  std::optional<Interval> interval;
  double p = 1;           // fraction of the sign patterns with a |difference| of at least this size
  double smallest_p = 1;  // the smallest p that this number of pairs can give
  bool is_exact = true;   // all 2^pairs patterns were counted; else 100,000 random ones, seeded
};

// Two-sided sign-flip test. If the two methods of a pair were equal, its difference could as well
// have had the other sign, independently of other pairs. Blocks (one for each budget) have equal
// weights, whatever their number of pairs; pairs are never compared across blocks. Empty blocks are
// ignored. All patterns are counted for up to 20 pairs.
SignFlipTest sign_flip_test(const std::vector<std::vector<double>>& blocks);

// p-values of several tests, corrected so that the chance of any false claim among them stays
// below the level at which each is read (Holm, 1979). In the order given; none is above 1.
std::vector<double> holm_adjusted(const std::vector<double>& p_values);

}  // namespace qbitopt
