#include "qbitopt/schedule/early_stopping.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>
#include <utility>

namespace qbitopt {
namespace {

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

// Equal for jobs that are compared with each other.
std::string description_of_group(const PlannedJob& job) {
  std::string group = job.case_name;
  const auto add = [&](const std::string& name) {
    group += "\n" + name + "=" + job.value(name).dump();
  };
  add("model");
  add("data.name");
  for (const auto& [name, value] : job.shape->parameters.items()) {
    if (name.starts_with("budget.")) add(name);
  }
  for (const std::string& name : job.shape->varying) {
    if (name.starts_with("budget.")) add(name);
  }
  return group;
}

}  // namespace

EarlyStopping::EarlyStopping(const StopRule& rule, const Plan& plan, RunStore& store)
    : rule_(rule), plan_(plan), store_(store), group_of_(plan.jobs.size()) {
  std::set<std::string> needed;
  for (const PlannedJob& job : plan.jobs) {
    for (const auto& [need, key] : *job.needs) needed.insert(key);
  }
  std::map<std::string, size_t> known;
  for (size_t i = 0; i < plan.jobs.size(); ++i) {
    const PlannedJob& job = plan.jobs[i];
    if (!job.requested || needed.count(job.key) != 0) continue;
    const auto [group, is_new] = known.emplace(description_of_group(job), groups_.size());
    if (is_new) groups_.emplace_back();
    groups_[group->second].push_back(i);
    group_of_[i] = group->second;
  }
}

// What was measured before this driver, once for each group.
void EarlyStopping::load(const std::vector<size_t>& group) {
  if (runners_.count(group.front()) != 0) return;
  for (const size_t job : group) {
    Curve& curve = runners_[job].curve;
    for (const auto& [step, value] : store_.validation_curve(plan_.jobs[job].key, rule_.metric))
      curve[step] = value;
  }
}

std::string EarlyStopping::hear(size_t job, const Event& event) {
  if (!group_of_[job]) return "";
  load(groups_[*group_of_[job]]);
  Runner& runner = runners_[job];
  if (const auto* started = std::get_if<Started>(&event.body))
    runner.curve.erase(runner.curve.upper_bound(started->resumed_from_step), runner.curve.end());
  if (const auto* progress = std::get_if<Progress>(&event.body))
    runner.total_steps = progress->total_steps;
  const auto* metrics = std::get_if<Metrics>(&event.body);
  if (metrics == nullptr || metrics->split != "validation") return "";
  const auto value = metrics->values.find(rule_.metric);
  if (value == metrics->values.end()) return "";
  runner.curve[metrics->step] = value->second;
  return verdict(job, metrics->step);
}

double EarlyStopping::best(const Curve& curve, int64_t step) const {
  const auto end = curve.upper_bound(step);
  const auto less = [](const auto& a, const auto& b) { return a.second < b.second; };
  return rule_.is_better_smaller ? std::min_element(curve.begin(), end, less)->second
                                 : std::max_element(curve.begin(), end, less)->second;
}

// Whether the validation at this step is the run's first at or beyond a rung of halving.
bool EarlyStopping::is_at_rung(const Runner& runner, int64_t step) const {
  const auto total = static_cast<double>(runner.total_steps);
  const auto here = runner.curve.find(step);
  const auto before =
      here == runner.curve.begin() ? -1.0 : static_cast<double>(std::prev(here)->first);
  for (double rung = rule_.after; rung < 1; rung *= rule_.reduction_factor) {
    if (before < rung * total && rung * total <= static_cast<double>(step)) return true;
  }
  return false;
}

std::string EarlyStopping::verdict(size_t job, int64_t step) {
  const Runner& runner = runners_[job];
  const auto total = static_cast<double>(runner.total_steps);
  if (total <= 0 || static_cast<double>(step) < rule_.after * total || step >= runner.total_steps)
    return "";
  const bool is_halving = rule_.kind == StopRule::Kind::kHalving;
  if (is_halving && !is_at_rung(runner, step)) return "";
  std::vector<double> others;
  for (const size_t peer : groups_[*group_of_[job]]) {
    const Curve& curve = runners_[peer].curve;
    const bool has_come_as_far = !curve.empty() && curve.rbegin()->first >= step;
    if (peer != job && has_come_as_far && curve.begin()->first <= step)
      others.push_back(best(curve, step));
  }
  if (others.size() < static_cast<size_t>(rule_.peers)) return "";
  const double own = best(runner.curve, step);
  const auto is_better = [&](double other) {
    return rule_.is_better_smaller ? other < own : other > own;
  };
  const std::string said = fmt::format("best validation {} {:.4g} up to step {} of {}",
                                       rule_.metric, own, step, runner.total_steps);
  if (is_halving) {
    const auto better = std::count_if(others.begin(), others.end(), is_better);
    const double kept =
        std::max(1.0, std::floor(static_cast<double>(others.size() + 1) / rule_.reduction_factor));
    if (static_cast<double>(better) < kept) return "";
    return fmt::format("{}, place {} of {} where the best {} go on", said, better + 1,
                       others.size() + 1, kept);
  }
  const double middle = median(others);
  if (!is_better(middle)) return "";
  return fmt::format("{}, median of {} peers {:.4g}", said, others.size(), middle);
}

}  // namespace qbitopt
