#include <fmt/format.h>

#include <set>

#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"
#include "qbitopt/job/budget_kinds.h"
#include "qbitopt/report/table.h"

namespace qbitopt {
namespace {

std::vector<std::string> names_of_sweeps(const Reader& reader) {
  std::vector<std::string> names;
  for (const auto& row : reader.query("SELECT name FROM sweep").rows) names.push_back(row[0]);
  return names;
}

}  // namespace

TableDefinition default_definition(const Reader& reader, const std::string& sweep) {
  const Rows jobs = reader.query(
      "SELECT case_name, other_cases, axes,"
      " CASE case_name WHEN '' THEN json_extract(job.parameters, '$.method') END AS method"
      " FROM sweep JOIN sweep_job ON sweep_job.sweep_id = sweep.id"
      " JOIN job ON job.id = sweep_job.job_id"
      " WHERE sweep.name = ? AND NOT orphaned AND requested ORDER BY position",
      {sweep});
  if (jobs.empty()) {
    throw InputError(fmt::format("{} in {}", unknown_name("sweep", sweep, names_of_sweeps(reader)),
                                 reader.file().string()));
  }
  TableDefinition definition{.name = sweep, .title = sweep};
  definition.sweeps = {sweep};
  std::set<std::string> axes, named;
  bool has_cases = false;
  const auto add_row = [&](const std::string& what, const std::string& name) {
    if (!named.insert(name).second) return;
    std::string id = as_id(name);
    while (definition.find_row(id)) id += "_";  // "a b" beside "a_b"
    definition.rows.push_back({.id = id, .label = name});
    definition.rows.back().where = {{what, {name}}};
  };
  for (size_t i = 0; i < jobs.size(); ++i) {
    const bool has_case = jobs.at(i, "case_name") != "";
    has_cases |= has_case;
    add_row(has_case ? "case" : "method", jobs.at(i, has_case ? "case_name" : "method"));
    const Json others = Json::parse(jobs.at(i, "other_cases").get<std::string>());
    for (const Json& other : others) add_row("case", other);
    const Json of_job = Json::parse(jobs.at(i, "axes").get<std::string>());
    for (const auto& [axis, value] : of_job.items()) axes.insert(axis);
  }
  axes.erase("seed");
  if (!has_cases) axes.erase("method");  // each has its row
  // Budgets come first, so that rows with one budget are adjacent.
  for (const std::string& budget : budget_parameters()) {
    if (axes.erase(budget)) definition.split_by.push_back(budget);
  }
  definition.split_by.insert(definition.split_by.end(), axes.begin(), axes.end());
  definition.columns = standard_columns(definition);
  return definition;
}

}  // namespace qbitopt
