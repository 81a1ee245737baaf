#include "qbitopt/sweep/plan.h"

namespace qbitopt {

Job PlannedJob::job() const {
  Job job{.key = key,
          .config_key = *config_key,
          .parameters = shape->parameters,
          .versions = shape->versions,
          .needs = *needs,
          .guarantees_budget = shape->guarantees_budget};
  for (size_t i = 0; i < values.size(); ++i) {
    if (!values[i].is_null()) job.parameters[shape->varying[i]] = values[i];
  }
  return job;
}

const Job& JobCursor::at(const PlannedJob& planned) {
  if (shape_ != planned.shape) {
    shape_ = planned.shape;
    job_ = planned.job();
    return job_;
  }
  job_.key = planned.key;
  job_.config_key = *planned.config_key;
  if (job_.needs != *planned.needs) job_.needs = *planned.needs;
  for (size_t i = 0; i < planned.values.size(); ++i) {
    const std::string& name = shape_->varying[i];
    if (!planned.values[i].is_null()) {
      job_.parameters[name] = planned.values[i];
    } else if (const auto constant = shape_->parameters.find(name);
               constant != shape_->parameters.end()) {
      job_.parameters[name] = *constant;
    } else {
      job_.parameters.erase(name);
    }
  }
  return job_;
}

std::vector<std::string> PlannedJob::cases() const {
  if (case_name.empty()) return {};
  std::vector<std::string> cases = {case_name};
  cases.insert(cases.end(), other_cases.begin(), other_cases.end());
  return cases;
}

const Json& PlannedJob::value(const std::string& name) const {
  static const Json absent;
  for (size_t i = 0; i < values.size(); ++i) {
    if (shape->varying[i] == name) return values[i];
  }
  const auto constant = shape->parameters.find(name);
  return constant == shape->parameters.end() ? absent : *constant;
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
