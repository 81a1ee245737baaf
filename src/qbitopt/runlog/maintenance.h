#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "qbitopt/runlog/error.h"

namespace qbitopt {

// What is wrong with a database, a line each: pages that SQLite finds damaged, references that lead
// nowhere, views that cannot be read. Empty: all is well. Changes nothing, and works beside a
// running driver. Throws as Reader does.
std::vector<std::string> check_database(const std::filesystem::path& file);

// Which files that finished runs left are gone or have another content than they left, a line each,
// with the jobs that finished from such a file. Reads all of them. Throws as Reader does.
std::vector<std::string> check_artifacts(const std::filesystem::path& file);

// What `db migrate` did.
struct MigrationResult {
  int from_version = 0;
  int to_version = 0;
  std::filesystem::path copy;  // the file as it was; empty if it was up to date
};
// Brings a file of an older version up to date, after copying it. Throws DatabaseError, with the
// file untouched, if it is not ours or of a newer version; InputError if there is no such file.
MigrationResult migrate_database(const std::filesystem::path& file);

// A consistent copy, also in the middle of a run; one plain file that opens anywhere. Throws
// InputError if `destination` exists, DatabaseError if it cannot be written.
void backup_database(const std::filesystem::path& file, const std::filesystem::path& destination);

// A copy of the views as plain tables (no STRICT, no views, no write-ahead log), which any SQLite 3
// opens, however old. Throws as backup_database does.
void export_plain_database(const std::filesystem::path& file,
                           const std::filesystem::path& destination);

}  // namespace qbitopt
