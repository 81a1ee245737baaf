#pragma once

#include <optional>
#include <string>

#include "qbitopt/runlog/reader.h"
#include "qbitopt/sweep/plan.h"

namespace qbitopt::app {

// Two sweeps with one name would orphan each other's jobs in the database. Returns an error message
// if the database has a sweep of this name with jobs that the plan lacks, and that sweep is from
// another file that still exists, has this name and a different content; else nullopt. A file that
// was edited, moved or copied is the same sweep.
std::optional<std::string> clash_of_names(const Reader& reader, const Plan& plan);

}  // namespace qbitopt::app
