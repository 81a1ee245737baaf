#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "qbitopt/report/table.h"
#include "qbitopt/report/table_format.h"
#include "qbitopt/runlog/database.h"

namespace qbitopt::app {

// The definition of a table by its file, or by its name: "quick" is results/quick.yaml; without
// such a file, the sweep of that name with the columns that suit any. Throws InputError with the
// known ones.
TableDefinition find_table(const Reader& reader, const std::string& word);

// For the record of what was made.
RenderedTable rendered(const Table& table, const TableDefinition& definition,
                       const TableFormat& format, const std::string& text);

}  // namespace qbitopt::app
