#include "app/sweep_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "app/text.h"
#include "qbitopt/core/error.h"
#include "qbitopt/job/budget_kinds.h"
#include "qbitopt/report/check_definition.h"
#include "qbitopt/report/table_format.h"

namespace qbitopt::app {
namespace {

namespace fs = std::filesystem;

SweepTable read_table(const fs::path& file, const std::string& sweep, const fs::path& folder) {
  SweepTable table{.definition = read_table_definition(file)};
  const bool is_shared = table.definition.sweeps.empty() && table.definition.name != sweep;
  if (table.definition.sweeps.empty()) table.definition.sweeps = {sweep};
  table.word = is_shared ? table.definition.name + " --sweep " + sweep : table.definition.name;
  const std::string name = is_shared ? table.definition.name + "." + sweep : table.definition.name;
  table.output = folder / (name + find_table_format("markdown").extension);
  return table;
}

// One run for each configuration, with only the parameters in which configurations may differ.
std::vector<Run> planned_runs(const TableDefinition& definition, const Plan& plan) {
  std::set<std::string> names(budget_parameters().begin(), budget_parameters().end());
  names.insert({"method", "seed"});
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
    if (!configurations.insert(*job.config_key).second) continue;
    Run run{.key = job.key, .config_key = *job.config_key, .state = "new", .cases = job.cases()};
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

std::vector<SweepTable> read_tables(const Plan& plan, const Catalog& catalog,
                                    const fs::path& folder) {
  std::vector<SweepTable> tables;
  std::map<fs::path, std::string> outputs;
  for (const std::string& file : plan.tables) {
    SweepTable table = read_table(file, plan.sweep_name, folder);
    check_definition(table.definition, plan.sweep_name, planned_runs(table.definition, plan),
                     catalog);
    if (fs::is_directory(table.output)) {
      throw InputError(fmt::format(
          "the output of table {} is {}, which is a folder; move it, or use another --db", file,
          shown(table.output)));
    }
    const auto [other, is_new] = outputs.emplace(table.output, file);
    if (!is_new) {
      throw InputError(
          fmt::format("tables {} and {} have the same output, {}; rename one of the definitions",
                      other->second, file, shown(table.output)));
    }
    tables.push_back(std::move(table));
  }
  return tables;
}

std::vector<std::string> missing_sweeps(const SweepTable& table, const Reader& reader,
                                        const std::string& sweep) {
  std::vector<std::string> missing;
  for (const std::string& name : table.definition.sweeps) {
    if (name != sweep && reader.query("SELECT 1 FROM sweep WHERE name = ?", {name}).empty())
      missing.push_back(name);
  }
  return missing;
}

}  // namespace qbitopt::app
