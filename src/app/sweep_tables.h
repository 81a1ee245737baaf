#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "qbitopt/config/catalog.h"
#include "qbitopt/report/table_definition.h"
#include "qbitopt/runlog/reader.h"
#include "qbitopt/sweep/plan.h"

namespace qbitopt::app {

// A table that a sweep file asks for.
struct SweepTable {
  TableDefinition definition;
  // beside the database; includes the sweep's name if several sweeps share the table
  std::filesystem::path output;
  std::string word;  // arguments with which `qbitopt table` finds it
};

// Reads the tables before any job runs, so that mistakes in them are reported at once. Throws
// InputError for a definition that does not fit the plan, and for an output that is a folder or
// that two tables share.
std::vector<SweepTable> read_tables(const Plan& plan, const Catalog& catalog,
                                    const std::filesystem::path& folder);

// The sweeps of a table that the database does not have yet, besides `sweep` itself.
std::vector<std::string> missing_sweeps(const SweepTable& table, const Reader& reader,
                                        const std::string& sweep);

}  // namespace qbitopt::app
