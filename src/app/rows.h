#pragma once

#include <string>

#include "qbitopt/runlog/reader.h"

namespace qbitopt::app {

// A list of objects, column by column.
Json as_json(const Rows& rows);

// Columns under their names; floats with at most two decimals. Columns without any value are left
// out.
std::string as_text(const Rows& rows);

}  // namespace qbitopt::app
