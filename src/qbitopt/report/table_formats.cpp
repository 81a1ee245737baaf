#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"
#include "qbitopt/report/table_format.h"

namespace qbitopt {

const std::vector<TableFormat>& table_formats() {
  static const std::vector<TableFormat> formats = {{"markdown", ".md", table_as_markdown},
                                                   {"latex", ".tex", table_as_latex},
                                                   {"csv", ".csv", table_as_csv},
                                                   {"html", ".html", table_as_html},
                                                   {"json", ".json", table_as_json}};
  return formats;
}

const TableFormat& find_table_format(const std::string& name) {
  std::vector<std::string> known;
  for (const TableFormat& format : table_formats()) {
    if (format.name == name) return format;
    known.push_back(format.name);
  }
  throw InputError(unknown_name("format", name, known));
}

}  // namespace qbitopt
