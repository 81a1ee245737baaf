#include "qbitopt/report/check_definition.h"

#include <algorithm>
#include <set>

#include "qbitopt/core/names.h"
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

}  // namespace

void check_definition(const TableDefinition& definition, const std::string& sweep,
                      std::vector<Run> runs, const Catalog& catalog) {
  check_names(definition, catalog);
  const auto& sweeps = definition.sweeps;
  const bool is_about_sweep =
      sweeps.empty() || std::find(sweeps.begin(), sweeps.end(), sweep) != sweeps.end();
  if (is_about_sweep) RunGroups(std::move(runs), definition);
}

}  // namespace qbitopt
