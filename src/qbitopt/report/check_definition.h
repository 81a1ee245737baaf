#pragma once

#include <string>
#include <vector>

#include "qbitopt/config/catalog.h"
#include "qbitopt/report/run_groups.h"
#include "qbitopt/report/table_definition.h"

namespace qbitopt {

// Whether a table can be made of a sweep's runs, before there are any. `runs`: one for each planned
// configuration, with its parameters. Throws InputError for a parameter that no job can have, a
// column that `runs` will not have, and a row that holds several configurations and does not say
// which.
void check_definition(const TableDefinition& definition, const std::string& sweep,
                      std::vector<Run> runs, const Catalog& catalog);

}  // namespace qbitopt
