#include "qbitopt/sweep/sweep_file.h"

#include <algorithm>

#include "qbitopt/sweep/expand.h"
#include "qbitopt/sweep/fingerprint.h"
#include "qbitopt/sweep/overrides.h"
#include "qbitopt/sweep/run_settings.h"

namespace qbitopt {

Sweep::Sweep(const std::filesystem::path& file, const std::vector<std::string>& overrides,
             const Catalog& catalog, const PlanOptions& options)
    : file_(file.string()),
      overrides_(overrides),
      catalog_(catalog),
      options_(options),
      document_(read_document(file, catalog)) {
  apply_overrides(document_, overrides, catalog);
}

Plan Sweep::plan(const TrialResults& results) const {
  Plan plan;
  plan.sweep_name = document_.name;
  plan.file = file_;
  plan.text = document_.text;
  plan.included = document_.included;
  plan.included.insert(plan.included.end(), document_.rows.begin(), document_.rows.end());
  plan.overrides = overrides_;
  plan.tables = document_.tables;
  if (document_.metric) plan.metric = read_metric(*document_.metric);
  if (document_.run) plan.run = read_run(*document_.run);
  DataFingerprints fingerprints(options_.fingerprint_cache);
  expand(document_, catalog_, fingerprints, results, plan);
  fingerprints.save();
  fingerprints.expect_no_fault();
  // An axis of the top is read once a case, and warns as often.
  std::vector<std::string> warnings;
  for (const std::string& warning : plan.warnings) {
    if (std::find(warnings.begin(), warnings.end(), warning) == warnings.end())
      warnings.push_back(warning);
  }
  plan.warnings = std::move(warnings);
  return plan;
}

Plan read_sweep(const std::filesystem::path& file, const std::vector<std::string>& overrides,
                const Catalog& catalog, const PlanOptions& options) {
  return Sweep(file, overrides, catalog, options).plan();
}

}  // namespace qbitopt
