#include "qbitopt/runlog/maintenance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <fstream>

#include "qbitopt/core/error.h"
#include "qbitopt/runlog/connection.h"
#include "runlog/fixture.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::make_job;
using testing::make_plan;
using ::testing::Not;

class MaintenanceTest : public ::testing::Test {
 protected:
  void fill(Database& database) {
    const Job job = make_job({{"method", "qbitopt"}, {"budget.average_bits", 4}});
    database.record_sweep(make_plan({job}));
    testing::store_run(database, job, {});
  }
  // First 20 bytes: the file formats for writing and reading are bytes 18 and 19; 1 is the plain
  // one, 2 a write-ahead log.
  static std::string header(const fs::path& file) {
    std::string bytes(20, '\0');
    std::ifstream(file, std::ios::binary).read(bytes.data(), 20);
    return bytes;
  }

  testing::TemporaryFolder folder_;
  const fs::path file_ = folder_ / "results.db";
};

TEST_F(MaintenanceTest, ASoundFileHasNoFaultsAlsoWhileItIsWritten) {
  Database database(file_);
  fill(database);
  EXPECT_THAT(check_database(file_), IsEmpty());
  database.close();
  EXPECT_THAT(check_database(file_), IsEmpty());
}

TEST_F(MaintenanceTest, ADamagedPageIsFound) {
  {
    Database database(file_);
    fill(database);
  }
  const auto page = [&] {  // not of the schema, without which a file cannot be opened
    return SQLite::Database(file_.string())
        .execAndGet("SELECT rootpage FROM sqlite_master WHERE name = 'metric'")
        .getInt64();
  }();
  std::fstream file(file_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp((page - 1) * 4096);
  file << std::string(4096, '\x7f');
  file.close();
  EXPECT_THAT(check_database(file_), Not(IsEmpty()));
}

TEST_F(MaintenanceTest, AnArtifactThatIsGoneOrDamagedIsNamedWithWhatFinishedFromIt) {
  const Job parent = make_job({{"method", "fp32"}});
  Job child = make_job({{"method", "qbitopt"}}), grandchild = make_job({{"method", "lsq"}});
  child.needs = {{"start", parent.key}};
  grandchild.needs = {{"bits", child.key}};
  Plan plan = make_plan({parent});
  plan.jobs.push_back(planned_job(child, {{"start", "model"}}));
  plan.jobs.push_back(planned_job(grandchild, {{"bits", "model"}}));
  Database database(file_);
  database.record_sweep(plan);
  std::vector<fs::path> models;
  for (const Job& job : {parent, child, grandchild}) {
    const Attempt attempt = testing::make_attempt(job, 1, folder_.path());
    database.begin(attempt);
    database.ingest(attempt, testing::events_of({}));
    fs::create_directories(attempt.folder);
    models.push_back(fs::path(attempt.folder) / "model");
    std::ofstream(models.back()) << "weights";
  }
  database.commit();
  EXPECT_THAT(check_artifacts(file_), IsEmpty());
  std::ofstream(models[0]) << "weightz";
  fs::remove(models[2]);
  const auto faults = check_artifacts(file_);
  ASSERT_EQ(faults.size(), 2u);
  const auto digits = [](const Job& job) { return job.key.substr(0, 10); };
  const std::string jobs = digits(child) + " " + digits(grandchild);
  EXPECT_THAT(faults[0], HasSubstr(models[0].string() + ": changed since job " + digits(parent)));
  EXPECT_THAT(faults[0], HasSubstr("the results of jobs that used it may be wrong: " + jobs +
                                   "; `qbitopt retry " + digits(parent) + " " + jobs +
                                   "` runs it and them again"));
  EXPECT_EQ(faults[1], models[2].string() + ": missing, but job " + digits(grandchild) +
                           " left it; `qbitopt retry " + digits(grandchild) + "` makes it again");
}

TEST_F(MaintenanceTest, AReferenceThatLeadsNowhereIsFound) {
  {
    Database database(file_);
    fill(database);
  }
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(file_.c_str(), &raw), SQLITE_OK);
  sqlite3_exec(raw, "DELETE FROM inventory", nullptr, nullptr, nullptr);
  sqlite3_close(raw);
  EXPECT_THAT(check_database(file_), ::testing::Contains(HasSubstr("dangling references")));
}

TEST_F(MaintenanceTest, ABackupDuringARunIsOneWholeFile) {
  Database database(file_);
  fill(database);
  database.commit();
  const fs::path copy = folder_ / "copies" / "copy.db";
  backup_database(file_, copy);
  EXPECT_THAT(check_database(copy), IsEmpty());
  EXPECT_EQ(Reader(copy).query("SELECT count(*) FROM runs WHERE top1 = 80").rows[0][0], 1);
  EXPECT_EQ(header(copy)[18], 1);
  EXPECT_FALSE(fs::exists(copy.string() + "-wal"));
  EXPECT_FALSE(fs::exists(copy.string() + ".part"));
}

TEST_F(MaintenanceTest, NothingIsOverwritten) {
  Database(file_).close();
  std::ofstream(folder_ / "there") << "precious";
  for (const auto& copy : {backup_database, export_plain_database}) {
    try {
      copy(file_, folder_ / "there");
      ADD_FAILURE();
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr("exists already; nothing was written"));
    }
  }
}

TEST_F(MaintenanceTest, APlainCopyHasNothingThatAnOldSqliteDoesNotKnow) {
  Database database(file_);
  fill(database);
  database.close();
  const fs::path copy = folder_ / "plain.db";
  export_plain_database(file_, copy);
  EXPECT_EQ(header(copy)[18], 1);
  EXPECT_EQ(header(copy)[19], 1);
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(copy.c_str(), &raw), SQLITE_OK);
  std::string schema;
  const auto append = [](void* text, int, char** values, char**) {
    *static_cast<std::string*>(text) += std::string(values[0]) + "\n";
    return 0;
  };
  sqlite3_exec(raw, "SELECT sql FROM sqlite_master", append, &schema, nullptr);
  EXPECT_THAT(schema, HasSubstr("CREATE TABLE runs"));
  for (const char* modern : {"STRICT", "WITHOUT ROWID", "CREATE VIEW", "json", "GENERATED"})
    EXPECT_THAT(schema, Not(HasSubstr(modern)));
  std::string rows;
  sqlite3_exec(raw, "SELECT top1 || ' ' || weight_bits FROM runs", append, &rows, nullptr);
  EXPECT_EQ(rows, "80.0 3.5\n");
  sqlite3_close(raw);
}

TEST_F(MaintenanceTest, AnUpToDateFileIsNotMigrated) {
  Database(file_).close();
  const MigrationResult result = migrate_database(file_);
  EXPECT_EQ(result.from_version, result.to_version);
  EXPECT_TRUE(result.copy.empty());
  EXPECT_THROW(migrate_database(folder_ / "none.db"), InputError);
  EXPECT_FALSE(fs::exists(folder_ / "none.db"));
}

}  // namespace
}  // namespace qbitopt
