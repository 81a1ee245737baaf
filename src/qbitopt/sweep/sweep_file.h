#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "qbitopt/config/catalog.h"
#include "qbitopt/sweep/document.h"
#include "qbitopt/sweep/plan.h"
#include "qbitopt/sweep/search.h"

namespace qbitopt {

struct PlanOptions {
  // JSON file that remembers the fingerprints of data files, so that they are read once; empty:
  // none.
  std::filesystem::path fingerprint_cache;
};

// A sweep file with the overrides of the command line ("key=v", "key=v,w", "+key=v", "~key")
// applied. The file is read once; later changes to it have no effect.
class Sweep {
 public:
  // Throws InputError with "file:line:column: ...", the line itself and a caret for anything wrong
  // in the file, its recipes or the overrides. The catalog must live as long.
  Sweep(const std::filesystem::path& file, const std::vector<std::string>& overrides,
        const Catalog& catalog, const PlanOptions& options = {});

  // Expands it to its jobs. `results`: the results of searches' runs so far; later results give the
  // same plan with more jobs. Throws InputError for an invalid job, or invalid data that it names.
  Plan plan(const TrialResults& results = [](const std::string&) {
    return std::optional<TrialResult>();
  }) const;

 private:
  std::string file_;
  std::vector<std::string> overrides_;
  const Catalog& catalog_;
  PlanOptions options_;
  Document document_;
};

// The plan of a sweep before any of its jobs has run.
Plan read_sweep(const std::filesystem::path& file, const std::vector<std::string>& overrides,
                const Catalog& catalog, const PlanOptions& options = {});

}  // namespace qbitopt
