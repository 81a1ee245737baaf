#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "qbitopt/core/json.h"
#include "qbitopt/sweep/plan.h"

namespace qbitopt::app {

// "4 s", "3 min 20 s", "2 h 5 min", "3 d 4 h".
std::string duration(double seconds);

// A value as a person writes it: text without quotes, 2.5, true, a list as [2, 3].
std::string plain(const Json& value);

// "qbitopt average_bits=3 seed=1": what tells this job from the others of its sweep.
std::string label(const PlannedJob& job);

// A path as seen from the current folder, if it is below that.
std::string shown(const std::filesystem::path& path);

// Rows as columns two spaces apart, a line each whatever a cell holds; the first row is the header.
// Columns of numbers go to the right.
std::string columns(std::vector<std::vector<std::string>> rows);

std::string host_name();

// "search for fracbits.kappa of fracbits at budget.average_bits=3: found 3.16 in 4 runs".
std::string search_text(const SearchState& search);

}  // namespace qbitopt::app
