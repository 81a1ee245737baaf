#include "qbitopt/runlog/merge.h"

#include <fmt/format.h>

#include <map>

#include "qbitopt/core/error.h"
#include "qbitopt/core/hash.h"
#include "qbitopt/runlog/database_file.h"
#include "qbitopt/runlog/schema.h"
#include "qbitopt/runlog/sweep_record.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;

// Rows of the other file get new internal numbers. Temporary tables map theirs to ours.
class Merger {
 public:
  Merger(Connection& connection, fs::path file, fs::path other)
      : connection_(connection), file_(std::move(file)), other_(std::move(other)) {}

  MergeResult add_all() {
    execute("PRAGMA defer_foreign_keys = ON");
    MergeResult result;
    add_shared_rows();
    result.jobs = add_jobs();
    result.differing = differing_jobs();
    result.attempts = add_attempts();
    result.finished = count(
        "SELECT count(*) FROM merged_job JOIN other.job ON job.id = theirs WHERE state = "
        "'finished'");
    result.folders = place_folders();
    add_allocations();
    point_to_results();
    result.sweeps = add_sweeps();
    add_remarks();
    return result;
  }

 private:
  void execute(const std::string& sql) { connection_.raw().exec(sql); }
  int64_t count(const std::string& sql) { return *connection_.find<int64_t>(sql); }

  // Copies rows of `table`, `t` in `source`, a FROM clause. `changed`: column -> what replaces it;
  // empty: the column is left out.
  int copy(const std::string& table, const std::map<std::string, std::string>& changed,
           const std::string& source, const std::string& insert = "INSERT") {
    std::string columns, values;
    SQLite::Statement names(connection_.raw(), "SELECT name FROM other.pragma_table_info(?)");
    names.bind(1, table);
    while (names.executeStep()) {
      const std::string name = names.getColumn(0).getString();
      const auto change = changed.find(name);
      const std::string value = change == changed.end() ? "t.\"" + name + "\"" : change->second;
      if (value.empty()) continue;
      columns += (columns.empty() ? "\"" : ", \"") + name + "\"";
      values += (values.empty() ? "" : ", ") + value;
    }
    return connection_.raw().exec(fmt::format("{} INTO main.{} ({}) SELECT {} FROM {}", insert,
                                              table, columns, values, source));
  }

  // What jobs and attempts share.
  void add_shared_rows() {
    copy("parameter_definition", {}, "other.parameter_definition AS t", "INSERT OR IGNORE");
    copy("metric_definition", {{"id", ""}}, "other.metric_definition AS t", "INSERT OR IGNORE");
    copy("environment", {{"id", ""}}, "other.environment AS t", "INSERT OR IGNORE");
    execute(
        "CREATE TEMP TABLE new_inventory AS SELECT sha256 FROM other.inventory WHERE sha256 NOT "
        "IN (SELECT sha256 FROM main.inventory)");
    copy("inventory", {{"id", ""}}, "other.inventory AS t", "INSERT OR IGNORE");
    copy("quantizer", {{"inventory_id", "ours.id"}},
         "other.quantizer AS t JOIN other.inventory AS theirs ON theirs.id = t.inventory_id"
         " JOIN main.inventory AS ours ON ours.sha256 = theirs.sha256"
         " WHERE ours.sha256 IN (SELECT sha256 FROM temp.new_inventory)");
  }

  int add_jobs() {
    execute(
        "CREATE TEMP TABLE new_job AS SELECT key FROM other.job WHERE key NOT IN (SELECT key "
        "FROM main.job)");
    const int added = copy("job", {{"id", ""}, {"attempt_id", "NULL"}, {"state", "'new'"}},
                           "other.job AS t WHERE key IN (SELECT key FROM temp.new_job)");
    copy("job_dependency", {{"job_id", "ours.id"}, {"needed_job_id", "needed.id"}},
         "other.job_dependency AS t JOIN other.job AS theirs ON theirs.id = t.job_id"
         " JOIN main.job AS ours ON ours.key = theirs.key"
         " JOIN other.job AS their_needed ON their_needed.id = t.needed_job_id"
         " JOIN main.job AS needed ON needed.key = their_needed.key"
         " WHERE ours.key IN (SELECT key FROM temp.new_job)");
    // The jobs whose attempts come along.
    execute(
        "CREATE TEMP TABLE merged_job AS SELECT t.id AS theirs, ours.id AS ours FROM other.job AS t"
        " JOIN main.job AS ours ON ours.key = t.key"
        " LEFT JOIN main.attempt AS result ON result.id = ours.attempt_id"
        " WHERE t.key IN (SELECT key FROM temp.new_job) OR (t.state = 'finished' AND result.state "
        "IS "
        "NOT 'finished' AND ours.state <> 'running')");
    return added;
  }

  std::vector<std::string> differing_jobs() {
    SQLite::Statement row(
        connection_.raw(),
        "SELECT ours.key FROM main.job AS ours JOIN other.job AS t ON t.key = ours.key"
        " JOIN main.metric AS a ON a.attempt_id = ours.attempt_id AND a.metric_id = (SELECT id "
        "FROM "
        "main.metric_definition WHERE name = 'top1')"
        " JOIN other.metric AS b ON b.attempt_id = t.attempt_id AND b.metric_id = (SELECT id FROM "
        "other.metric_definition WHERE name = 'top1')"
        " WHERE a.value <> b.value ORDER BY ours.key");
    std::vector<std::string> keys;
    while (row.executeStep()) keys.push_back(row.getColumn(0).getString());
    return keys;
  }

  int add_attempts() {
    execute(
        "CREATE TEMP TABLE merged_attempt AS SELECT t.id AS theirs, merged_job.ours AS job_id,"
        " (SELECT COALESCE(max(id), 0) FROM main.attempt) + row_number() OVER (ORDER BY t.id) AS "
        "ours,"
        " (SELECT COALESCE(max(number), 0) FROM main.attempt WHERE attempt.job_id = "
        "merged_job.ours)"
        " + row_number() OVER (PARTITION BY t.job_id ORDER BY t.number) AS number"
        " FROM other.attempt AS t JOIN temp.merged_job ON merged_job.theirs = t.job_id"
        " WHERE t.state <> 'running'");
    execute("CREATE UNIQUE INDEX temp.merged_attempt_theirs ON merged_attempt (theirs)");
    const std::string with_attempt =
        " AS t JOIN temp.merged_attempt AS m ON m.theirs = t.attempt_id";
    const int added = copy(
        "attempt",
        {{"id", "m.ours"},
         {"job_id", "m.job_id"},
         {"number", "m.number"},
         {"environment_id",
          "(SELECT ours.id FROM main.environment AS ours JOIN other.environment AS theirs ON "
          "theirs.facts = ours.facts WHERE theirs.id = t.environment_id)"},
         {"inventory_id",
          "(SELECT ours.id FROM main.inventory AS ours JOIN other.inventory AS theirs ON "
          "theirs.sha256 = ours.sha256 WHERE theirs.id = t.inventory_id)"},
         {"resumed_from",
          "(SELECT ours FROM temp.merged_attempt WHERE merged_attempt.theirs = t.resumed_from)"}},
        "other.attempt AS t JOIN temp.merged_attempt AS m ON m.theirs = t.id ORDER BY t.id");
    copy("attempt_chain", {{"attempt_id", "m.ours"}, {"ancestor_id", "ancestor.ours"}},
         "other.attempt_chain" + with_attempt +
             " JOIN temp.merged_attempt AS ancestor ON ancestor.theirs = t.ancestor_id");
    for (const char* table : {"artifact", "budget_result", "quantizer_final"})
      copy(table, {{"attempt_id", "m.ours"}}, std::string("other.") + table + with_attempt);
    copy("event", {{"id", ""}, {"attempt_id", "m.ours"}},
         "other.event" + with_attempt + " ORDER BY t.id");
    for (const char* table : {"metric", "metric_point"}) {
      copy(table, {{"attempt_id", "m.ours"}, {"metric_id", "ours.id"}},
           std::string("other.") + table + with_attempt +
               " JOIN other.metric_definition AS theirs ON theirs.id = t.metric_id"
               " JOIN main.metric_definition AS ours ON ours.name = theirs.name");
    }
    return added;
  }

  // Each attempt's files get the place that an attempt of this number has here.
  std::vector<MergeResult::Folder> place_folders() {
    std::vector<MergeResult::Folder> folders;
    SQLite::Statement row(connection_.raw(),
                          "SELECT m.ours, job.key, m.number, t.folder FROM temp.merged_attempt AS m"
                          " JOIN main.job ON job.id = m.job_id"
                          " JOIN other.attempt AS t ON t.id = m.theirs ORDER BY m.ours");
    const std::string runs = file_.stem().string() + ".runs";
    while (row.executeStep()) {
      const fs::path stored = fs::path(runs) / short_key(row.getColumn(1).getString()) /
                              std::to_string(row.getColumn(2).getInt());
      connection_.execute("UPDATE main.attempt SET folder = ? WHERE id = ?", stored.string(),
                          row.getColumn(0).getInt64());
      folders.push_back({absolute_folder(other_, row.getColumn(3).getString()),
                         absolute_folder(file_, stored.string())});
    }
    return folders;
  }

  void add_allocations() {
    execute(
        "CREATE TEMP TABLE merged_allocation AS SELECT t.id AS theirs, m.ours AS attempt_id,"
        " (SELECT COALESCE(max(id), 0) FROM main.allocation) + row_number() OVER (ORDER BY t.id) "
        "AS "
        "ours FROM other.allocation AS t JOIN temp.merged_attempt AS m ON m.theirs = t.attempt_id");
    execute("CREATE UNIQUE INDEX temp.merged_allocation_theirs ON merged_allocation (theirs)");
    copy("allocation", {{"id", "m.ours"}, {"attempt_id", "m.attempt_id"}},
         "other.allocation AS t JOIN temp.merged_allocation AS m ON m.theirs = t.id");
    for (const char* table : {"allocation_budget", "quantizer_bits", "sensitivity"})
      copy(table, {{"allocation_id", "m.ours"}},
           std::string("other.") + table +
               " AS t JOIN temp.merged_allocation AS m ON m.theirs = t.allocation_id");
  }

  void point_to_results() {
    execute(
        "UPDATE main.job SET attempt_id = COALESCE((SELECT m.ours FROM temp.merged_job AS j JOIN "
        "other.job AS t ON t.id = j.theirs JOIN temp.merged_attempt AS m ON m.theirs = "
        "t.attempt_id "
        "WHERE j.ours = job.id), attempt_id),"
        " state = (SELECT iif(t.state = 'running', 'new', t.state) FROM temp.merged_job AS j JOIN "
        "other.job AS t ON t.id = j.theirs WHERE j.ours = job.id)"
        " WHERE id IN (SELECT ours FROM temp.merged_job)");
  }

  int add_sweeps() {
    execute(
        "CREATE TEMP TABLE new_sweep AS SELECT name FROM other.sweep WHERE name NOT IN (SELECT "
        "name FROM main.sweep)");
    const int added = copy("sweep", {{"id", ""}},
                           "other.sweep AS t WHERE name IN (SELECT name FROM temp.new_sweep)");
    const std::string with_sweep =
        " AS t JOIN other.sweep AS theirs ON theirs.id = t.sweep_id"
        " JOIN main.sweep AS ours ON ours.name = theirs.name";
    copy("sweep_revision", {{"id", ""}, {"sweep_id", "ours.id"}},
         "other.sweep_revision" + with_sweep +
             " WHERE ours.name IN (SELECT name FROM temp.new_sweep) ORDER BY t.id");
    copy("sweep_job",
         {{"sweep_id", "ours.id"},
          {"job_id", "our_job.id"},
          {"position",
           "t.position + COALESCE((SELECT max(mine.position) + 1 FROM main.sweep_job AS mine WHERE "
           "mine.sweep_id = ours.id), 0)"}},
         "other.sweep_job" + with_sweep +
             " JOIN other.job AS their_job ON their_job.id = t.job_id"
             " JOIN main.job AS our_job ON our_job.key = their_job.key",
         "INSERT OR IGNORE");
    return added;
  }

  void add_remarks() {
    for (const char* table : {"note", "tag"}) {
      copy(table,
           {{"id", ""},
            {"job_id",
             "(SELECT ours.id FROM main.job AS ours JOIN other.job AS theirs ON theirs.key = "
             "ours.key "
             "WHERE theirs.id = t.job_id)"},
            {"sweep_id",
             "(SELECT ours.id FROM main.sweep AS ours JOIN other.sweep AS theirs ON theirs.name = "
             "ours.name WHERE theirs.id = t.sweep_id)"}},
           std::string("other.") + table + " AS t", "INSERT OR IGNORE");
    }
  }

  Connection& connection_;
  fs::path file_, other_;
};

}  // namespace

MergeResult merge_database(const fs::path& file, const fs::path& other,
                           const std::function<bool(const MergeResult&)>& commit) {
  open_for_reading(other);  // refuses other files and versions
  const auto connection = open_for_writing(file, Journal::kAutomatic);
  if (fs::equivalent(file, other))
    throw InputError(fmt::format("{} is this database itself; name another one", other.string()));
  MergeResult result;
  translate_errors(file, [&] {
    connection->execute("ATTACH ? AS other", reading_uri(other));
    connection->begin();
    try {
      result = Merger(*connection, file, other).add_all();
      if (commit(result)) {
        refresh_views(*connection);
        connection->commit();
      } else {
        connection->rollback();
      }
    } catch (...) {
      connection->rollback();
      throw;
    }
    connection->forget_statements();
    connection->raw().exec("DETACH other");
    come_to_rest(*connection);
  });
  return result;
}

}  // namespace qbitopt
