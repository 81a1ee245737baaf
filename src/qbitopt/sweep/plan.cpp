#include "qbitopt/sweep/plan.h"

#include <unordered_set>

#include "qbitopt/sweep/value.h"

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
  Json axes = Json::object();
  Json jobs = Json::array();
  size_t requested = 0;
  for (const PlannedJob& planned : plan.jobs) {
    const Json values = planned.axes();
    if (planned.requested) {
      ++requested;
      if (!planned.case_name.empty())
        cases[planned.case_name] = cases.value(planned.case_name, 0) + 1;
      for (const auto& [name, value] : values.items()) {
        const std::string text = value.is_string() ? value.get<std::string>() : shown(value);
        axes[name][text] = (axes.contains(name) ? axes[name].value(text, 0) : 0) + 1;
      }
    }
    jobs.push_back({{"key", planned.key},
                    {"config_key", planned.config_key},
                    {"case", planned.case_name},
                    {"requested", planned.requested},
                    {"trial", planned.trial},
                    {"axes", values},
                    {"needs", planned.needs},
                    {"parameters", planned.job().parameters}});
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
            {"cases", cases},
            {"axes", axes}}},
          {"searches", searches},
          {"jobs", jobs}};
}

}  // namespace qbitopt
