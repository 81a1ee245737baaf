#pragma once

#include <string>
#include <vector>

#include "qbitopt/runlog/reader.h"
#include "qbitopt/sweep/plan.h"

namespace qbitopt::app {

// These jobs and those that need them, directly or indirectly.
std::vector<std::string> with_dependents(const Reader& reader,
                                         const std::vector<std::string>& keys);

// A plan of stored jobs and the jobs that they need, each after those that it needs.
Plan stored_plan(const Reader& reader, const std::vector<std::string>& keys);

}  // namespace qbitopt::app
