#include "app/stored_plan.h"

#include <map>
#include <set>

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

// The sweeps' axes, so that the jobs are shown as their sweep shows them.
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

class Collector {
 public:
  explicit Collector(const Reader& reader) : reader_(reader) {}

  void add(const std::string& key) {
    if (!seen_.insert(key).second) return;
    const Job job = stored_job(reader_, key);
    for (const auto& [need, needed] : job.needs) add(needed);
    PlannedJob planned = planned_job(job, artifacts_of(reader_, key));
    auto shape = std::make_shared<JobShape>(*planned.shape);
    shape->axes = axes_of(reader_, key);
    planned.shape = shape;
    plan_.jobs.push_back(std::move(planned));
  }
  Plan take() { return std::move(plan_); }

 private:
  const Reader& reader_;
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
