#pragma once

// Internal to the report.

#include <vector>

#include "qbitopt/report/run_groups.h"
#include "qbitopt/report/table.h"

namespace qbitopt {

// What the definition asks for of the view `published`, with our rows beside it.
std::vector<PublishedRow> published_rows(const Reader& reader, const TableDefinition& definition,
                                         const RunGroups& groups);

}  // namespace qbitopt
