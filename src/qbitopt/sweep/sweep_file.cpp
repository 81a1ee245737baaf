#include "qbitopt/sweep/sweep_file.h"

#include <algorithm>

#include "qbitopt/sweep/document.h"
#include "qbitopt/sweep/expand.h"
#include "qbitopt/sweep/fingerprint.h"
#include "qbitopt/sweep/overrides.h"
#include "qbitopt/sweep/run_settings.h"

namespace qbitopt {

Plan read_sweep(const std::filesystem::path& file, const std::vector<std::string>& overrides,
                const Catalog& catalog, const PlanOptions& options) {
  Document document = read_document(file, catalog);
  apply_overrides(document, overrides, catalog);
  Plan plan;
  plan.sweep_name = document.name;
  plan.file = file.string();
  plan.text = document.text;
  plan.included = document.included;
  plan.overrides = overrides;
  plan.tables = document.tables;
  if (document.metric) plan.metric = read_metric(*document.metric);
  if (document.run) plan.run = read_run(*document.run);
  DataFingerprints fingerprints(options.fingerprint_cache);
  plan.jobs = expand(document, catalog, fingerprints, plan.warnings);
  fingerprints.save();
  // An axis of the top is read once a case, and warns as often.
  std::vector<std::string> warnings;
  for (const std::string& warning : plan.warnings) {
    if (std::find(warnings.begin(), warnings.end(), warning) == warnings.end())
      warnings.push_back(warning);
  }
  plan.warnings = std::move(warnings);
  return plan;
}

}  // namespace qbitopt
