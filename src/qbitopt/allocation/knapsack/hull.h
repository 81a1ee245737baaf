#pragma once

#include <cstdint>
#include <vector>

#include "qbitopt/allocation/knapsack/knapsack.h"

namespace qbitopt {

// Lower convex hull of every class in the plane of load and cost, as steps from one corner to the
// next. Only hull corners are ever best at a price per load, and along the hull the steps save less
// and less: `slope` falls strictly within a class.
struct Hull {
  std::vector<int32_t> first;  // [classes + 1] steps of class c: first[c] .. first[c + 1] - 1
  std::vector<double> slope;   // [steps] cost saved per load, > 0
  std::vector<int64_t> load;   // [steps] what the step adds, > 0
  // [steps] where it ends; the first step of a class starts at its first choice
  std::vector<int32_t> choice;
  bool is_convex = true;  // every choice is a corner or lies on the hull

  void build(const Knapsack& knapsack);
};

}  // namespace qbitopt
