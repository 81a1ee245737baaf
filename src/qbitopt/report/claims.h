#pragma once

// Internal to the report.

#include <functional>
#include <string>
#include <vector>

#include "qbitopt/report/run_groups.h"
#include "qbitopt/report/table.h"

namespace qbitopt {

// Tests claims that were stated together. A claim holds if its p-value, after Holm's correction for
// the claims that have runs, is below 0.05. `goal_of`: "max" or "min", which direction of a column
// of `runs` is better.
std::vector<ClaimResult> test_claims(const std::vector<ClaimDefinition>& claims,
                                     const RunGroups& groups,
                                     const std::function<std::string(const std::string&)>& goal_of);

}  // namespace qbitopt
