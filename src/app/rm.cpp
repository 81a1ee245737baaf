// qbitopt rm: deletes jobs or sweeps, with their files.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/disk_space.h"
#include "app/driver_lock.h"
#include "app/exit_codes.h"
#include "app/verbs.h"
#include "qbitopt/core/hash.h"
#include "qbitopt/runlog/database.h"
#include "qbitopt/runlog/queries.h"

namespace po = boost::program_options;

namespace qbitopt::app {
namespace {

namespace fs = std::filesystem;

struct Named {
  std::vector<std::string> sweeps, keys;
};

Named named_by(const Reader& reader, const CommandLine& line) {
  Named named;
  for (const std::string& word : line.words("what")) {
    if (last_revision(reader, word)) {
      named.sweeps.push_back(word);
    } else {
      named.keys.push_back(find_key(reader, word));
    }
  }
  if (line.has("where")) {
    for (const std::string& key : keys_where(reader, line.get<std::string>("where")))
      named.keys.push_back(key);
  }
  return named;
}

std::string describe(const Removal& removal) {
  int64_t bytes = 0;
  for (const std::string& folder : removal.folders) bytes += disk_space(folder);
  std::string text = fmt::format("jobs: {}, with {} attempts and {} of files", removal.jobs.size(),
                                 removal.folders.size(), size_text(bytes));
  if (!removal.sweeps.empty()) text += fmt::format("; sweeps: {}", fmt::join(removal.sweeps, ", "));
  return text;
}

void delete_folders(const Removal& removal, Console& console) {
  for (const fs::path folder : removal.folders) {
    std::error_code error;
    fs::remove_all(folder, error);
    if (error) console.warn(fmt::format("{}: {}", folder.string(), error.message()));
    fs::remove(folder.parent_path(), error);  // the job's, if it is empty now
  }
}

}  // namespace

int rm(const Invocation& invocation) {
  CommandLine line(
      "rm (KEY | SWEEP) ... [--where SQL] [--delete] [options]",
      "Deletes jobs or sweeps from the database, with the files of their attempts. A "
      "sweep goes with the\njobs that no other sweep has. Without --delete, only shows "
      "what would be deleted.");
  line.options()("where", po::value<std::string>()->value_name("SQL"),
                 "jobs that meet a condition on the view `runs`")(
      "delete", po::bool_switch(), "delete what is shown")("list", po::bool_switch(),
                                                           "print the keys of the jobs");
  line.add_database();
  line.add_positional("what", -1);
  if (!line.parse(invocation)) return kGood;
  if (!line.has("what") && !line.has("where"))
    throw UsageError("rm needs keys of jobs, names of sweeps, or --where");
  Console& console = invocation.console;

  const fs::path file = line.database();
  Reader{file};  // a missing database is an error and not created
  const DriverLock lock(file);
  Database database(file);
  const Named named = named_by(database.reader(), line);
  const Removal removal = plan_removal(database.reader(), named.sweeps, named.keys);
  if (line.is_on("list")) {
    for (const std::string& key : removal.jobs) console.print(short_key(key) + "\n");
  }
  const std::string what = describe(removal);
  if (!line.is_on("delete")) {
    console.say("would delete " + what + "; --delete does");
  } else {
    database.remove(removal);
    delete_folders(removal, console);
    console.say("deleted " + what);
  }
  database.close();
  return kGood;
}

}  // namespace qbitopt::app
