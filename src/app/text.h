#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "qbitopt/core/json.h"
#include "qbitopt/sweep/plan.h"

namespace qbitopt::app {

// "4 s", "3 min 20 s", "2 h 5 min", "3 d 4 h".
std::string duration(double seconds);

// A value as a user would write it: strings without quotes, 2.5, true, a list as [2, 3].
std::string plain(const Json& value);

// "qbitopt average_bits=3 seed=1": the parameters that distinguish this job from others of its
// sweep.
std::string label(const PlannedJob& job);

// A path relative to the current folder, if it is inside that folder.
std::string shown(const std::filesystem::path& path);

// Rows as columns two spaces apart, one line for each row whatever a cell contains; the first row
// is the header. Columns of numbers are aligned to the right.
std::string columns(std::vector<std::vector<std::string>> rows);

std::string host_name();

// "search for fracbits.kappa of fracbits at budget.average_bits=3: found 3.16 in 4 runs".
std::string search_text(const SearchState& search);

}  // namespace qbitopt::app
