// qbitopt cancel: cancels jobs, through the driver that runs them if there is one.
#include <fmt/format.h>

#include <map>
#include <set>
#include <thread>

#include "app/driver_lock.h"
#include "app/execute.h"
#include "app/executor_choice.h"
#include "app/exit_codes.h"
#include "app/places.h"
#include "app/stored_plan.h"
#include "app/verbs.h"
#include "qbitopt/core/hash.h"
#include "qbitopt/runlog/queries.h"
#include "qbitopt/schedule/cancel_requests.h"
#include "qbitopt/schedule/executors/queue/batch.h"

namespace qbitopt::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{10};  // for the driver, which looks ten times a second

struct Choice {
  std::vector<std::string> keys;  // of jobs that have not ended
  size_t ended = 0;               // the others
};

Choice chosen(const Reader& reader, const std::vector<std::string>& words) {
  std::set<std::string> named;
  for (const std::string& word : words) {
    const std::vector<std::string> of_sweep = stored_keys(reader, word);
    if (of_sweep.empty()) {
      named.insert(find_key(reader, word));
    } else {
      named.insert(of_sweep.begin(), of_sweep.end());
    }
  }
  const auto open = keys_where(reader, "state IN ('new', 'running', 'interrupted')");
  Choice choice;
  for (const std::string& key : open) {
    if (named.count(key) != 0) choice.keys.push_back(key);
  }
  choice.ended = named.size() - choice.keys.size();
  return choice;
}

// Waits until the driver has obeyed or ended. Returns whether it obeyed.
bool is_obeyed(const std::filesystem::path& request, const std::filesystem::path& database) {
  const auto end = steady_clock::now() + kPatience;
  while (std::filesystem::exists(request)) {
    if (!has_driver(database) || steady_clock::now() > end) return false;
    std::this_thread::sleep_for(milliseconds(20));
  }
  return true;
}

int ask_driver(const std::vector<std::string>& keys, const CommandLine& line, Console& console) {
  const std::filesystem::path database = line.database();
  const std::filesystem::path request = CancelRequests(runs_folder(database)).put(keys);
  if (!is_obeyed(request, database)) {
    std::filesystem::remove(request);
    throw LockedError(
        "the running driver did not obey within 10 s; it may be stopped or waiting "
        "for the database: repeat the command, or stop the driver");
  }
  console.say(
      fmt::format("asked the running driver to cancel {}: what runs writes a checkpoint first "
                  "(ask again to terminate, a third time to kill)",
                  keys.size() == 1 ? "a job" : fmt::format("{} jobs", keys.size())));
  return kGood;
}

// The jobs alone: not those that they need.
Plan plan_of(const Reader& reader, const std::vector<std::string>& keys) {
  Plan plan = stored_plan(reader, keys);
  const std::set<std::string> wanted(keys.begin(), keys.end());
  std::erase_if(plan.jobs, [&](const PlannedJob& job) { return wanted.count(job.key) == 0; });
  for (PlannedJob& job : plan.jobs) job.needs = {};
  return plan;
}

// Where these jobs run -> their keys. A place is written as in `run` of a sweep file; null: here. Jobs
// that do not run are anywhere.
std::map<Json, std::vector<std::string>> by_executor(const std::vector<std::string>& keys,
                                                     const std::filesystem::path& runs,
                                                     Database& database) {
  std::map<std::string, Json> places;  // by the folder of the attempt
  for (const QueueBatch& batch : recorded_batches(runs)) {
    if (batch.executor.empty()) continue;
    for (const auto& task : batch.tasks) {
      for (const QueueBatch::Entry& entry : task)
        places[entry.folder] = {{"executor", batch.executor}, {batch.executor, batch.settings}};
    }
  }
  const Plan plan = plan_of(database.reader(), keys);
  const std::vector<JobRecord> records = database.records(plan);
  std::map<Json, std::vector<std::string>> keys_at;
  std::vector<std::string> nowhere;
  for (size_t i = 0; i < records.size(); ++i) {
    const bool is_running = records[i].state == JobState::kRunning;
    (is_running ? keys_at[places[records[i].folder]] : nowhere).push_back(plan.jobs[i].key);
  }
  std::vector<std::string>& first = keys_at.empty() ? keys_at[Json()] : keys_at.begin()->second;
  first.insert(first.end(), nowhere.begin(), nowhere.end());
  return keys_at;
}

}  // namespace

int cancel(const Invocation& invocation) {
  CommandLine line("cancel (KEY | SWEEP) ... [options]",
                   "Cancels jobs, or all jobs of a sweep that have not ended: a running job writes "
                   "a checkpoint\nand stops, and `qbitopt run` does not start it again. `qbitopt "
                   "retry` does, from the checkpoint.\nJobs in the queue of a cluster are found "
                   "there, by what was recorded when they were submitted.");
  add_executor_options(line);
  line.add_database();
  line.add_positional("job", -1);
  if (!line.parse(invocation)) return kGood;
  if (!line.has("job")) throw UsageError("cancel needs keys of jobs or names of sweeps");
  Console& console = invocation.console;

  const std::filesystem::path file = line.database();
  const Choice choice = chosen(Reader(file), line.words("job"));
  if (choice.ended > 0) console.say(fmt::format("ended already: {}", choice.ended));
  if (choice.keys.empty()) return kGood;
  if (has_driver(file)) return ask_driver(choice.keys, line, console);

  const DriverLock lock(file);
  Database database(file, patient_database(console));
  for (const auto& [place, keys] : by_executor(choice.keys, runs_folder(file), database)) {
    Plan plan = plan_of(database.reader(), keys);
    if (!place.is_null()) plan.run = place;
    execute(plan, file, lock, database, line, console, nullptr, keys);
  }
  database.close();
  return kGood;
}

}  // namespace qbitopt::app
