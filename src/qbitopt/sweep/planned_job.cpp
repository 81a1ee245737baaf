#include "qbitopt/sweep/plan.h"

namespace qbitopt {

Job PlannedJob::job() const {
  Job job;
  job.key = key;
  job.config_key = config_key;
  job.parameters = shape->parameters;
  for (size_t i = 0; i < values.size(); ++i) job.parameters[shape->varying[i]] = values[i];
  job.versions = shape->versions;
  job.needs = needs;
  job.guarantees_budget = shape->guarantees_budget;
  return job;
}

Json PlannedJob::axes() const {
  const Json parameters = job().parameters;
  Json axes = Json::object();
  for (const std::string& axis : shape->axes) {
    const auto found = parameters.find(axis);
    if (found != parameters.end()) axes[axis] = *found;
  }
  return axes;
}

PlannedJob planned_job(const Job& job, const std::map<std::string, std::string>& artifacts) {
  auto shape = std::make_shared<JobShape>();
  shape->parameters = job.parameters;
  shape->versions = job.versions;
  shape->artifacts = artifacts;
  shape->guarantees_budget = job.guarantees_budget;
  PlannedJob planned;
  planned.key = job.key;
  planned.config_key = job.config_key;
  planned.needs = job.needs;
  planned.shape = shape;
  return planned;
}

}  // namespace qbitopt
