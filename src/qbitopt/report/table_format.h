#pragma once

#include <string>
#include <vector>

#include "qbitopt/report/table.h"

namespace qbitopt {

// Writes tables as text. A new format needs a file with its function, a line here and one in
// table_formats().
std::string table_as_markdown(const Table& table);
// For booktabs: \usepackage{booktabs}.
std::string table_as_latex(const Table& table);
// One line for each row, with all digits; a column of several numbers becomes several columns.
std::string table_as_csv(const Table& table);
// A fragment without scripts or styles; numbers carry data-value, rows and columns their names.
std::string table_as_html(const Table& table);
// All values, deviations and intervals, the runs behind each cell, and the text of each cell as in
// Markdown, without bold face and marks.
std::string table_as_json(const Table& table);

struct TableFormat {
  std::string name;       // "markdown"
  std::string extension;  // ".md"
  std::string (*write)(const Table&);
};
const std::vector<TableFormat>& table_formats();
// Throws InputError that lists the known ones.
const TableFormat& find_table_format(const std::string& name);

}  // namespace qbitopt
