#pragma once

#include <algorithm>
#include <cstdint>

namespace qbitopt {

// Where the ends of a signed grid lie. kFull uses all 2^b codes, so its ends are not symmetric:
// (-.53 r, .47 r) at 4 bits, (-.67 r, .33 r) at 2. kSymmetric drops the lowest code.
enum class SignedGrid { kFull, kSymmetric };

// The integer codes of a uniform quantizer of `bits` bits, and how its width r divides into steps:
//
//   unsigned    n = 0           p = 2^b - 1        K = 2^b - 1
//   full        n = -2^(b-1)    p = 2^(b-1) - 1    K = 2^b - 1
//   symmetric   n = -p          p = 2^(b-1) - 1    K = 2 p = 2^b - 2
//
// s = r / K, so a tensor on the grid takes the values s * n, s * (n + 1), ..., s * p.
struct Grid {
  int bits = 8;
  double n = -128;  // lowest code
  double p = 127;   // highest code
  double K = 255;   // steps in the width r

  static Grid make(int bits, bool is_signed, SignedGrid signed_grid = SignedGrid::kFull) {
    const double codes = static_cast<double>(int64_t{1} << bits);
    if (!is_signed) return {bits, 0, codes - 1, codes - 1};
    const double p = codes / 2 - 1;
    if (signed_grid == SignedGrid::kSymmetric) return {bits, -p, p, 2 * p};
    return {bits, -codes / 2, p, codes - 1};
  }

  bool is_signed() const { return n < 0; }
  double step(double range) const { return range / K; }
  // The width whose ends just cover [minimum, maximum]: the smallest r with s n <= minimum and
  // maximum <= s p. 0 if the interval is {0}, or lies below 0 on an unsigned grid.
  double covering_range(double minimum, double maximum) const {
    const double above = std::max(maximum, 0.0) / p;
    const double below = is_signed() ? std::min(minimum, 0.0) / n : 0.0;
    return K * std::max(above, below);
  }
};

}  // namespace qbitopt
