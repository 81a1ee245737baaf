#pragma once

#include "qbitopt/report/table_definition.h"
#include "qbitopt/sweep/catalog.h"
#include "qbitopt/sweep/plan.h"

namespace qbitopt {

// Whether a table can be made of a plan's runs, before there are any. Throws InputError for a
// parameter that no job can have, a column that `runs` will not have, and a row that holds several
// configurations and does not say which.
void check_definition(const TableDefinition& definition, const Plan& plan, const Catalog& catalog);

}  // namespace qbitopt
