#pragma once

#include <optional>
#include <string>
#include <vector>

#include "qbitopt/report/table_definition.h"
#include "qbitopt/runlog/reader.h"

namespace qbitopt {

struct PageOptions {
  std::optional<std::string> sweep;     // only its jobs; none: all
  int refresh_seconds = 0;              // the page loads itself again so often; 0: never
  std::vector<TableDefinition> tables;  // comparisons, the first thing on the page
  std::string version;                  // of this program
};

// Names of the sweeps that the page is about, the latest first.
std::vector<std::string> sweeps_on_page(const Reader& reader, const PageOptions& options);

// One HTML file with everything that is known of a sweep: summary, tables, figures, a page for
// every run, failures, provenance, and the SQL behind it. It needs no network, runs no script but
// its own, and shows whatever a configuration or a log holds as text. Figures are left out, with a
// line that says so, where there is no gnuplot.
std::string render_page(const Reader& reader, const PageOptions& options);

}  // namespace qbitopt
