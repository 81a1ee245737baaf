#pragma once

#include <cstdint>
#include <vector>

#include "qbitopt/allocation/knapsack/dual.h"
#include "qbitopt/allocation/knapsack/knapsack.h"

namespace qbitopt {

// Improves an allocation that fits: changes the choice of one class, or of two under the same
// budgets (one makes room for the other), by the pair that saves most, until no pair saves anything
// or `most_rounds` are over. Choices whose reduced cost at the dual's price exceeds the distance to
// its bound cannot help and are not looked at.
void exchange(const Knapsack& knapsack, const Dual& dual, std::vector<int32_t>& picked,
              int most_rounds = 200);

}  // namespace qbitopt
