// qbitopt retry: runs failed jobs again, whatever sweep they belong to.
#include <fmt/format.h>

#include <set>

#include "app/driver_lock.h"
#include "app/execute.h"
#include "app/exit_codes.h"
#include "app/stored_plan.h"
#include "app/verbs.h"
#include "qbitopt/runlog/queries.h"

namespace po = boost::program_options;

namespace qbitopt::app {
namespace {

std::vector<std::string> chosen_keys(const Reader& reader, const CommandLine& line) {
  std::set<std::string> keys;
  for (const std::string& word : line.words("key")) keys.insert(find_key(reader, word));
  if (line.is_on("failed")) {
    const std::string where = line.get_or<std::string>("where", "1");
    for (const std::string& key : keys_where(reader, "state = 'failed' AND (" + where + ")"))
      keys.insert(key);
  }
  return {keys.begin(), keys.end()};
}

// Jobs that failed because a file of one of these was missing or damaged; they are run again, too.
std::vector<std::string> failed_for_want_of(const Reader& reader,
                                            const std::vector<std::string>& followers) {
  std::vector<std::string> failed =
      keys_where(reader, "state = 'failed' AND error_class IN ('missing_input', 'damaged_input')");
  const std::set<std::string> all(followers.begin(), followers.end());
  std::erase_if(failed, [&](const std::string& key) { return all.count(key) == 0; });
  return failed;
}

}  // namespace

int retry(const Invocation& invocation) {
  CommandLine line("retry (--failed [--where SQL] | KEY ...) [options]",
                   "Runs failed jobs again, and then the jobs that needed them.");
  line.options()("failed", po::bool_switch(), "retry all failed jobs")(
      "where", po::value<std::string>()->value_name("SQL"),
      "only failed jobs that meet a condition on the view `runs`, for example \"method = "
      "'qbitopt'\"");
  add_execution_options(line);
  line.add_database();
  line.add_positional("key", -1);
  if (!line.parse(invocation)) return kGood;
  if (!line.is_on("failed") && !line.has("key"))
    throw UsageError("retry needs --failed or the keys of jobs");
  if (line.has("where") && !line.is_on("failed"))
    throw UsageError("--where is an option of --failed");

  const std::filesystem::path file = line.database();
  Reader{file};  // a missing database is an error and not created
  const DriverLock lock(file);
  Database database(file, patient_database(invocation.console));
  const std::vector<std::string> keys = chosen_keys(database.reader(), line);
  if (keys.empty()) {
    invocation.console.say("no failed jobs");
    return kGood;
  }
  const auto all = with_dependents(database.reader(), keys);
  Plan plan = stored_plan(database.reader(), all);
  database.reset(keys);
  database.reset(failed_for_want_of(database.reader(), all));
  const int status = execute(plan, file, lock, database, line, invocation.console);
  database.close();
  return status;
}

}  // namespace qbitopt::app
