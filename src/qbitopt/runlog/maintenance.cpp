#include "qbitopt/runlog/maintenance.h"

#include <fmt/format.h>
#include <unistd.h>

#include "qbitopt/core/error.h"
#include "qbitopt/core/hash.h"
#include "qbitopt/runlog/database.h"
#include "qbitopt/runlog/database_file.h"
#include "qbitopt/runlog/migrations.h"
#include "qbitopt/runlog/schema.h"
#include "qbitopt/runlog/sweep_record.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;

// A file that is written beside its final name, and removed if an error occurs.
class NewFile {
 public:
  explicit NewFile(const fs::path& destination)
      : destination_(destination),
        temporary_(destination.parent_path() / fmt::format(".qbitopt.{}.part", ::getpid())) {
    if (!destination.has_filename())
      throw InputError(fmt::format("'{}' names no file", destination.string()));
    if (fs::exists(fs::symlink_status(destination))) {
      throw InputError(fmt::format("{}: exists already; nothing was written; name another file",
                                   destination.string()));
    }
    if (destination.has_parent_path()) fs::create_directories(destination.parent_path());
    fs::remove(temporary_);
  }
  ~NewFile() {
    std::error_code ignored;
    fs::remove(temporary_, ignored);
  }
  NewFile(const NewFile&) = delete;

  const fs::path& path() const { return temporary_; }
  void keep() { fs::rename(temporary_, destination_); }

 private:
  fs::path destination_;
  fs::path temporary_;
};

std::vector<std::string> texts_of(SQLite::Database& db, const std::string& sql) {
  std::vector<std::string> texts;
  SQLite::Statement statement(db, sql);
  while (statement.executeStep()) texts.push_back(statement.getColumn(0).getString());
  return texts;
}

std::vector<std::string> unreadable_views(SQLite::Database& db) {
  std::vector<std::string> faults;
  for (const SqlFile& view : view_files()) {
    try {
      SQLite::Statement statement(db, fmt::format("SELECT * FROM {} LIMIT 1", view.name));
      statement.executeStep();
    } catch (const SQLite::Exception& error) {
      faults.push_back(fmt::format("view {}: {}", view.name, error.what()));
    }
  }
  return faults;
}

}  // namespace

std::vector<std::string> check_database(const fs::path& file) {
  const std::shared_ptr<Connection> connection = open_for_reading(file);
  SQLite::Database& db = connection->raw();
  std::vector<std::string> faults;
  try {
    faults = texts_of(db, "PRAGMA integrity_check");
    if (faults == std::vector<std::string>{"ok"}) faults.clear();
    for (const std::string& table : texts_of(
             db, "SELECT DISTINCT \"table\" || ' -> ' || parent FROM pragma_foreign_key_check")) {
      faults.push_back("dangling references: " + table);
    }
    const std::vector<std::string> views = unreadable_views(db);
    faults.insert(faults.end(), views.begin(), views.end());
  } catch (const SQLite::Exception& error) {
    faults.emplace_back(error.what());
  }
  return faults;
}

namespace {

struct StoredArtifact {
  std::string key, name, sha256;
  fs::path path;
};

std::vector<StoredArtifact> artifacts_that_count(const fs::path& file, Connection& connection) {
  std::vector<StoredArtifact> artifacts;
  SQLite::Statement& row = connection.prepare(
      "SELECT job.key, artifact.name, artifact.sha256, attempt.folder, artifact.path"
      " FROM job JOIN attempt ON attempt.id = job.attempt_id AND attempt.state = 'finished'"
      " JOIN artifact ON artifact.attempt_id = attempt.id ORDER BY job.id, artifact.name");
  while (row.executeStep()) {
    const auto text = [&](int column) { return row.getColumn(column).getString(); };
    artifacts.push_back(
        {text(0), text(1), text(2), fs::path(absolute_folder(file, text(3))) / text(4)});
  }
  row.reset();
  return artifacts;
}

// Short keys of the finished jobs that used a job's file, directly or indirectly.
std::string finished_from(const StoredArtifact& artifact, Connection& connection) {
  return connection
      .find<std::string>(
          "WITH RECURSIVE follower (id) AS ("
          " SELECT job_id FROM job_dependency JOIN job AS maker ON maker.id = needed_job_id"
          " WHERE maker.key = ?1 AND job_dependency.artifact = ?2"
          " UNION SELECT job_id FROM job_dependency JOIN follower ON follower.id = needed_job_id)"
          " SELECT group_concat(substr(job.key, 1, 10), ' ') FROM follower"
          " JOIN job ON job.id = follower.id"
          " JOIN attempt ON attempt.id = job.attempt_id AND attempt.state = 'finished'",
          artifact.key, artifact.name)
      .value_or("");
}

// What is wrong with an artifact; empty if it is as its job left it.
std::string fault_of(const StoredArtifact& artifact, Connection& connection) {
  const std::string key = short_key(artifact.key);
  const std::string remedy = fmt::format("`qbitopt retry {}` makes it again", key);
  if (!fs::exists(artifact.path))
    return fmt::format("{}: missing, but job {} left it; {}", artifact.path.string(), key, remedy);
  std::string found;
  try {
    found = sha256_of_file(artifact.path);
  } catch (const InputError& error) {
    return fmt::format("{}; {}", error.what(), remedy);
  }
  if (found == artifact.sha256) return "";
  const std::string fault =
      fmt::format("{}: changed since job {} left it: its sha256 is {}..., expected {}...; ",
                  artifact.path.string(), key, found.substr(0, 10), artifact.sha256.substr(0, 10));
  const std::string jobs = finished_from(artifact, connection);
  if (jobs.empty()) return fault + remedy;
  return fault + fmt::format(
                     "the results of jobs that used it may be wrong: {}; `qbitopt retry {} {}` "
                     "runs it and them again",
                     jobs, key, jobs);
}

}  // namespace

std::vector<std::string> check_artifacts(const fs::path& file) {
  const std::shared_ptr<Connection> connection = open_for_reading(file);
  std::vector<std::string> faults;
  translate_errors(file, [&] {
    for (const StoredArtifact& artifact : artifacts_that_count(file, *connection)) {
      if (std::string fault = fault_of(artifact, *connection); !fault.empty())
        faults.push_back(std::move(fault));
    }
  });
  return faults;
}

MigrationResult migrate_database(const fs::path& file) {
  const FileHeader header = read_header(file);
  if (!header.exists) throw InputError(fmt::format("{}: no such database", file.string()));
  MigrationResult result{header.user_version, kSchemaVersion, {}};
  Database(file).close();
  if (result.from_version < result.to_version)
    result.copy = fmt::format("{}.v{}.bak", file.string(), result.from_version);
  return result;
}

void backup_database(const fs::path& file, const fs::path& destination) {
  const std::shared_ptr<Connection> connection = open_for_reading(file);
  NewFile copy(destination);
  translate_errors(destination, [&] {
    connection->raw().backup(copy.path().c_str(), SQLite::Database::Save);
    // The copy is marked for a write-ahead log if the original has one.
    SQLite::Database(copy.path(), SQLite::OPEN_READWRITE)
        .execAndGet("PRAGMA journal_mode = DELETE");
    copy.keep();
  });
}

void export_plain_database(const fs::path& file, const fs::path& destination) {
  open_for_reading(file);  // refuses other files
  NewFile copy(destination);
  translate_errors(destination, [&] {
    Connection connection(copy.path(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    connection.execute("ATTACH ? AS source", reading_uri(file));
    SQLite::Database& db = connection.raw();
    for (const SqlFile& view : view_files()) {
      db.exec(fmt::format("CREATE TABLE main.{0} AS SELECT * FROM source.{0}", view.name));
      if (db
              .execAndGet(fmt::format(
                  "SELECT count(*) FROM pragma_table_info('{}') WHERE name = 'key'", view.name))
              .getInt() > 0)
        db.exec(fmt::format("CREATE INDEX main.{0}_key ON {0} (key)", view.name));
    }
    db.exec("CREATE TABLE main.schema_doc AS SELECT * FROM source.schema_doc");
    connection.forget_statements();
    db.exec("DETACH source");
  });
  copy.keep();
}

}  // namespace qbitopt
