#include "qbitopt/runlog/migrations.h"

#include <fmt/format.h>

#include <chrono>

namespace qbitopt {

namespace {

// A share followed from a job's budget.weighting, so jobs of other weightings than `elements` get
// inventories of their own.
constexpr const char* kBudgets = R"(
  DROP VIEW IF EXISTS runs;
  DROP VIEW IF EXISTS results;
  DROP VIEW IF EXISTS pareto;
  DROP VIEW IF EXISTS bits;
  DROP VIEW IF EXISTS allocations;
  ALTER TABLE budget_result RENAME COLUMN limit_bits TO limit_value;
  ALTER TABLE budget_result RENAME COLUMN achieved_bits TO achieved;
  ALTER TABLE allocation_budget RENAME COLUMN limit_bits TO limit_value;
  ALTER TABLE allocation_budget RENAME COLUMN achieved_bits TO achieved;
  ALTER TABLE quantizer ADD COLUMN share INTEGER;
  UPDATE quantizer SET share = elements;
  CREATE TEMP TABLE weighted AS
    SELECT DISTINCT inventory_id AS old, json_extract(job.parameters, '$."budget.weighting"') AS weighting
    FROM attempt
    JOIN job ON job.id = attempt.job_id
    WHERE inventory_id IS NOT NULL AND weighting IN ('tensors', 'macs');
  INSERT INTO inventory (sha256)
    SELECT sha256 || ' by ' || weighting FROM weighted JOIN inventory ON inventory.id = old;
  INSERT INTO quantizer
    SELECT
      (SELECT id FROM inventory WHERE sha256 = list.sha256 || ' by ' || weighting),
      position, name, kind, elements, macs, counted, pinned_bits, iif(weighting = 'macs', macs, 1)
    FROM weighted
    JOIN inventory AS list ON list.id = old
    JOIN quantizer ON quantizer.inventory_id = old;
  UPDATE attempt SET inventory_id = (SELECT own.id FROM weighted
      JOIN inventory AS list ON list.id = old
      JOIN inventory AS own ON own.sha256 = list.sha256 || ' by ' || weighting
      JOIN job ON job.id = attempt.job_id
      WHERE old = attempt.inventory_id AND weighting = json_extract(job.parameters, '$."budget.weighting"'))
    WHERE job_id IN (SELECT id FROM job
        WHERE json_extract(job.parameters, '$."budget.weighting"') IN ('tensors', 'macs'))
      AND inventory_id IS NOT NULL;
  DROP TABLE weighted)";

constexpr const char* kNotes = R"(
CREATE TABLE note (
  id INTEGER PRIMARY KEY,
  job_id INTEGER UNIQUE REFERENCES job (id),
  sweep_id INTEGER UNIQUE REFERENCES sweep (id),
  text TEXT NOT NULL CHECK (length(text) > 0),
  written_at REAL NOT NULL,
  CHECK ((job_id IS NULL) <> (sweep_id IS NULL))
) STRICT;
CREATE TABLE tag (
  id INTEGER PRIMARY KEY,
  job_id INTEGER REFERENCES job (id),
  sweep_id INTEGER REFERENCES sweep (id),
  name TEXT NOT NULL CHECK (length(name) > 0),
  UNIQUE (job_id, name),
  UNIQUE (sweep_id, name),
  CHECK ((job_id IS NULL) <> (sweep_id IS NULL))
) STRICT;)";

}  // namespace

const std::vector<Migration>& migrations() {
  static const std::vector<Migration> steps = {
      {2, "runs of searches",
       "ALTER TABLE sweep_job ADD COLUMN trial INTEGER NOT NULL DEFAULT 0 CHECK (trial >= 0)"},
      {3, "jobs of several cases",
       "ALTER TABLE sweep_job ADD COLUMN other_cases TEXT NOT NULL DEFAULT '[]' CHECK "
       "(json_valid(other_cases))"},
      {4, "budgets in bytes and bit operations, shares as told", kBudgets},
      {5, "notes and tags", kNotes},
      {6, "heartbeats", "ALTER TABLE attempt ADD COLUMN heard_at REAL"}};
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
      throw DatabaseError(fmt::format("{}: there is no migration from schema {} to {}",
                                      file.string(), version, target));
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
