#include "qbitopt/runlog/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
