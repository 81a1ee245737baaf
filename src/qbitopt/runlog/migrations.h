#pragma once

// Internal to the run log: converts files of older versions.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "qbitopt/runlog/connection.h"

namespace qbitopt {

// Version of the schema that tables/*.sql describe. Raised with every change to them after a
// release, together with a migration.
inline constexpr int kSchemaVersion = 6;

// One step forward. `sql` changes base tables, and drops views that name what it renames: all views
// are made anew after the last step.
struct Migration {
  int to_version;
  std::string_view name;
  std::string_view sql;
};

// All steps from the first released version on, ascending.
const std::vector<Migration>& migrations();

// Takes a file from `version` to `target` in one transaction, after copying it to
// "<file>.v<version>.bak". Does nothing if the file has that version already. Throws DatabaseError,
// with the file as it was, if a step fails.
void migrate(const std::filesystem::path& file, Connection& connection, int version,
             const std::vector<Migration>& steps, int target);

}  // namespace qbitopt
