#pragma once

#include <functional>
#include <string>

#include "qbitopt/runlog/reader.h"
#include "qbitopt/sweep/plan.h"

namespace qbitopt::app {

// "new", "finished", ...
using StateOfJob = std::function<std::string(const PlannedJob&)>;

// A row for each job: key, state, case (of a job of several cases the first; empty for one that is
// there only because others need it), requested (false for such a job), trial, method, the axes of
// the sweep, seed.
Rows list_of_jobs(const Plan& plan, const StateOfJob& state);

// The same for people: short keys, and no columns that say nothing.
std::string list_text(const Rows& rows);

// The jobs that need no other one, and below each the jobs that need it. A job that needs several
// stands below each of them; what needs it in turn is shown once.
std::string tree_of_jobs(const Plan& plan, const StateOfJob& state);

}  // namespace qbitopt::app
