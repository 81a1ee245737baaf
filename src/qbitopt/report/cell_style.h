#pragma once

// Internal to the report: writes cells as text. All formats use the same text, with different
// signs.

#include <functional>
#include <string>

#include "qbitopt/report/table.h"

namespace qbitopt {

struct CellStyle {
  std::string minus;       // in front of negative numbers
  std::string plus_minus;  // between mean and deviation, with its spaces
  std::string none;        // for a missing value
  std::string bold_begin, bold_end;
  std::string mark_begin, mark_end;
  std::function<std::string(const std::string&)> escaped;
};

// "86.40 ± 0.31", "2.98 / 3.00", "+0.42 [−0.31, +1.15]", "(3.10)" of a missed row, "met".
std::string cell_in(const CellStyle& style, const Cell& cell, const ColumnDefinition& column);

// Columns of numbers are aligned to the right.
bool is_numeric(const ColumnDefinition& column);

}  // namespace qbitopt
