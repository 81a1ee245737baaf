#pragma once

#include <functional>
#include <string>

#include "qbitopt/runlog/reader.h"

namespace qbitopt {

// Rows of a query as other programs read them.
//   kCsv        RFC 4180, a header line; NULL is empty, floats with all their digits; texts that a
//               spreadsheet would compute (=, +, -, @ in front) get an apostrophe in front
//   kJson       a list of objects, columns in their order
//   kJsonLines  an object a line
//   kMarkdown   for people: floats with 6 digits, numbers to the right
// In JSON a column name that is there already gets ":2", ":3", ... behind it.
enum class RowsFormat { kCsv, kJson, kJsonLines, kMarkdown };

std::string write_rows(const Rows& rows, RowsFormat format);

// The same row by row, for results that are too large to hold: begin(), add() for each, end().
// Not for kMarkdown, which looks at all rows first.
class RowsWriter {
 public:
  RowsWriter(RowsFormat format, std::function<void(const std::string&)> out)
      : format_(format), out_(std::move(out)) {}

  void begin(const std::vector<std::string>& columns);
  void add(const std::vector<Json>& row);
  void end();

 private:
  RowsFormat format_;
  std::function<void(const std::string&)> out_;
  std::vector<std::string> names_;
  bool is_empty_ = true;
};

// A cell for people: text as it is, floats with 6 digits, NULL as an empty text.
std::string cell_text(const Json& cell);

// A value as a field of a CSV line, quoted if it must be.
std::string csv_field(const std::string& text);
// The same of a text from outside, which no spreadsheet shall take for a formula.
std::string csv_text_field(const std::string& text);

// Text that means nothing to Markdown, on one line; also within a cell of a table.
std::string markdown_escaped(const std::string& text);

}  // namespace qbitopt
