#pragma once

// Internal to the report.

#include "qbitopt/report/run_groups.h"
#include "qbitopt/report/table.h"

namespace qbitopt {

// `goal`: "max" or "min", which direction of the claim's column is better.
ClaimResult test_claim(const ClaimDefinition& claim, const RunGroups& groups,
                       const std::string& goal);

}  // namespace qbitopt
