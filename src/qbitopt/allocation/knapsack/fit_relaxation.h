#pragma once

#include <cstdint>
#include <vector>

#include "qbitopt/allocation/knapsack/knapsack.h"

namespace qbitopt {

// The real bit-width at which one more bit saves what it costs, for costs S / (2^b - 1)^2 (FIT
// under uniform noise) at a price per bit. With u = 2^b - 1 and k = 2 ln2 * S / price, stationarity
// of S / u^2 + price * b is the cubic
//
//   u^3 = k * (u + 1)
//
// with one positive root. k > 0; k = 6.75 gives 2 bits.
double relaxed_bits(double k);

// The continuous relaxation of a knapsack whose costs all have that form: bits are real numbers
// between each class's ends. Prices are found as in Dual, by one search per budget, inner ones
// first; since b depends on log2 k alone, each step of a search is a table look-up per class.
struct FitRelaxation {
  std::vector<double> bits;   // [classes] the optimum, to 1e-8
  std::vector<double> price;  // [budgets] cost per load at the optimum (a load: weight * bits)

  // False, and nothing is filled in, if some class's costs have another form (beyond 1e-9 of their
  // size).
  bool solve(const Problem& problem, const Knapsack& knapsack);

 private:
  struct Shape {
    double log2_scale;  // log2(2 ln2 * S / weight): log2 k is this less log2 price
    double lowest;      // log2 k at the smallest candidate
    double highest;     // and at the largest
    double weight;
    double log2_price;  // highest price of the budgets searched so far
  };
  bool recognize(const Problem& problem, const Knapsack& knapsack);
  double search(const Knapsack& knapsack, int budget);

  std::vector<Shape> shapes_;
};

}  // namespace qbitopt
