#include "qbitopt/allocation/knapsack/dual.h"

#include <algorithm>
#include <cmath>

namespace qbitopt {
namespace {

// Middle one of up to nine slopes, evenly spaced.
double pivot_of(const PricedStep* steps, size_t count) {
  double sample[9];
  const size_t samples = std::min<size_t>(9, count);
  for (size_t i = 0; i < samples; ++i) sample[i] = steps[i * count / samples].slope;
  std::nth_element(sample, sample + samples / 2, sample + samples);
  return sample[samples / 2];
}

}  // namespace

double clearing_price(std::vector<PricedStep>& steps, int64_t slack,
                      std::vector<PricedStep>& scratch) {
  if (slack < 0) return kInfinity;
  if (scratch.size() < steps.size()) scratch.resize(steps.size());
  PricedStep* from = steps.data();
  PricedStep* to = scratch.data();
  size_t count = steps.size();
  while (count > 0) {
    const double pivot = pivot_of(from, count);
    // Steeper ones go to the front of `to`, flatter ones to its back; no branch depends on the
    // data.
    size_t steeper = 0;
    size_t flatter = count;
    int64_t steeper_load = 0;
    int64_t pivot_load = 0;
    for (size_t i = 0; i < count; ++i) {
      const PricedStep step = from[i];
      const bool is_steeper = step.slope > pivot;
      const bool is_flatter = step.slope < pivot;
      to[steeper] = step;
      steeper += is_steeper;
      to[flatter - 1] = is_flatter ? step : to[flatter - 1];
      flatter -= is_flatter;
      steeper_load += is_steeper ? step.load : 0;
      pivot_load += is_steeper || is_flatter ? 0 : step.load;
    }
    if (steeper_load > slack) {
      count = steeper;
    } else if (steeper_load + pivot_load > slack) {
      return pivot;
    } else {
      slack -= steeper_load + pivot_load;
      from += flatter;
      to += flatter;
      count -= flatter;
    }
    std::swap(from, to);
  }
  return 0;
}

// Steps that save no more than `least` are left out; where all others fit, they matter after all.
double Dual::search_price(const Knapsack& knapsack, const Hull& hull, int budget, double least) {
  steps_.clear();
  int64_t free = knapsack.slack[budget];
  for (const int32_t c : knapsack.members(budget)) {
    const int32_t begin = hull.first[c];
    const int32_t end = hull.first[c + 1];
    const int32_t start = begin + position[c];
    const double floor = std::max(floor_[c], least);
    for (int32_t i = begin; i < start; ++i) free -= hull.load[i];
    for (int32_t i = start; i < end && hull.slope[i] > floor; ++i) {
      steps_.push_back({hull.slope[i], hull.load[i]});
    }
  }
  const double found = clearing_price(steps_, free, scratch_);
  return found > 0 || least == 0 ? found : search_price(knapsack, hull, budget, 0);
}

void Dual::search_prices(const Knapsack& knapsack, const Hull& hull,
                         const std::vector<double>& least) {
  const int budgets = knapsack.budgets();
  price.assign(budgets, 0);
  floor_.assign(knapsack.classes(), 0);
  for (int g = 0; g < budgets; ++g) {
    price[g] = search_price(knapsack, hull, g, least.empty() ? 0 : least[g]);
    for (const int32_t c : knapsack.members(g)) floor_[c] = std::max(floor_[c], price[g]);
  }
  for (int g = budgets - 1; g >= 0; --g) {
    if (knapsack.parent[g] >= 0) price[g] = std::max(price[g], price[knapsack.parent[g]]);
  }
}

// Puts back the steps that were taken in advance but save too little. True if there were any.
bool Dual::give_back(const Knapsack& knapsack, const Hull& hull) {
  bool any = false;
  for (int c = 0; c < knapsack.classes(); ++c) {
    int32_t& taken = position[c];
    while (taken > 0 && hull.slope[hull.first[c] + taken - 1] <= floor_[c]) {
      --taken;
      any = true;
    }
  }
  return any;
}

void Dual::take_steps(const Knapsack& knapsack, const Hull& hull) {
  slack = knapsack.slack;
  long double value = 0;
  long double magnitude = 0;
  for (int c = 0; c < knapsack.classes(); ++c) {
    const double class_price = floor_[c];
    int32_t step = hull.first[c] + position[c];
    while (step < hull.first[c + 1] && hull.slope[step] > class_price) ++step;
    position[c] = step - hull.first[c];
    const int32_t choice = position[c] == 0 ? knapsack.first[c] : hull.choice[step - 1];
    const int64_t load = knapsack.load[choice];
    if (load != 0) {
      for (int g = knapsack.leaf[c]; g >= 0; g = knapsack.parent[g]) slack[g] -= load;
    }
    const long double paid = static_cast<long double>(class_price) * static_cast<long double>(load);
    value += knapsack.cost[choice] + paid;
    magnitude += std::abs(knapsack.cost[choice]) + paid;
  }
  for (int g = 0; g < knapsack.budgets(); ++g) {
    const double outside = knapsack.parent[g] < 0 ? 0 : price[knapsack.parent[g]];
    const long double rent = static_cast<long double>(price[g] - outside) * knapsack.slack[g];
    value -= rent;
    magnitude += rent;
  }
  // The choices' minima were found in double: each may be off by a rounding.
  bound = static_cast<double>(value - 0x1.0p-51L * magnitude);
}

void Dual::solve(const Knapsack& knapsack, const Hull& hull, const std::vector<int32_t>& start,
                 const std::vector<double>& least) {
  position = start;
  position.resize(knapsack.classes(), 0);
  do {
    search_prices(knapsack, hull, least);
  } while (give_back(knapsack, hull));
  take_steps(knapsack, hull);
}

}  // namespace qbitopt
