#include "qbitopt/runlog/schema.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "qbitopt/config/yaml.h"
#include "qbitopt/core/text_file.h"
#include "qbitopt/runlog/migrations.h"
#include "runlog/fixture.h"

namespace qbitopt {
namespace {

using testing::TemporaryFolder;

TEST(SchemaTest, ReadsDocumentationFromComments) {
  const auto docs = read_docs(
      "-- A table\n-- of things.\nCREATE TABLE t (\n  id INTEGER,  -- internal number\n  size REAL "
      "-- [bytes] how large\n);\n");
  ASSERT_EQ(docs.size(), 3u);
  EXPECT_EQ(docs[0].meaning, "A table of things.");
  EXPECT_EQ(docs[1].column, "id");
  EXPECT_EQ(docs[1].unit, "");
  EXPECT_EQ(docs[2].column, "size");
  EXPECT_EQ(docs[2].unit, "bytes");
  EXPECT_EQ(docs[2].meaning, "how large");
}

TEST(SchemaTest, EveryColumnOfEveryTableAndViewIsDocumentedInItsOrder) {
  const TemporaryFolder folder;
  const Database database(folder / "x.db");
  const Rows rows = database.reader().query(
      "SELECT m.name || '.' || c.name, d.column_name, d.meaning FROM sqlite_master AS m JOIN "
      "pragma_table_info(m.name) AS c"
      " LEFT JOIN schema_doc AS d ON d.relation = m.name AND d.position = c.cid + 1"
      " WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite_%'");
  EXPECT_GT(rows.size(), 150u);
  for (const auto& row : rows.rows) {
    ASSERT_FALSE(row[1].is_null()) << row[0];
    const std::string name = row[0];
    EXPECT_EQ(name.substr(name.find('.') + 1), row[1]) << row[0];
    EXPECT_NE(row[2], "") << row[0];
  }
}

TEST(SchemaTest, EveryTableIsStrict) {
  const TemporaryFolder folder;
  const Database database(folder / "x.db");
  EXPECT_TRUE(
      database.reader()
          .query("SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE '%STRICT%'")
          .empty());
}

// Every version that ever stored results, as SQL in stored/: it opens, keeps its rows, and has the
// tables of a new file.
class StoredVersionTest : public ::testing::TestWithParam<int> {
 protected:
  StoredVersionTest() {
    const std::string sql =
        read_text(fmt::format("{}/version_{}.sql", QBITOPT_STORED_DATABASES, GetParam()));
    SQLite::Database((folder_ / "old.db").string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
        .exec(sql);
  }
  static Rows ask(const Database& database, const std::string& sql) {
    return database.reader().query(sql);
  }

  TemporaryFolder folder_;
};

TEST_P(StoredVersionTest, BecomesAFileOfThisVersionWithAllItsRows) {
  const Database old(folder_ / "old.db");
  const Database fresh(folder_ / "fresh.db");
  SQLite::Database raw((folder_ / "old.db").string());
  EXPECT_EQ(raw.execAndGet("PRAGMA user_version").getInt(), kSchemaVersion);
  const std::string columns =
      "SELECT m.name, c.name, c.type, c.\"notnull\", c.pk FROM sqlite_master AS m JOIN "
      "pragma_table_info(m.name) AS c WHERE m.name NOT LIKE 'sqlite_%' AND m.type = 'table'"
      " ORDER BY 1, 2";
  EXPECT_EQ(ask(old, columns).rows, ask(fresh, columns).rows);
  const std::string indices = "SELECT name FROM sqlite_master WHERE type = 'index' ORDER BY 1";
  EXPECT_EQ(ask(old, indices).rows, ask(fresh, indices).rows);
  const std::string documented = "SELECT count(*) FROM schema_doc WHERE relation = 'attempt'";
  EXPECT_EQ(ask(old, documented).rows, ask(fresh, documented).rows);
  EXPECT_EQ(ask(old,
                "SELECT method, seed, state, round(top1, 2), weight_bits FROM runs"
                " ORDER BY method, seed")
                .rows,
            (std::vector<std::vector<Json>>{{"fixed_precision", 0, "finished", 86.66, 3.0},
                                            {"fixed_precision", 1, "failed", nullptr, nullptr},
                                            {"fp32", 0, "finished", 88.22, 32.0},
                                            {"fp32_continued", 0, "finished", 88.11, 32.0},
                                            {"fp32_continued", 1, "finished", 88.05, 32.0}}));
  EXPECT_EQ(ask(old, "SELECT count(*) FROM bits_history").rows[0][0], 4);
  EXPECT_EQ(ask(old, "SELECT share, limit_bits FROM bits ORDER BY position").rows,
            (std::vector<std::vector<Json>>{{144, 3.0}, {784, 3.0}, {4608, 3.0}, {3136, 3.0}}));
  EXPECT_EQ(ask(old, "SELECT weight_limit_bits, weight_bits FROM allocations").rows,
            (std::vector<std::vector<Json>>{{3.0, 3.0}}));
}

// Before version 4 a share followed from its job's weighting, whose jobs shared one list.
TEST(SchemaTest, SharesOfOldFilesFollowTheWeightingOfTheirJobs) {
  const TemporaryFolder folder;
  {
    SQLite::Database old((folder / "old.db").string(),
                         SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    old.exec(read_text(std::string(QBITOPT_STORED_DATABASES) + "/version_3.sql"));
    old.exec(
        "UPDATE attempt SET inventory_id = 1 WHERE id IN (2, 3);"
        "INSERT INTO quantizer_final SELECT 2, position, bits FROM quantizer_final;"
        "INSERT INTO quantizer_final SELECT 3, position, bits FROM quantizer_final WHERE "
        "attempt_id = 4;"
        "UPDATE job SET parameters = json_set(parameters, '$.\"budget.weighting\"', 'macs') WHERE "
        "id "
        "= (SELECT job_id FROM attempt WHERE id = 2);"
        "UPDATE job SET parameters = json_set(parameters, '$.\"budget.weighting\"', 'tensors') "
        "WHERE "
        "id = (SELECT job_id FROM attempt WHERE id = 3)");
  }
  const Database database(folder / "old.db");
  const auto shares = [&](int attempt) {
    return database.reader()
        .query(
            "SELECT json_group_array(share) FROM (SELECT share FROM bits JOIN job USING (key) "
            "WHERE job.attempt_id = ? ORDER BY position)",
            {attempt})
        .rows[0][0];
  };
  EXPECT_EQ(shares(2), "[28224,28224,903168,903168]");
  EXPECT_EQ(shares(3), "[1,1,1,1]");
  EXPECT_EQ(shares(4), "[144,784,4608,3136]");
}

INSTANTIATE_TEST_SUITE_P(All, StoredVersionTest, ::testing::Range(1, kSchemaVersion + 1));

TEST(SchemaTest, MetricsThatAnOlderProgramDidNotKnowGetTheirUnit) {
  testing::TemporaryFolder folder;
  const std::filesystem::path file = folder / "old.db";
  Database{file};
  SQLite::Database(file.string(), SQLite::OPEN_READWRITE)
      .exec(
          "UPDATE metric_definition SET unit = '', goal = NULL, description = 'reported as `top5`',"
          " is_result = 0 WHERE name = 'top5'");
  Database database(file);
  const Rows column = database.reader().query(
      "SELECT unit, meaning FROM schema_doc WHERE relation = 'runs' AND column_name = 'top5'");
  ASSERT_EQ(column.size(), 1u);
  EXPECT_EQ(column.at(0, "unit"), "percent");
  EXPECT_EQ(column.at(0, "meaning"), "images whose right class is among the five most likely");
}

class MigrationTest : public ::testing::Test {
 protected:
  MigrationTest()
      : connection_((folder_ / "x.db").string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE) {
    connection_.raw().exec(
        "CREATE TABLE schema_migration (version INTEGER, name TEXT, applied_at REAL);"
        "CREATE TABLE t (x INTEGER); INSERT INTO t VALUES (7); PRAGMA user_version = 1");
  }
  int value(const std::string& sql) { return connection_.raw().execAndGet(sql).getInt(); }

  TemporaryFolder folder_;
  Connection connection_;
};

TEST_F(MigrationTest, GoesForwardStepByStepAndKeepsACopy) {
  const std::vector<Migration> steps = {
      {2, "add y", "ALTER TABLE t ADD COLUMN y INTEGER DEFAULT 3"},
      {3, "fill y", "UPDATE t SET y = x + 1"}};
  migrate(folder_ / "x.db", connection_, 1, steps, 3);
  EXPECT_EQ(value("SELECT y FROM t"), 8);
  EXPECT_EQ(value("PRAGMA user_version"), 3);
  EXPECT_EQ(value("SELECT count(*) FROM schema_migration"), 2);
  SQLite::Database copy((folder_ / "x.db.v1.bak").string());
  EXPECT_EQ(copy.execAndGet("PRAGMA user_version").getInt(), 1);
}

TEST_F(MigrationTest, AFailingStepIsUndoneAltogether) {
  const std::vector<Migration> steps = {{2, "add y", "ALTER TABLE t ADD COLUMN y"},
                                        {3, "wrong", "UPDATE nowhere SET x = 1"}};
  try {
    migrate(folder_ / "x.db", connection_, 1, steps, 3);
    FAIL();
  } catch (const DatabaseError& error) {
    EXPECT_THAT(
        error.what(),
        ::testing::HasSubstr(
            "migration to schema 3 failed and was undone: no such table: nowhere; a copy is"));
  }
  EXPECT_EQ(value("PRAGMA user_version"), 1);
  EXPECT_EQ(value("SELECT count(*) FROM pragma_table_info('t')"), 1);
}

}  // namespace
}  // namespace qbitopt
