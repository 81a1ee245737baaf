#pragma once

// Internal to the run log: tables and views, embedded from tables/*.sql and views/*.sql.

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "qbitopt/runlog/connection.h"

namespace qbitopt {

struct SqlFile {
  std::string_view name;  // "runs"
  std::string_view text;
};
// Metrics with columns: one in `runs` and four in `results`. SQLite allows 2,000 columns.
inline constexpr int kMostResults = 200;

// Generated from the files by CMake.
const std::vector<SqlFile>& table_files();
const std::vector<SqlFile>& view_files();

// One line of `sql --describe`.
struct ColumnDoc {
  std::string column;  // empty: the relation itself
  std::string unit;    // empty: none
  std::string meaning;
};
// The documentation in the comments of an SQL file: those before CREATE describe the relation, and
// each "... name TYPE, -- [unit] meaning" or "... AS name, -- [unit] meaning" is about a column.
std::vector<ColumnDoc> read_docs(std::string_view sql);

// The state of a job as SQL: as stored, or 'stopped' for one that the sweep's `stop` has ended. Reads
// `job`, and `attempt`, which is the one of job.attempt_id.
inline constexpr const char* kStateOfJob =
    "CASE WHEN job.state = 'failed' AND attempt.error_class = 'stopped' THEN 'stopped' ELSE "
    "job.state END";

// Creates the tables and views of an empty file, in one transaction.
void create_schema(Connection& connection);

// Recreates the views, with the documentation of tables and views, if the file's parameters or
// metrics need other columns. Part of the caller's transaction, or one of its own.
void refresh_views(Connection& connection);
// The same without a look at every job: the parameters that already have columns keep them, and
// these get theirs.
void extend_views(Connection& connection, const std::set<std::string>& parameters);

}  // namespace qbitopt
