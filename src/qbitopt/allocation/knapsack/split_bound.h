#pragma once

#include <cstdint>
#include <vector>

#include "qbitopt/allocation/knapsack/dual.h"
#include "qbitopt/allocation/knapsack/hull.h"
#include "qbitopt/allocation/knapsack/knapsack.h"

namespace qbitopt {

// Brings a Lagrangian bound closer to the optimum. The relaxation behind it leaves one class of a
// budget between two choices, which no allocation can: a class takes at most the smaller of them or
// at least the larger. Each of these halves has a relaxation of its own, with another class in
// between, and the lowest half of all is split next, a few times.
//
// Only steps near the price are looked at. What a half cannot fill with them counts as filled at
// the price where they end, so that the bound holds. Budgets with others inside or around them, and
// steps that leave choices out between their ends (of tables that are not convex), are not split.
class SplitBound {
 public:
  // What dual.bound rises by, in the knapsack's scaled costs; >= 0. `dual` as Dual::solve() leaves
  // it.
  double gain(const Knapsack& knapsack, const Hull& hull, const Dual& dual);

 private:
  struct Step {
    double slope;
    int64_t load;
    int32_t c;
    int32_t index;  // within its class
  };
  // A class may take `least` to `most` of its steps.
  struct Limit {
    int32_t c;
    int32_t least, most;
  };
  struct Half {
    std::vector<Limit> limits;  // at most one a class
    double excess = 0;          // of its relaxation's cost over the dual's value
    int32_t c = -1;             // the class in between, -1: none to split
    int32_t index = 0;          // steps that it takes whole
  };

  double gain_of(const Knapsack& knapsack, const Hull& hull, const Dual& dual, int budget);
  void collect_steps(const Knapsack& knapsack, const Hull& hull, const Dual& dual, int budget);
  void relax(const Knapsack& knapsack, const Hull& hull, const Dual& dual, int budget,
             Half& half) const;
  Half part_of(const Half& whole, const Hull& hull, bool takes_more) const;

  // Near the price, without it: steps not taken, steepest first, and steps taken, flattest first.
  std::vector<Step> next_, taken_;
  // Slopes outside: at most that of the first, at least that of the second. 0 and infinity: none.
  double flattest_ = 0, steepest_ = 0;
  double price_ = 0;
};

}  // namespace qbitopt
