#include "qbitopt/runlog/reader.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>

#include "qbitopt/core/error.h"
#include "runlog/fixture.h"

namespace qbitopt {
namespace {

using ::testing::HasSubstr;
using testing::make_job;
using testing::make_plan;

class ReaderTest : public ::testing::Test {
 protected:
  ReaderTest() { Database(file_).record_sweep(make_plan({make_job({{"method", "fp32"}})})); }

  std::string refusal(const std::string& sql, const ReaderOptions& options = {}) {
    try {
      Reader(file_, options).query(sql);
    } catch (const std::exception& error) {
      return error.what();
    }
    return "was run";
  }

  testing::TemporaryFolder folder_;
  const std::filesystem::path file_ = folder_ / "a b%?#.db";
};

TEST_F(ReaderTest, ReadsWithArguments) {
  const Rows rows =
      Reader(file_).query("SELECT method, ?2 AS x FROM runs WHERE method = ?1", {"fp32", 2.5});
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows.at(0, "method"), "fp32");
  EXPECT_EQ(rows.at(0, "x"), 2.5);
}

TEST_F(ReaderTest, ArgumentsHaveNamesAndThoseNotGivenAreNull) {
  const Reader reader(file_);
  const std::string sql = "SELECT method FROM runs WHERE method = :method AND :other IS NULL";
  EXPECT_EQ(reader.query_named(sql, {{"method", "fp32"}}).size(), 1u);
  EXPECT_EQ(reader.query_named(sql, {{"method", "fp32"}, {"other", 1}}).size(), 0u);
  const auto refused = [&](const std::string& text, const char* name) -> std::string {
    try {
      reader.query_named(text, {{name, 1}});
    } catch (const InputError& error) {
      return error.what();
    }
    return "was run";
  };
  EXPECT_THAT(refused(sql, "metod"), HasSubstr("unknown argument 'metod', did you mean 'method'?"));
  EXPECT_EQ(refused("SELECT 1", "x"), "the query takes no arguments, 'x' was given");
}

TEST_F(ReaderTest, RowsComeOneByOne) {
  std::vector<std::string> names;
  int rows = 0;
  Reader(file_).for_each(
      "SELECT method, seed FROM runs", [&](const auto& columns) { names = columns; },
      [&](const std::vector<Json>& row) {
        ++rows;
        EXPECT_EQ(row[0], "fp32");
      });
  EXPECT_EQ(names, (std::vector<std::string>{"method", "seed"}));
  EXPECT_EQ(rows, 1);
}

// As after a kill or a copy: the file says "write-ahead log", whose helper files cannot be made
// here.
TEST_F(ReaderTest, ReadsWhereNothingCanBeWritten) {
  namespace fs = std::filesystem;
  SQLite::Database(file_.string(), SQLite::OPEN_READWRITE).exec("PRAGMA journal_mode = WAL");
  constexpr fs::perms kNobodyWrites = fs::perms(0555);
  fs::permissions(file_, kNobodyWrites);
  fs::permissions(folder_.path(), kNobodyWrites);
  EXPECT_EXIT(
      {
        // Permissions do not hold for root.
        const uid_t nobody = 65534;
        if (::geteuid() == 0 && ::setuid(nobody) != 0) std::exit(2);
        std::exit(Reader(file_).query("SELECT method FROM runs").size() == 1 ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
  EXPECT_FALSE(fs::exists(file_.string() + "-shm"));
  fs::permissions(folder_.path(), fs::perms(0755));
}

// A writer that dies within a transaction of the rollback journal, whose pages are half written.
void die_while_writing(const std::filesystem::path& file) {
  const pid_t child = ::fork();
  if (child == 0) {
    SQLite::Database db(file.string(), SQLite::OPEN_READWRITE);
    db.exec("PRAGMA journal_mode = DELETE");
    db.exec("PRAGMA cache_size = 5");
    db.exec("BEGIN IMMEDIATE");
    db.exec("CREATE TABLE half (x)");
    SQLite::Statement insert(db, "INSERT INTO half VALUES (randomblob(500))");
    for (int i = 0; i < 1000; ++i, insert.reset()) insert.exec();
    ::kill(::getpid(), SIGKILL);
  }
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
}

TEST_F(ReaderTest, WhatAKilledWriterLeftIsTakenBack) {
  die_while_writing(file_);
  ASSERT_TRUE(std::filesystem::exists(file_.string() + "-journal"));
  EXPECT_EQ(Reader(file_).query("SELECT name FROM sqlite_master WHERE name = 'half'").size(), 0u);
  EXPECT_EQ(Reader(file_).query("SELECT method FROM runs").size(), 1u);
}

TEST_F(ReaderTest, WhoMayNotWriteIsToldWhoHasToTakeItBack) {
  die_while_writing(file_);
  std::filesystem::permissions(file_, std::filesystem::perms(0444));
  std::filesystem::permissions(folder_.path(), std::filesystem::perms(0555));
  EXPECT_EXIT(
      {
        const uid_t nobody = 65534;
        if (::geteuid() == 0 && ::setuid(nobody) != 0) std::exit(2);
        try {
          Reader(file_).query("SELECT method FROM runs");
        } catch (const DatabaseError& error) {
          std::fputs(error.what(), stderr);
          std::exit(0);
        }
        std::exit(1);  // half of a transaction was shown
      },
      ::testing::ExitedWithCode(0), "A user with write access has to run");
  std::filesystem::permissions(folder_.path(), std::filesystem::perms(0755));
}

TEST_F(ReaderTest, APathMayBeginWithTwoSlashes) {
  EXPECT_EQ(Reader("/" + file_.string()).query("SELECT method FROM runs").size(), 1u);
}

TEST_F(ReaderTest, ADeviceOrAPipeIsNoDatabase) {
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  for (const std::filesystem::path& file : {folder_ / "pipe", std::filesystem::path("/dev/null")})
    EXPECT_THROW(Reader{file}, DatabaseError) << file;
}

TEST_F(ReaderTest, AQueryWithoutAStatementIsTheUsersTrouble) {
  for (const char* sql : {"", " ", ";", "-- a comment", "/* another */"})
    EXPECT_THAT(refusal(sql), HasSubstr("there is no statement in the query")) << sql;
  EXPECT_EQ(Reader(file_).query("SELECT 1; -- a comment").size(), 1u);
  EXPECT_THAT(refusal("SELECT 1; SELECT 2"), HasSubstr("more than one statement"));
}

TEST_F(ReaderTest, AValueHasALargestSize) {
  for (const char* sql :
       {"SELECT length(randomblob(1000000000))", "SELECT length(hex(zeroblob(60000000)))"})
    EXPECT_THAT(refusal(sql), HasSubstr("a value of more than 100 MB")) << sql;
}

TEST_F(ReaderTest, NothingCanBeChanged) {
  for (const char* sql :
       {"DELETE FROM job", "CREATE TABLE t (x)", "ATTACH 'x.db' AS x", "PRAGMA user_version = 3",
        "INSERT INTO job DEFAULT VALUES", "SELECT load_extension('x')"}) {
    EXPECT_THAT(refusal(sql), HasSubstr("only SELECT is allowed here, nothing can be changed"))
        << sql;
  }
}

TEST_F(ReaderTest, JsonAndTheSchemaCanBeRead) {
  const Reader reader(file_);
  EXPECT_EQ(reader.query("SELECT count(*) FROM job, json_each(job.parameters)").rows[0][0], 4);
  EXPECT_GT(reader.query("SELECT * FROM pragma_table_info('runs')").size(), 20u);
  EXPECT_THAT(refusal("UPDATE sqlite_master SET name = 'x'"), HasSubstr("may not be modified"));
}

TEST_F(ReaderTest, WrongSqlIsTheUsersTrouble) {
  EXPECT_EQ(refusal("SELECT nonsense FROM runs"),
            "no such column: nonsense; `qbitopt sql --describe runs` lists the columns of a view");
  EXPECT_EQ(refusal("SELECT hours_left FROM runs"),
            "no such column: hours_left; there is progress.hours_left");
  EXPECT_EQ(refusal("SELECT runs.percent FROM runs"),
            "no such column: runs.percent; there is progress.percent");
  EXPECT_EQ(
      refusal("SELECT data.name FROM runs"),
      "no such column: data.name; there is pareto.data_name, results.data_name, runs.data_name");
  EXPECT_EQ(refusal("SELECT config_kei FROM runs"),
            "no such column: config_kei; did you mean 'config_key'?");
  EXPECT_EQ(refusal("SELECT 1; SELECT 2"), "more than one statement; give one SELECT at a time");
}

TEST_F(ReaderTest, AnEndlessQueryIsStopped) {
  EXPECT_THAT(
      refusal(
          "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
          {.time_limit = std::chrono::milliseconds(50)}),
      HasSubstr("took longer than 0.05 s and was stopped"));
}

TEST_F(ReaderTest, AMissingFileIsNotMade) {
  const auto missing = folder_ / "none.db";
  try {
    Reader reader(missing);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_EQ(
        error.what(),
        missing.string() + ": no such database; `qbitopt run` creates one, and --db names another");
  }
  EXPECT_FALSE(std::filesystem::exists(missing));
}

TEST_F(ReaderTest, ReadsBesideAWriter) {
  Database writer(file_);
  const Reader reader(file_);
  writer.record_sweep(
      make_plan({make_job({{"method", "fp32"}}), make_job({{"method", "qbitopt"}})}));
  EXPECT_EQ(reader.query("SELECT count(*) FROM runs").rows[0][0], 2);
}

}  // namespace
}  // namespace qbitopt
