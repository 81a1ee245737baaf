#include "qbitopt/runlog/migrations.h"

#include <fmt/format.h>

#include <chrono>

namespace qbitopt {

const std::vector<Migration>& migrations() {
  static const std::vector<Migration> steps = {
      {2, "runs of searches",
       "ALTER TABLE sweep_job ADD COLUMN trial INTEGER NOT NULL DEFAULT 0 CHECK (trial >= 0)"},
      {3, "jobs of several cases",
       "ALTER TABLE sweep_job ADD COLUMN other_cases TEXT NOT NULL DEFAULT '[]' CHECK "
       "(json_valid(other_cases))"}};
  return steps;
}

void migrate(const std::filesystem::path& file, Connection& connection, int version,
             const std::vector<Migration>& steps, int target) {
  if (version >= target) return;
  std::string copy = fmt::format("{}.v{}.bak", file.string(), version);
  for (int again = 2; std::filesystem::exists(copy); ++again)
    copy = fmt::format("{}.v{}.{}.bak", file.string(), version, again);
  SQLite::Database& db = connection.raw();
  db.backup(copy.c_str(), SQLite::Database::Save);
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  db.exec("PRAGMA foreign_keys = OFF");
  try {
    connection.begin();
    for (const Migration& step : steps) {
      if (step.to_version <= version || step.to_version > target) continue;
      db.exec(std::string(step.sql));
      connection.execute("INSERT INTO schema_migration VALUES (?, ?, ?)", step.to_version,
                         std::string(step.name), now);
      version = step.to_version;
    }
    if (version != target)
      throw DatabaseError(
          fmt::format("{}: no way from schema {} to {}", file.string(), version, target));
    if (connection.find<std::string>("SELECT \"table\" FROM pragma_foreign_key_check LIMIT 1")) {
      throw DatabaseError(fmt::format("{}: the migration would break references", file.string()));
    }
    db.exec(fmt::format("PRAGMA user_version = {}", target));
    connection.commit();
  } catch (const std::exception& error) {
    connection.rollback();
    throw DatabaseError(
        fmt::format("{}: migration to schema {} failed and was undone: {}; a copy is {}",
                    file.string(), target, error.what(), copy));
  }
  db.exec("PRAGMA foreign_keys = ON");
}

}  // namespace qbitopt
