#include "qbitopt/sweep/selection.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

namespace qbitopt {

Plan selected(const Plan& plan, const std::function<bool(const PlannedJob&)>& is_chosen) {
  std::unordered_map<std::string_view, size_t> index;
  for (size_t i = 0; i < plan.jobs.size(); ++i) index.emplace(plan.jobs[i].key, i);
  std::vector<bool> is_in(plan.jobs.size(), false);
  std::vector<size_t> open;
  const auto take = [&](size_t job) {
    if (is_in[job]) return;
    is_in[job] = true;
    open.push_back(job);
  };
  for (size_t i = 0; i < plan.jobs.size(); ++i) {
    if (is_chosen(plan.jobs[i])) take(i);
  }
  while (!open.empty()) {
    const size_t job = open.back();
    open.pop_back();
    for (const auto& [need, key] : *plan.jobs[job].needs) {
      if (const auto needed = index.find(key); needed != index.end()) take(needed->second);
    }
  }
  Plan part = plan;
  part.jobs.clear();
  part.least_jobs = part.most_jobs = 0;  // of the whole
  for (size_t i = 0; i < plan.jobs.size(); ++i) {
    if (is_in[i]) part.jobs.push_back(plan.jobs[i]);
  }
  return part;
}

std::vector<std::string> case_names(const Plan& plan) {
  std::vector<std::string> names;
  for (const PlannedJob& job : plan.jobs) {
    for (const std::string& name : job.cases()) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  return names;
}

}  // namespace qbitopt
