#include "qbitopt/report/check_definition.h"

#include <algorithm>
#include <set>

#include "qbitopt/core/names.h"
#include "qbitopt/report/run_groups.h"
#include "qbitopt/runlog/queries.h"

namespace qbitopt {
namespace {

void check_names(const TableDefinition& definition, const Catalog& catalog) {
  std::set<std::string> keys;
  for (const auto& [key, spec] : catalog.keys()) keys.insert(key);
  for (const auto& [name, place] : definition.parameters) {
    if (name != "case" && name != "plugin" && keys.count(name) == 0)
      fail_at(place, catalog.unknown_key(name));
  }
  const std::set<std::string> columns = columns_of_runs(keys);
  for (const auto& [name, place] : definition.columns_of_runs) {
    if (columns.count(name) == 0)
      fail_at(place, unknown_name("runs column", name, {columns.begin(), columns.end()}));
  }
}

// One run a configuration, with the parameters alone in which configurations may differ.
std::vector<Run> planned_runs(const TableDefinition& definition, const Plan& plan) {
  std::set<std::string> names = {"method",         "seed",         "budget.average_bits",
                                 "budget.weights", "budget.joint", "budget.activations"};
  for (const auto& [name, place] : definition.parameters) names.insert(name);
  std::set<const JobShape*> shapes;
  for (const PlannedJob& job : plan.jobs) {
    if (!shapes.insert(job.shape.get()).second) continue;
    names.insert(job.shape->varying.begin(), job.shape->varying.end());
    names.insert(job.shape->axes.begin(), job.shape->axes.end());
  }
  std::vector<Run> runs;
  std::set<std::string> configurations;
  for (const PlannedJob& job : plan.jobs) {
    if (!configurations.insert(job.config_key).second) continue;
    Run run{.key = job.key, .config_key = job.config_key, .state = "new", .cases = job.cases()};
    for (const std::string& name : names) {
      if (Json value = job.parameter(name); !value.is_null())
        run.parameters[name] = std::move(value);
    }
    run.seed = job.parameter("seed");
    run.is_trial = job.trial > 0;
    runs.push_back(std::move(run));
  }
  return runs;
}

}  // namespace

void check_definition(const TableDefinition& definition, const Plan& plan, const Catalog& catalog) {
  check_names(definition, catalog);
  const auto& sweeps = definition.sweeps;
  const bool is_about_plan =
      sweeps.empty() || std::find(sweeps.begin(), sweeps.end(), plan.sweep_name) != sweeps.end();
  if (is_about_plan) RunGroups(planned_runs(definition, plan), definition);
}

}  // namespace qbitopt
