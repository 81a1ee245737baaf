// qbitopt run: runs the unfinished jobs of a sweep, then prints and writes its tables.
#include <fmt/format.h>

#include <algorithm>

#include "app/driver_lock.h"
#include "app/execute.h"
#include "app/executor_choice.h"
#include "app/exit_codes.h"
#include "app/job_choice.h"
#include "app/known_parts.h"
#include "app/places.h"
#include "app/same_name.h"
#include "app/sweep_tables.h"
#include "app/tables.h"
#include "app/text.h"
#include "app/verbs.h"
#include "qbitopt/core/error.h"
#include "qbitopt/runlog/queries.h"
#include "qbitopt/sweep/sweep_file.h"

namespace po = boost::program_options;

namespace qbitopt::app {
namespace {

constexpr size_t kManyJobs = 10'000;  // take seconds to store

std::map<std::string, std::string> environment() {
  return {{"host", host_name()},
          {"version", QBITOPT_VERSION},
          {"folder", std::filesystem::current_path().string()}};
}

// `stored`: keys of the sweep as it was last run.
void say_difference(const std::vector<std::string>& stored, const Plan& plan, Database& database,
                    Console& console) {
  if (stored.empty()) return;
  const PlanDifference changes = difference(stored, plan);
  if (changes.added.empty() && changes.orphaned.empty()) return;
  size_t cached = 0;
  for (const JobRecord& record : database.records(plan))
    cached += record.state == JobState::kFinished;
  console.say(fmt::format("the sweep has changed: +{} new, -{} orphaned, {} cached",
                          changes.added.size(), changes.orphaned.size(), cached));
}

// Keys of the jobs that stand in the sweep and are chosen.
std::vector<std::string> requested_keys(const Plan& plan, const JobChoice& choice) {
  std::vector<std::string> keys;
  for (const PlannedJob& job : plan.jobs) {
    if (job.requested && choice.has_chosen(job)) keys.push_back(job.key);
  }
  return keys;
}

// Are there jobs in a cluster's queue, or left for the next run?
bool goes_on(const Plan& plan, Database& database) {
  const std::vector<JobRecord> records = database.records(plan);
  return std::any_of(records.begin(), records.end(), [](const JobRecord& record) {
    return record.state == JobState::kRunning || record.state == JobState::kNew ||
           record.state == JobState::kInterrupted;
  });
}

std::optional<std::vector<PublishedResult>> read_published_if_any() {
  if (!std::filesystem::exists(published_file())) return std::nullopt;
  return read_published(published_file());
}

// Prints each table and writes it beside the database, so that a trial with another database does
// not change the real tables.
void print_tables(const std::vector<SweepTable>& tables, const std::string& sweep,
                  Database& database, Console& console) {
  const TableFormat& markdown = find_table_format("markdown");
  for (const SweepTable& each : tables) {
    const auto missing = missing_sweeps(each, database.reader(), sweep);
    if (!missing.empty()) {
      console.say(
          fmt::format("table {} is not written yet: it also shows sweep {}, which was not run",
                      each.definition.name, fmt::join(missing, ", ")));
      continue;
    }
    const Table table = build_table(database.reader(), each.definition);
    const std::string text = markdown.write(table);
    console.print((&each != &tables.front() ? "\n" : "") + text);
    write_output(each.output, text);
    database.record_table(rendered(table, each.definition, markdown, text));
    console.say(fmt::format("wrote {}; `qbitopt table {}` prints other formats", shown(each.output),
                            each.word));
  }
}

}  // namespace

int run(const Invocation& invocation) {
  CommandLine line(
      "run SWEEP [key=value ...] [options]",
      "Runs the unfinished jobs of a sweep and prints its tables. SWEEP is a file, or the\n"
      "name of a file in sweeps/. Overrides: key=v, a=1,2 (grid), a='b,c' (string with a\ncomma), "
      "+key=v (new key), ++key=v (new or not), ~key (removed key),\n"
      "cases.NAME.key=v (in one case). With --case, --where or --limit, the sweep is recorded\n"
      "as a whole, and only the chosen jobs run now.");
  JobChoice::add_options(line);
  add_execution_options(line);
  add_plugin_option(line);
  line.options()("again", po::bool_switch(), "also run finished jobs again");
  line.add_database();
  line.add_positional("sweep", 1);
  line.add_positional("override", -1);
  if (!line.parse(invocation)) return kGood;
  if (!line.has("sweep"))
    throw UsageError("run needs a sweep: a file, or the name of one in sweeps/");
  Console& console = invocation.console;

  const std::filesystem::path file = line.database();
  const std::filesystem::path path = find_sweep(line.words("sweep").front());
  const Catalog catalog = known_parts(path, plugins_of(line));
  const Sweep sweep(path, line.words("override"), catalog, {fingerprint_cache(file)});
  Plan plan = sweep.plan();
  JobChoice choice(line);
  choice.check_cases(plan);
  for (const std::string& warning : plan.warnings) console.warn(warning);
  executor_of(plan, line);  // wrong options, before anything is written
  if (plan.jobs.size() > kManyJobs)
    console.say(fmt::format("storing {} planned jobs", plan.jobs.size()));

  const std::vector<SweepTable> tables = read_tables(plan, catalog, file.parent_path());
  const auto published = read_published_if_any();

  const DriverLock lock(file);
  Database database(file, patient_database(console));
  const auto plan_now = [&] {
    return sweep.plan([&](const std::string& key) { return trial_result(database.reader(), key); });
  };
  const auto record = [&](const Plan& plan) {
    database.record_sweep(plan, {invocation.argv, environment(), &catalog});
  };
  if (!plan.searches.empty()) plan = plan_now();
  if (const auto clash = clash_of_names(database.reader(), plan)) throw InputError(*clash);
  const auto stored = stored_keys(database.reader(), plan.sweep_name);
  const auto chosen_of = [&](const Plan& whole, bool again) {
    return choice.of(whole, choice.ask(database.reader()), again);
  };
  if (line.is_on("again")) {
    if (!choice.is_all()) record(plan);
    database.reset(requested_keys(chosen_of(plan, /*again=*/true), choice));
    if (!plan.searches.empty()) plan = plan_now();
  }
  say_difference(stored, plan, database, console);
  record(plan);
  if (published) database.record_published(*published);
  const size_t planned_jobs = plan.jobs.size();
  Plan chosen = choice.is_all() ? std::move(plan) : chosen_of(plan, /*again=*/false);
  if (!choice.is_all()) {
    console.say(fmt::format("{} of {} jobs are chosen, with those that they need",
                            chosen.jobs.size(), planned_jobs));
  }
  const int status = execute(chosen, file, lock, database, line, console, [&] {
    const Plan grown = plan_now();
    record(grown);
    return chosen_of(grown, /*again=*/false);
  });
  const bool is_over = status == kGood || status == kJobsFailed;
  if (is_over && !(line.is_on("detach") && goes_on(chosen, database)))
    print_tables(tables, chosen.sweep_name, database, console);
  database.close();
  return status;
}

}  // namespace qbitopt::app
