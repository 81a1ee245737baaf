#pragma once

#include <cstdint>
#include <vector>

#include "qbitopt/allocation/knapsack/dual.h"
#include "qbitopt/allocation/knapsack/hull.h"
#include "qbitopt/allocation/knapsack/knapsack.h"

namespace qbitopt {

// Goes on from `position` (steps taken per class) and `slack` (left free per budget): takes, again
// and again, the step that saves most per load among those that still fit; ties go to the class
// named first. Afterwards no next step fits.
void greedy_fill(const Knapsack& knapsack, const Hull& hull, std::vector<int32_t>& position,
                 std::vector<int64_t>& slack);

// The choices that the classes have reached after their first `position` steps.
std::vector<int32_t> choices_at(const Knapsack& knapsack, const Hull& hull,
                                const std::vector<int32_t>& position);

}  // namespace qbitopt
