#include "app/stored_plan.h"

#include <map>
#include <set>

#include "qbitopt/config/plugins.h"
#include "qbitopt/core/error.h"
#include "qbitopt/runlog/queries.h"

namespace qbitopt::app {
namespace {

std::map<std::string, std::string> artifacts_of(const Reader& reader, const std::string& key) {
  const Rows rows = reader.query(
      "SELECT need, artifact FROM job JOIN job_dependency ON job_dependency.job_id = job.id WHERE "
      "key = ?",
      {key});
  std::map<std::string, std::string> artifacts;
  for (const auto& row : rows.rows) artifacts[row[0]] = row[1];
  return artifacts;
}

// The axes of the sweeps, so that jobs are shown as in their sweep.
std::vector<std::string> axes_of(const Reader& reader, const std::string& key) {
  const Rows rows = reader.query(
      "SELECT DISTINCT axis.key FROM job JOIN sweep_job ON sweep_job.job_id = job.id, "
      "json_each(sweep_job.axes) AS axis"
      " WHERE job.key = ?",
      {key});
  std::vector<std::string> axes;
  for (const auto& row : rows.rows) axes.push_back(row[0]);
  return axes;
}

// Adds the parameters that were declared after the job was stored, with the values that leave its
// identity as it is.
void complete(Json& parameters, const Catalog& catalog) {
  const Schema schema = catalog.schema([&](const std::string& key) -> std::optional<std::string> {
    const auto found = parameters.find(key);
    if (found == parameters.end() || !found->is_string()) return std::nullopt;
    return found->get<std::string>();
  });
  for (const auto& [name, spec] : schema.parameters) {
    const Json& value = spec->neutral.is_null() ? spec->default_value : spec->neutral;
    if (!parameters.contains(name) && !value.is_null()) parameters[name] = value;
  }
}

class Collector {
 public:
  explicit Collector(const Reader& reader) : reader_(reader) {}

  void add(const std::string& key) {
    if (!seen_.insert(key).second) return;
    Job job = stored_job(reader_, key);
    try {
      complete(job.parameters, catalog_for(job.parameters.value("plugin", "")));
    } catch (const InputError&) {
      // A part of the job no longer exists: its worker reports that.
    }
    for (const auto& [need, needed] : job.needs) add(needed);
    PlannedJob planned = planned_job(job, artifacts_of(reader_, key));
    auto shape = std::make_shared<JobShape>(*planned.shape);
    shape->axes = axes_of(reader_, key);
    planned.shape = shape;
    plan_.jobs.push_back(std::move(planned));
  }
  Plan take() { return std::move(plan_); }

 private:
  const Catalog& catalog_for(const std::string& plugin) {
    const auto known = catalogs_.find(plugin);
    if (known != catalogs_.end()) return known->second;
    const std::vector<std::filesystem::path> libraries(plugin.empty() ? 0 : 1,
                                                       std::filesystem::path(plugin));
    return catalogs_.emplace(plugin, catalog_with(libraries)).first->second;
  }

  const Reader& reader_;
  std::map<std::string, Catalog> catalogs_;  // by the plugin that they include
  std::set<std::string> seen_;
  Plan plan_;
};

}  // namespace

std::vector<std::string> with_dependents(const Reader& reader,
                                         const std::vector<std::string>& keys) {
  std::vector<std::string> all = keys;
  std::set<std::string> seen(keys.begin(), keys.end());
  for (size_t i = 0; i < all.size(); ++i) {
    const Rows rows = reader.query(
        "SELECT job.key FROM job AS needed JOIN job_dependency ON job_dependency.needed_job_id = "
        "needed.id"
        " JOIN job ON job.id = job_dependency.job_id WHERE needed.key = ?",
        {all[i]});
    for (const auto& row : rows.rows) {
      if (seen.insert(row[0].get<std::string>()).second) all.push_back(row[0]);
    }
  }
  return all;
}

Plan stored_plan(const Reader& reader, const std::vector<std::string>& keys) {
  Collector collector(reader);
  for (const std::string& key : keys) collector.add(key);
  return collector.take();
}

}  // namespace qbitopt::app
