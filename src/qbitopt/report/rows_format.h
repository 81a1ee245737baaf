#pragma once

#include <string>

#include "qbitopt/runlog/reader.h"

namespace qbitopt {

// Rows of a query as other programs read them.
//   kCsv        RFC 4180, a header line; NULL is empty, floats with all their digits
//   kJson       a list of objects, columns in their order
//   kJsonLines  an object a line
//   kMarkdown   for people: floats with 6 digits, numbers to the right
// In JSON a column name that is there already gets ":2", ":3", ... behind it.
enum class RowsFormat { kCsv, kJson, kJsonLines, kMarkdown };

std::string write_rows(const Rows& rows, RowsFormat format);

// The lines of kCsv and kJsonLines one by one, for results that are too large to hold; the header
// of JSON lines is empty.
std::string header_line(const std::vector<std::string>& columns, RowsFormat format);
std::string row_line(const std::vector<std::string>& columns, const std::vector<Json>& row,
                     RowsFormat format);

// A cell for people: text as it is, floats with 6 digits, NULL as an empty text.
std::string cell_text(const Json& cell);

// A value as a field of a CSV line, quoted if it must be.
std::string csv_field(const std::string& text);

// Text within a cell of a Markdown table.
std::string markdown_escaped(const std::string& text);

}  // namespace qbitopt
