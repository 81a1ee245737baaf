#pragma once

#include <optional>
#include <string>
#include <vector>

#include "qbitopt/report/table_definition.h"
#include "qbitopt/runlog/reader.h"

namespace qbitopt {

struct PageOptions {
  std::optional<std::string> sweep;     // show only the jobs of this sweep; nullopt: all jobs
  int refresh_seconds = 0;              // interval at which the page reloads itself; 0: never
  std::vector<TableDefinition> tables;  // comparisons at the top of the page
  std::string version;                  // of this program
};

// Names of the sweeps that the page shows, the latest first.
std::vector<std::string> sweeps_on_page(const Reader& reader, const PageOptions& options);

// One HTML file about a sweep: summary, tables, figures, a page for every run, failures,
// provenance, and the SQL of each part. It needs no network, runs only its own script, and shows
// the contents of configurations and logs as text. Without vl-convert there are no figures, and a
// line says so.
std::string render_page(const Reader& reader, const PageOptions& options);

}  // namespace qbitopt
