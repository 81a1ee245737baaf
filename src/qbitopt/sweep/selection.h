#pragma once

#include <functional>
#include <string>
#include <vector>

#include "qbitopt/sweep/plan.h"

namespace qbitopt {

// The plan with the chosen jobs and those that they need, directly or indirectly, in its order.
// Needed jobs that the plan lacks are left to whoever runs it.
Plan selected(const Plan& plan, const std::function<bool(const PlannedJob&)>& is_chosen);

// The cases that some job belongs to, in the order of the plan; those of searches' runs included.
std::vector<std::string> case_names(const Plan& plan);

}  // namespace qbitopt
