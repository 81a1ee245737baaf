// qbitopt db: checks, migrates and copies the database file.
#include <fmt/format.h>

#include "app/driver_lock.h"
#include "app/exit_codes.h"
#include "app/places.h"
#include "app/text.h"
#include "app/verbs.h"
#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"
#include "qbitopt/runlog/database.h"
#include "qbitopt/runlog/maintenance.h"

namespace po = boost::program_options;

namespace qbitopt::app {
namespace {

namespace fs = std::filesystem;

int check(const CommandLine& line, Console& console) {
  const std::vector<std::string> faults = check_database(line.database());
  for (const std::string& fault : faults) console.error(fault);
  if (!faults.empty()) {
    console.say(fmt::format("{}: damaged. Copies end in .bak; `qbitopt run` repeats lost runs",
                            line.database().string()));
    return kDatabase;
  }
  if (line.is_on("artifacts")) {
    const std::vector<std::string> damaged = check_artifacts(line.database());
    for (const std::string& fault : damaged) console.error(fault);
    if (!damaged.empty()) return kDatabase;
  }
  console.print(fmt::format("{}: no errors found\n", line.database().string()));
  return kGood;
}

int migrate(const CommandLine& line, Console& console) {
  if (!fs::exists(line.database()))
    throw InputError(fmt::format("{}: no such database", line.database().string()));
  const DriverLock lock(line.database());
  const MigrationResult result = migrate_database(line.database());
  const std::string file = line.database().string();
  if (result.copy.empty()) {
    console.print(fmt::format("{}: up to date, schema {}\n", file, result.to_version));
  } else {
    console.print(fmt::format("{}: schema {} -> {}; copy of the old file: {}\n", file,
                              result.from_version, result.to_version, result.copy.string()));
  }
  return kGood;
}

int backup(const CommandLine& line, Console& console) {
  const std::vector<std::string> words = line.words("what");
  if (words.size() < 2) throw UsageError("db backup needs the name of the copy: db backup copy.db");
  backup_database(line.database(), words[1]);
  console.print(fmt::format("wrote {}\n", words[1]));
  return kGood;
}

int published(const CommandLine& line, Console& console) {
  const std::vector<std::string> words = line.words("what");
  const fs::path file = words.size() > 1 ? fs::path(words[1]) : published_file();
  const std::vector<PublishedResult> results = read_published(file);
  const DriverLock lock(line.database());
  Database database(line.database());
  database.record_published(results);
  database.close();
  console.print(fmt::format("{} published numbers of {}\n", results.size(), shown(file)));
  return kGood;
}

}  // namespace

int db(const Invocation& invocation) {
  CommandLine line("db check|migrate|backup FILE|published [FILE]",
                   "Maintains the database file.\n"
                   "  check      check its integrity; exit status 4 if it is damaged\n"
                   "  migrate    upgrade a file of an older qbitopt, after copying it\n"
                   "  backup     copy it, also during a run\n"
                   "  published  import published results (default: results/published.csv)");
  line.options()("artifacts", po::bool_switch(),
                 "check: also compare all files of finished runs with their sha256");
  line.add_database();
  line.add_positional("what", 2);
  if (!line.parse(invocation)) return kGood;
  if (!line.has("what"))
    throw UsageError("db needs an action: check, migrate, backup or published");
  const std::string what = line.words("what").front();
  if (line.is_on("artifacts") && what != "check")
    throw UsageError("--artifacts is an option of `db check`");
  if (line.words("what").size() > 1 && (what == "check" || what == "migrate"))
    throw UsageError(
        fmt::format("db {} takes no file argument; name the database with --db", what));
  if (what == "check") return check(line, invocation.console);
  if (what == "migrate") return migrate(line, invocation.console);
  if (what == "backup") return backup(line, invocation.console);
  if (what == "published") return published(line, invocation.console);
  throw UsageError(unknown_name("action", what, {"check", "migrate", "backup", "published"}));
}

}  // namespace qbitopt::app
