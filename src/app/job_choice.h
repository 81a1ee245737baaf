#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "app/command_line.h"
#include "qbitopt/runlog/reader.h"
#include "qbitopt/sweep/plan.h"

namespace qbitopt::app {

// What --where and --limit ask of a database.
struct RecordedJobs {
  std::unordered_map<std::string, std::string> states;  // by key
  std::unordered_set<std::string> meets_where;          // keys; empty without --where
};

// The options --case, --where and --limit of `run` and `plan`, which choose jobs of a sweep.
class JobChoice {
 public:
  // Adds the options.
  static void add_options(CommandLine& line);
  // To be used after the line was parsed.
  explicit JobChoice(const CommandLine& line);

  // Whether no option was given, so that all jobs are chosen.
  bool is_all() const { return cases_.empty() && !where_ && !limit_; }
  bool has_where() const { return where_.has_value(); }

  // Throws InputError for a case that the plan does not have.
  void check_cases(const Plan& plan) const;
  // Throws InputError for wrong SQL. `database`: one in which the sweep is recorded.
  RecordedJobs ask(const Reader& database) const;

  // The part of the plan with the chosen jobs and those that they need. Chosen are the jobs of
  // --case that meet --where, of those that neither finished nor failed at most --limit, in the
  // plan's order. Jobs that an earlier call chose stay chosen and count. `again`: finished and
  // failed jobs count, too.
  Plan of(const Plan& plan, const RecordedJobs& recorded, bool again = false);
  // Whether of() has chosen the job itself, not only because others need it.
  bool has_chosen(const PlannedJob& job) const { return is_all() || chosen_.count(job.key) != 0; }

 private:
  std::vector<std::string> cases_;
  std::optional<std::string> where_;
  std::optional<int> limit_;
  std::unordered_set<std::string> chosen_;   // keys
  std::unordered_set<std::string> limited_;  // of them, those that count for --limit
};

}  // namespace qbitopt::app
