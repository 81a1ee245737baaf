#pragma once

#include <string>
#include <vector>

#include "qbitopt/runlog/reader.h"
#include "qbitopt/sweep/plan.h"

namespace qbitopt::app {

// These jobs and those that wait for them, directly or not.
std::vector<std::string> with_dependents(const Reader& reader,
                                         const std::vector<std::string>& keys);

// A plan of stored jobs and of those that they need, each after what it needs.
Plan stored_plan(const Reader& reader, const std::vector<std::string>& keys);

}  // namespace qbitopt::app
