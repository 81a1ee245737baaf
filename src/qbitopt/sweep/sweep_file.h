#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "qbitopt/sweep/catalog.h"
#include "qbitopt/sweep/plan.h"

namespace qbitopt {

struct PlanOptions {
  // JSON file that remembers the fingerprints of data files, so that they are read once; empty:
  // none.
  std::filesystem::path fingerprint_cache;
};

// Reads a sweep file (grammar: sweeps/README.md), applies the overrides of the command line
// ("key=v", "key=v,w",
// "+key=v", "~key") and expands it to its jobs. Throws InputError with "file:line:column: ...", the
// line itself and a caret for anything wrong in the file, its recipes, the overrides, or the data
// that it names.
Plan read_sweep(const std::filesystem::path& file, const std::vector<std::string>& overrides,
                const Catalog& catalog, const PlanOptions& options = {});

}  // namespace qbitopt
