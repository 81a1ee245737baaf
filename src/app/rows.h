#pragma once

#include <string>

#include "qbitopt/runlog/reader.h"

namespace qbitopt::app {

// A list of objects, column by column.
Json as_json(const Rows& rows);

// Columns with a header; floats with at most two decimals. Empty columns are left out.
std::string as_text(const Rows& rows);

}  // namespace qbitopt::app
