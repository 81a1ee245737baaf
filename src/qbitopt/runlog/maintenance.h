#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "qbitopt/runlog/error.h"

namespace qbitopt {

// Checks a database and returns its errors, one line each: damaged pages, dangling references,
// views that cannot be read. Does not change the file, and works while a driver is running. Throws
// as Reader does.
std::vector<std::string> check_database(const std::filesystem::path& file);

// Checks the files that finished runs left and returns those that are missing or were changed, one
// line each, with the jobs that used such a file. Reads all files. Throws as Reader does.
std::vector<std::string> check_artifacts(const std::filesystem::path& file);

// The result of `db migrate`.
struct MigrationResult {
  int from_version = 0;
  int to_version = 0;
  std::filesystem::path copy;  // the file as it was; empty if it was up to date
};
// Brings a file of an older version up to date, after copying it. Throws DatabaseError, with the
// file untouched, if it belongs to another program or a newer version; InputError if there is no
// such file.
MigrationResult migrate_database(const std::filesystem::path& file);

// Writes a consistent copy, also during a run; it is one plain file that can be opened anywhere.
// Throws InputError if `destination` exists, DatabaseError if it cannot be written.
void backup_database(const std::filesystem::path& file, const std::filesystem::path& destination);

// Writes the views as plain tables (no STRICT, no views, no write-ahead log), for old versions of
// SQLite 3. Throws as backup_database does.
void export_plain_database(const std::filesystem::path& file,
                           const std::filesystem::path& destination);

}  // namespace qbitopt
