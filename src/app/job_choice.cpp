#include "app/job_choice.h"

#include <algorithm>

#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"
#include "qbitopt/runlog/queries.h"
#include "qbitopt/sweep/selection.h"

namespace po = boost::program_options;

namespace qbitopt::app {

void JobChoice::add_options(CommandLine& line) {
  line.options()("case", po::value<std::vector<std::string>>()->value_name("NAME"),
                 "only jobs of this case, and the jobs that they need (repeatable)")(
      "where", po::value<std::string>()->value_name("SQL"),
      "only jobs that meet a condition on the view `runs`, and the jobs that they need, for "
      "example \"method = 'qbitopt' AND seed = 0\"")(
      "limit", po::value<Count>()->value_name("N"),
      "at most N of the jobs that neither finished nor failed, in the sweep's order, and the jobs "
      "that they need");
}

JobChoice::JobChoice(const CommandLine& line)
    : cases_(line.words("case")), where_(line.find<std::string>("where")) {
  if (const auto limit = line.find<Count>("limit")) limit_ = limit->value;
}

void JobChoice::check_cases(const Plan& plan) const {
  if (cases_.empty()) return;
  const std::vector<std::string> known = case_names(plan);
  if (known.empty()) {
    throw InputError("sweep " + plan.sweep_name +
                     " has no cases; leave out --case, or choose its jobs with --where");
  }
  for (const std::string& name : cases_) {
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw InputError(unknown_name("case", name, known));
  }
}

RecordedJobs JobChoice::ask(const Reader& database) const {
  RecordedJobs recorded;
  if (where_) {
    const auto keys = keys_where(database, *where_);
    recorded.meets_where.insert(keys.begin(), keys.end());
  }
  if (limit_) {
    for (const auto& row : database.query("SELECT key, state FROM job").rows)
      recorded.states.emplace(row[0], row[1]);
  }
  return recorded;
}

Plan JobChoice::of(const Plan& plan, const RecordedJobs& recorded, bool again) {
  if (is_all()) return plan;
  const auto is_of_case = [&](const PlannedJob& job) {
    const std::vector<std::string> of_job = job.cases();
    return std::any_of(of_job.begin(), of_job.end(), [&](const std::string& name) {
      return std::find(cases_.begin(), cases_.end(), name) != cases_.end();
    });
  };
  const auto counts_for_limit = [&](const PlannedJob& job) {
    const auto state = recorded.states.find(job.key);
    return again || state == recorded.states.end() ||
           (state->second != "finished" && state->second != "failed");
  };
  const auto is_chosen = [&](const PlannedJob& job) {
    if (!cases_.empty() && !is_of_case(job)) return false;
    if (where_ && recorded.meets_where.count(job.key) == 0) return false;
    // Without another option, a job that is there only because others need it is not chosen itself.
    if (!where_ && !job.requested && job.trial == 0) return false;
    if (!limit_ || limited_.count(job.key) != 0 || !counts_for_limit(job)) return true;
    if (limited_.size() >= static_cast<size_t>(*limit_)) return false;
    limited_.insert(job.key);
    return true;
  };
  return selected(plan, [&](const PlannedJob& job) {
    if (!is_chosen(job)) return false;
    chosen_.insert(job.key);
    return true;
  });
}

}  // namespace qbitopt::app
