#pragma once

#include <functional>
#include <string>

#include "qbitopt/runlog/reader.h"

namespace qbitopt {

// Formats for the rows of a query.
//   kCsv        RFC 4180, a header line; NULL is empty, floats with all their digits; texts that a
//               spreadsheet would compute (=, +, -, @ in front) get an apostrophe in front
//   kJson       a list of objects, columns in their order
//   kJsonLines  an object a line
//   kMarkdown   for people: floats with 6 digits, numbers to the right
// In JSON, duplicate column names get a suffix ":2", ":3", ...
enum class RowsFormat { kCsv, kJson, kJsonLines, kMarkdown };

std::string write_rows(const Rows& rows, RowsFormat format);

// Writes row by row, for results that do not fit into memory: begin(), add() for each row, end().
// Not for kMarkdown, which needs all rows first.
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
// The same for a text from outside, protected from being read as a formula by a spreadsheet.
std::string csv_text_field(const std::string& text);

// Text on one line with the special characters of Markdown escaped, also within a cell of a table.
std::string markdown_escaped(const std::string& text);

}  // namespace qbitopt
