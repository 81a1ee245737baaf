#pragma once

#include <optional>
#include <string>

#include "qbitopt/runlog/reader.h"
#include "qbitopt/sweep/plan.h"

namespace qbitopt::app {

// Two sweeps of one name would push each other out of the database. What is wrong if it has jobs of
// a sweep of this name that the plan has not, and that sweep has another file, which still is there,
// has this name, and says something else; else nothing. A file that was edited, moved or copied
// elsewhere stays the same sweep.
std::optional<std::string> clash_of_names(const Reader& reader, const Plan& plan);

}  // namespace qbitopt::app
