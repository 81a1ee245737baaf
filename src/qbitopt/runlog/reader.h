#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "qbitopt/core/json.h"
#include "qbitopt/runlog/error.h"

namespace SQLite {
class Statement;
}

namespace qbitopt {

class Connection;

// The result of a query. Cells are null, integers, floats or text (a blob as hexadecimal text).
struct Rows {
  std::vector<std::string> columns;
  std::vector<std::vector<Json>> rows;

  bool empty() const { return rows.empty(); }
  size_t size() const { return rows.size(); }
  // Cell of a row by its column's name. Throws std::logic_error if there is no such column.
  const Json& at(size_t row, const std::string& column) const;
};

struct ReaderOptions {
  // A query that takes longer ends with a DatabaseError; 0: no limit.
  std::chrono::milliseconds time_limit{0};
};

// Reads a database. SQL cannot change it: the file is opened read-only, and an authorizer refuses
// everything but reading (ATTACH and PRAGMA included). Works while a driver is running, and in a
// read-only folder. Not thread-safe; nor may another be opened for the same file while this one
// reads: opening looks into the file, and closing a file drops all POSIX locks that the process has
// on it, SQLite's too.
class Reader {
 public:
  // Throws InputError if there is no such file, DatabaseError if it is not a database of this
  // program, or has a version that this program cannot read.
  explicit Reader(const std::filesystem::path& file, const ReaderOptions& options = {});
  ~Reader();
  Reader(Reader&&) noexcept;

  // One SELECT (or VALUES, WITH, EXPLAIN). `arguments` fill its ?1, ?2, ...: null, numbers, text.
  // Throws InputError with SQLite's message for invalid SQL or a refused action.
  Rows query(const std::string& sql, const std::vector<Json>& arguments = {}) const;
  // The same with ":name" in the SQL. Names that are not given are NULL; throws InputError for a
  // name that the SQL does not have.
  Rows query_named(const std::string& sql, const std::map<std::string, Json>& arguments) const;

  // Passes on row by row, for results that do not fit into memory. `begin` gets the names of the
  // columns. The time limit applies to SQLite's time only.
  void for_each(const std::string& sql,
                const std::function<void(const std::vector<std::string>&)>& begin,
                const std::function<void(const std::vector<Json>&)>& take) const;
  void for_each_named(const std::string& sql, const std::map<std::string, Json>& arguments,
                      const std::function<void(const std::vector<std::string>&)>& begin,
                      const std::function<void(const std::vector<Json>&)>& take) const;

  const std::filesystem::path& file() const { return file_; }

 private:
  friend class Database;
  // Reads through `connection`, including its uncommitted changes.
  Reader(std::filesystem::path file, std::shared_ptr<Connection> connection);
  // `take` may move the row away.
  void run(const std::string& sql, const std::function<void(SQLite::Statement&)>& bind,
           const std::function<void(const std::vector<std::string>&)>& begin,
           const std::function<void(std::vector<Json>&)>& take) const;

  std::filesystem::path file_;
  ReaderOptions options_;
  std::shared_ptr<Connection> connection_;
};

}  // namespace qbitopt
