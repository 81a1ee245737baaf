#pragma once

#include <string>
#include <vector>

#include "qbitopt/report/table.h"

namespace qbitopt {

// A table as text. To add a format: a file with its function, a line here and one in
// table_formats().
std::string table_as_markdown(const Table& table);
// For booktabs: \usepackage{booktabs}.
std::string table_as_latex(const Table& table);
// One line a row, numbers with all their digits: columns of several numbers become several columns.
std::string table_as_csv(const Table& table);
// A fragment without scripts or styles; numbers carry data-value, rows and columns their names.
std::string table_as_html(const Table& table);
// Everything: values, deviations, intervals, the runs behind each cell, and its text as Markdown
// shows it, but for bold face and marks.
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
