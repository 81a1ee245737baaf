#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "qbitopt/core/error.h"

namespace qbitopt {

// Reads comma-separated values line by line. A value may stand in double quotes, then "" is a quote
// and a comma is text; spaces around a value do not count, neither do empty lines, a byte-order
// mark or how lines end. A quoted value ends on its line.
class CsvReader {
 public:
  struct Cell {
    std::string text;
    int column = 0;  // where it begins in its line, in bytes from 1
  };

  // `text` must outlive this; `file` is for messages.
  CsvReader(std::string_view text, std::string file);

  // The values of the next line that is not empty, in `cells`; false at the end. Throws InputError
  // with the place of a quote that does not end, or is followed by something other than a comma.
  bool next(std::vector<Cell>& cells);

  // Of the line read last.
  Location place(int column = 0) const { return {file_, line_, column}; }
  std::string_view line_text() const { return current_; }

 private:
  size_t read_quoted(size_t at, std::string& value) const;

  std::string_view rest_;
  std::string_view current_;
  std::string file_;
  int line_ = 0;
};

}  // namespace qbitopt
