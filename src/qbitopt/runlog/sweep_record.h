#pragma once

// Internal to the run log: stores plans as rows, and locates the files of attempts.

#include <filesystem>
#include <string>
#include <vector>

#include "qbitopt/runlog/connection.h"
#include "qbitopt/runlog/database.h"

namespace qbitopt {

// Stores a plan within the caller's transaction.
class SweepRecorder {
 public:
  SweepRecorder(Connection& connection, double now) : connection_(connection), now_(now) {}

  void record(const Plan& plan, const SweepOrigin& origin);

 private:
  int64_t record_name(const Plan& plan);
  void record_revision(int64_t sweep, const Plan& plan, const SweepOrigin& origin);
  // Stores the job and its place in the sweep, unless it has finished and all of this is on record.
  // Returns its id.
  int64_t record_place(int64_t sweep, int64_t position, const PlannedJob& planned);
  int64_t record_job(const PlannedJob& planned);
  void record_definitions(const Catalog& catalog);
  void record_needs(int64_t job, const PlannedJob& planned);
  // All jobs of the sweep but these, sorted, are not part of it any more.
  void orphan_others(int64_t sweep, const std::vector<int64_t>& jobs);

  Connection& connection_;
  double now_;
};

// That of the file itself, by whatever name.
std::filesystem::path folder_of_database(const std::filesystem::path& database);

// A stored folder as an absolute path; relative paths start at the database's folder.
std::string absolute_folder(const std::filesystem::path& database, const std::string& stored);

}  // namespace qbitopt
