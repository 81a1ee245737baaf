#pragma once

#include <cstdint>
#include <vector>

#include "qbitopt/allocation/knapsack/hull.h"
#include "qbitopt/allocation/knapsack/knapsack.h"

namespace qbitopt {

// What a step saves per load, and its load.
struct PricedStep {
  double slope;  // > 0
  int64_t load;  // > 0
};

// The smallest price p >= 0 at which the steps with slope > p have loads of at most `slack`
// together: 0 or one of the slopes; infinity if slack < 0. Reorders `steps`; linear time on average
// (a quickselect by load). `scratch`: memory that is used again.
double clearing_price(std::vector<PricedStep>& steps, int64_t slack,
                      std::vector<PricedStep>& scratch);

// The exact solution of a knapsack's Lagrangian dual:
//
//   maximize over multipliers lambda_g >= 0
//     sum_c min_j (cost_cj + price_c * load_cj) - sum_g lambda_g * slack_g
//
// where price_c is the sum of lambda_g over the budgets that hold class c.
//
// Budgets are laminar, so one search per budget is enough, inner ones first: the price of a budget
// is the smallest at which its classes fit, each paying at least the price of its inner budgets.
// lambda_g is what the price rises by from the budget outside to this one.
struct Dual {
  std::vector<double> price;  // [budgets] sum of lambda over the budget and those around it
  // [classes] steps taken: those with slope > price; they keep every budget
  std::vector<int32_t> position;
  std::vector<int64_t> slack;  // [budgets] left free by them
  double bound = 0;  // the dual's value less a rounding margin, in the knapsack's scaled costs

  // `start`: per class, steps that the solution is expected to take (empty: none); classes that
  // would rather take fewer get the others back, so it only saves time. So does `least`: per
  // budget, a price that the solution's is expected to be above (empty: 0).
  void solve(const Knapsack& knapsack, const Hull& hull, const std::vector<int32_t>& start = {},
             const std::vector<double>& least = {});

 private:
  void search_prices(const Knapsack& knapsack, const Hull& hull, const std::vector<double>& least);
  double search_price(const Knapsack& knapsack, const Hull& hull, int budget, double least);
  bool give_back(const Knapsack& knapsack, const Hull& hull);
  void take_steps(const Knapsack& knapsack, const Hull& hull);

  std::vector<double> floor_;  // [classes] highest price of the budgets searched so far
  std::vector<PricedStep> steps_, scratch_;
};

}  // namespace qbitopt
