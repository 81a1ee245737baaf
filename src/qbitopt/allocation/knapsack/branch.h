#pragma once

#include <cstdint>
#include <vector>

#include "qbitopt/allocation/knapsack/core_search.h"
#include "qbitopt/allocation/knapsack/dual.h"
#include "qbitopt/allocation/knapsack/hull.h"
#include "qbitopt/allocation/knapsack/knapsack.h"

namespace qbitopt {

// The optimum of one budget's classes by branch and bound over core searches. Where a core search
// would need many states, the dual's bound is far from the optimum because of a few large classes;
// so the class of largest load in doubt is given each of its choices in turn, and what is left is a
// problem with a bound of its own, much closer.
class Branch {
 public:
  struct Limits {
    size_t most_states;  // of one core search; afterwards it branches
    CoreSearch::Clock::time_point deadline;
  };
  struct Proof {
    double bound;  // no allocation of the budget's classes costs less, but for rounding
    bool is_complete;
  };
  // `picked`: per class of `knapsack`, a choice; on entry an allocation that fits, on return the
  // best one found. Only members of `budget`, which has no budget inside or around it, are touched.
  Proof solve(const Knapsack& knapsack, int budget, const Limits& limits,
              std::vector<int32_t>& picked);

 private:
  double solve_node(const Knapsack& node, int depth, std::vector<int32_t>& picked);
  double branch(const Knapsack& node, int depth, double price, double room, double bound,
                std::vector<int32_t>& picked);

  Limits limits_;
  CoreSearch search_;
  double best_ = 0;
  double tolerance_ = 0;
  bool is_complete_ = true;
};

}  // namespace qbitopt
