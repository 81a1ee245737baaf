#include "qbitopt/sweep/sweep_file.h"

#include <algorithm>

#include "qbitopt/sweep/expand.h"
#include "qbitopt/sweep/fingerprint.h"
#include "qbitopt/sweep/overrides.h"
#include "qbitopt/sweep/run_settings.h"

namespace qbitopt {
namespace {

// Throws InputError at a `stop` that would never be followed, or would stop what a search waits for.
void expect_to_stop(const Plan& plan, const Place& place) {
  if (!plan.searches.empty())
    fail_at(place, "stop and search exclude each other: a search waits for the end of its runs");
  const auto is_validated = [](const PlannedJob& job) {
    const Json& every = job.value("training.validate_every");
    return job.requested && every.is_number() && every > 0;
  };
  if (std::none_of(plan.jobs.begin(), plan.jobs.end(), is_validated)) {
    fail_at(place,
            "stop compares runs on validation images, but no run is validated before its end; set "
            "training.validate_every to a number of steps");
  }
}

}  // namespace

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
  if (document_.stop) plan.stop = read_stop(*document_.stop);
  DataFingerprints fingerprints(options_.fingerprint_cache);
  expand(document_, catalog_, fingerprints, results, plan);
  fingerprints.save();
  fingerprints.expect_no_fault();
  if (plan.stop) expect_to_stop(plan, document_.stop->place);
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
