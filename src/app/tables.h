#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "qbitopt/report/table.h"
#include "qbitopt/report/table_format.h"
#include "qbitopt/runlog/database.h"

namespace qbitopt::app {

// The definition of a table by its file, by its name ("quick" is results/quick.yaml), or by that of
// a sweep: then the first of tables_of(). Its runs are those of `sweep` if that is given, else what
// the file says, else those of the sweep of the same name. Throws InputError with the known ones.
TableDefinition find_table(const Reader& reader, const std::string& word,
                           const std::optional<std::string>& sweep);

// The tables of a sweep of the database: those that its file names; if it names none or is gone,
// results/<sweep>.yaml; without that, one with a row for each case or method.
std::vector<TableDefinition> tables_of(const Reader& reader, const std::string& sweep);

// Stores the table in the database.
RenderedTable rendered(const Table& table, const TableDefinition& definition,
                       const TableFormat& format, const std::string& text);

}  // namespace qbitopt::app
