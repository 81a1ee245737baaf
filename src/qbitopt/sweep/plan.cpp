#include "qbitopt/sweep/plan.h"

#include <algorithm>
#include <unordered_set>

#include "qbitopt/config/value.h"

namespace qbitopt {

PlanDifference difference(const std::vector<std::string>& stored_keys, const Plan& plan) {
  const std::unordered_set<std::string> stored(stored_keys.begin(), stored_keys.end());
  std::unordered_set<std::string> planned;
  PlanDifference difference;
  for (const PlannedJob& job : plan.jobs) {
    planned.insert(job.key);
    (stored.count(job.key) != 0 ? difference.kept : difference.added).push_back(job.key);
  }
  for (const std::string& key : stored_keys) {
    if (planned.count(key) == 0) difference.orphaned.push_back(key);
  }
  return difference;
}

Json to_json(const Plan& plan) {
  Json cases = Json::object();
  std::map<std::string, std::map<std::string, size_t>> axes;
  size_t requested = 0;
  for (const PlannedJob& planned : plan.jobs) {
    if (!planned.requested) continue;
    ++requested;
    for (const std::string& name : planned.cases()) cases[name] = cases.value(name, 0) + 1;
    const Json values = planned.axes();
    for (const auto& [name, value] : values.items())
      ++axes[name][value.is_string() ? value.get<std::string>() : shown(value)];
  }
  constexpr const char* kStatus[] = {"running", "found", "missed", "failed"};
  Json searches = Json::array();
  for (const SearchState& search : plan.searches) {
    searches.push_back({{"where", search.where},
                        {"parameter", search.parameter},
                        {"runs", search.runs},
                        {"max_runs", search.max_runs},
                        {"status", kStatus[static_cast<int>(search.status)]},
                        {"chosen", search.chosen ? Json(*search.chosen) : Json()}});
  }
  return {{"name", plan.sweep_name},
          {"file", plan.file},
          {"overrides", plan.overrides},
          {"warnings", plan.warnings},
          {"tables", plan.tables},
          {"metric",
           {{"name", plan.metric.name}, {"goal", plan.metric.goal}, {"rule", plan.metric.rule}}},
          {"run", plan.run},
          {"counts",
           {{"jobs", plan.jobs.size()},
            {"requested", requested},
            {"needed", plan.jobs.size() - requested},
            {"least", std::max(plan.least_jobs, plan.jobs.size())},
            {"most", std::max(plan.most_jobs, plan.jobs.size())},
            {"cases", cases},
            {"axes", axes}}},
          {"searches", searches}};
}

Json to_json(const PlannedJob& planned) {
  return {{"key", planned.key},
          {"config_key", *planned.config_key},
          {"case", planned.case_name},
          {"other_cases", planned.other_cases},
          {"requested", planned.requested},
          {"trial", planned.trial},
          {"axes", planned.axes()},
          {"needs", *planned.needs},
          {"parameters", planned.job().parameters}};
}

}  // namespace qbitopt
