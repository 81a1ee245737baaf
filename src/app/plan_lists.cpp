#include "app/plan_lists.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_map>

#include "app/text.h"
#include "qbitopt/core/hash.h"

namespace qbitopt::app {
namespace {

// The axes of all jobs, in the order of their names, but those that have a column anyway.
std::vector<std::string> axes_of_plan(const Plan& plan) {
  std::set<const JobShape*> shapes;
  std::set<std::string> names;
  for (const PlannedJob& job : plan.jobs) {
    if (shapes.insert(job.shape.get()).second)
      names.insert(job.shape->axes.begin(), job.shape->axes.end());
  }
  names.erase("method");
  names.erase("seed");
  return {names.begin(), names.end()};
}

// A cell of a table of rows holds no list.
Json as_cell(const Json& value) { return value.is_structured() ? Json(plain(value)) : value; }

// Where a job stands in the tree.
class JobTree {
 public:
  JobTree(const Plan& plan, const StateOfJob& state) : plan_(plan), state_(state) {
    std::unordered_map<std::string, size_t> index;
    for (size_t i = 0; i < plan.jobs.size(); ++i) index[plan.jobs[i].key] = i;
    users_.resize(plan.jobs.size());
    for (size_t i = 0; i < plan.jobs.size(); ++i) {
      std::set<size_t> needed;  // a job may meet two needs
      for (const auto& [need, key] : *plan.jobs[i].needs) {
        if (const auto found = index.find(key); found != index.end()) needed.insert(found->second);
      }
      for (const size_t job : needed) users_[job].push_back(i);
      if (needed.empty()) roots_.push_back(i);
    }
    is_shown_.resize(plan.jobs.size(), false);
  }

  std::string text() {
    for (const size_t root : roots_) add(root, "", "");
    return std::move(text_);
  }

 private:
  void add(size_t job, const std::string& line_start, const std::string& below_start) {
    const PlannedJob& planned = plan_.jobs[job];
    text_ += fmt::format("{}{} {:11} {}", line_start, short_key(planned.key), state_(planned),
                         label(planned));
    if (!planned.case_name.empty()) text_ += fmt::format(" [{}]", planned.case_name);
    const bool is_repeated = is_shown_[job] && !users_[job].empty();
    text_ += is_repeated ? " (above)\n" : "\n";
    if (is_repeated) return;
    is_shown_[job] = true;
    for (const size_t user : users_[job]) {
      const bool is_last = user == users_[job].back();
      add(user, below_start + (is_last ? "└─ " : "├─ "), below_start + (is_last ? "   " : "│  "));
    }
  }

  const Plan& plan_;
  const StateOfJob& state_;
  std::vector<std::vector<size_t>> users_;  // by job: the jobs that need it
  std::vector<size_t> roots_;
  std::vector<bool> is_shown_;
  std::string text_;
};

}  // namespace

Rows list_of_jobs(const Plan& plan, const StateOfJob& state) {
  const std::vector<std::string> axes = axes_of_plan(plan);
  Rows rows;
  rows.columns = {"key", "state", "case", "requested", "trial", "method"};
  rows.columns.insert(rows.columns.end(), axes.begin(), axes.end());
  rows.columns.push_back("seed");
  for (const PlannedJob& job : plan.jobs) {
    std::vector<Json> row = {job.key,
                             state(job),
                             job.case_name.empty() ? Json() : Json(job.case_name),
                             job.requested,
                             job.trial == 0 ? Json() : Json(job.trial),
                             as_cell(job.parameter("method"))};
    const Json values = job.axes();
    for (const std::string& axis : axes) row.push_back(as_cell(values.value(axis, Json())));
    row.push_back(as_cell(job.parameter("seed")));
    rows.rows.push_back(std::move(row));
  }
  return rows;
}

std::string list_text(const Rows& rows) {
  std::vector<std::vector<std::string>> cells(rows.size() + 1);
  for (size_t i = 0; i < rows.columns.size(); ++i) {
    const std::string& column = rows.columns[i];
    const bool is_empty = std::all_of(rows.rows.begin(), rows.rows.end(),
                                      [&](const auto& row) { return row[i].is_null(); });
    if (column == "requested" || (is_empty && !rows.empty())) continue;
    cells[0].push_back(column == "key" ? "job" : column);
    for (size_t r = 0; r < rows.size(); ++r) {
      const Json& cell = rows.rows[r][i];
      const bool is_needed =
          column == "case" && rows.at(r, "requested") == false && rows.at(r, "trial").is_null();
      cells[r + 1].push_back(column == "key" ? short_key(cell.get<std::string>())
                             : is_needed     ? "(needed)"
                                             : plain(cell));
    }
  }
  return columns(cells);
}

std::string tree_of_jobs(const Plan& plan, const StateOfJob& state) {
  return JobTree(plan, state).text();
}

}  // namespace qbitopt::app
