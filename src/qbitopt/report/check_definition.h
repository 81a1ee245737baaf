#pragma once

#include <string>
#include <vector>

#include "qbitopt/config/catalog.h"
#include "qbitopt/report/run_groups.h"
#include "qbitopt/report/table_definition.h"

namespace qbitopt {

// Checks a table definition before a sweep runs. `runs`: one for each planned configuration, with
// its parameters. Throws InputError for a parameter that no job can have, a column that `runs` will
// not have, and a row that selects several configurations without a rule to choose one.
void check_definition(const TableDefinition& definition, const std::string& sweep,
                      std::vector<Run> runs, const Catalog& catalog);

}  // namespace qbitopt
