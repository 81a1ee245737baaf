#include "qbitopt/sweep/plan.h"

namespace qbitopt {

Job PlannedJob::job() const {
  Job job{.key = key,
          .config_key = config_key,
          .parameters = shape->parameters,
          .versions = shape->versions,
          .needs = needs,
          .guarantees_budget = shape->guarantees_budget};
  for (size_t i = 0; i < values.size(); ++i) {
    if (!values[i].is_null()) job.parameters[shape->varying[i]] = values[i];
  }
  return job;
}

std::vector<std::string> PlannedJob::cases() const {
  if (case_name.empty()) return {};
  std::vector<std::string> cases = {case_name};
  cases.insert(cases.end(), other_cases.begin(), other_cases.end());
  return cases;
}

Json PlannedJob::parameter(const std::string& name) const {
  for (size_t i = 0; i < values.size(); ++i) {
    if (shape->varying[i] == name) return values[i];
  }
  return shape->parameters.value(name, Json());
}

Json PlannedJob::axes() const {
  Json axes = Json::object();
  for (const std::string& name : shape->axes) {
    if (const auto constant = shape->parameters.find(name); constant != shape->parameters.end())
      axes[name] = *constant;
    for (size_t i = 0; i < values.size(); ++i) {
      if (shape->varying[i] == name && !values[i].is_null()) axes[name] = values[i];
    }
  }
  return axes;
}

PlannedJob planned_job(const Job& job, const std::map<std::string, std::string>& artifacts) {
  auto shape = std::make_shared<JobShape>();
  shape->parameters = job.parameters;
  shape->versions = job.versions;
  shape->artifacts = artifacts;
  shape->guarantees_budget = job.guarantees_budget;
  PlannedJob planned{.key = job.key, .config_key = job.config_key, .needs = job.needs};
  planned.shape = std::move(shape);
  return planned;
}

}  // namespace qbitopt
