#pragma once

// Internal to the report.

#include <vector>

#include "qbitopt/report/run_groups.h"
#include "qbitopt/report/table.h"

namespace qbitopt {

// The rows of the view `published` that the definition selects, each with our row.
std::vector<PublishedRow> published_rows(const Reader& reader, const TableDefinition& definition,
                                         const RunGroups& groups);

}  // namespace qbitopt
