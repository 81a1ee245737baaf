#pragma once

// Internal to the run log: a small interface to SQLite.

#include <SQLiteCpp/SQLiteCpp.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "qbitopt/runlog/error.h"

namespace qbitopt {

// Called repeatedly while another program has locked the file, with the seconds waited so far.
// Returns whether to continue waiting. Must not use the connection.
using Patience = std::function<bool(double seconds)>;

// A connection and its prepared statements, each compiled once.
class Connection {
 public:
  // `uri`: a path, or "file:...?immutable=1". Without `patience`, it waits 10 s for a locked file.
  Connection(const std::string& uri, int flags, Patience patience = nullptr);
  Connection(const Connection&) = delete;

  SQLite::Database& raw() { return database_; }

  // Runs one statement with its arguments: integers, floats, text, std::optional of them, nullptr.
  template <typename... Arguments>
  void execute(std::string_view sql, const Arguments&... arguments) {
    prepare(sql, arguments...).exec();
  }

  // The first column of the first row; nullopt if there is no row or it is NULL.
  template <typename Value, typename... Arguments>
  std::optional<Value> find(std::string_view sql, const Arguments&... arguments) {
    SQLite::Statement& statement = prepare(sql, arguments...);
    std::optional<Value> value;
    if (statement.executeStep() && !statement.getColumn(0).isNull())
      value = get<Value>(statement.getColumn(0));
    statement.reset();
    return value;
  }

  // A statement with its arguments bound. Reset it after use.
  template <typename... Arguments>
  SQLite::Statement& prepare(std::string_view sql, const Arguments&... arguments) {
    auto known = statements_.find(sql);
    if (known == statements_.end()) {
      const std::string text(sql);
      known = statements_.emplace(text, std::make_unique<SQLite::Statement>(database_, text)).first;
    }
    const auto& statement = known->second;
    statement->tryReset();  // reset() would repeat the error of the last execution
    int index = 0;
    (bind(*statement, ++index, arguments), ...);
    return *statement;
  }

  int64_t last_id() const { return database_.getLastInsertRowid(); }

  // A write transaction that several functions may share: begun once, committed once.
  void begin();  // BEGIN IMMEDIATE, unless one is open
  void commit();
  void rollback() noexcept;
  bool is_in_transaction() const { return is_in_transaction_; }

  // Repeats an action that SQLite refuses at once, without waiting, while the file is locked.
  void retry_while_locked(const std::function<void()>& action);

  // Deletes the prepared statements, so that the journal mode can change.
  void forget_statements() { statements_.clear(); }

 private:
  template <typename Value>
  static Value get(const SQLite::Column& column) {
    if constexpr (std::is_same_v<Value, std::string>) {
      return column.getString();
    } else if constexpr (std::is_floating_point_v<Value>) {
      return column.getDouble();
    } else {
      return static_cast<Value>(column.getInt64());
    }
  }
  static void bind(SQLite::Statement& statement, int index, std::nullptr_t) {
    statement.bind(index);
  }
  static void bind(SQLite::Statement& statement, int index, bool value) {
    statement.bind(index, value ? 1 : 0);
  }
  template <typename Value>
  static void bind(SQLite::Statement& statement, int index, const std::optional<Value>& value) {
    if (value) {
      bind(statement, index, *value);
    } else {
      statement.bind(index);
    }
  }
  template <typename Value>
  static void bind(SQLite::Statement& statement, int index, const Value& value) {
    if constexpr (std::is_integral_v<Value>) {
      statement.bind(index, static_cast<int64_t>(value));
    } else {
      statement.bind(index, value);
    }
  }

  static int on_busy(void* connection, int calls);
  bool wait(int calls);

  SQLite::Database database_;
  Patience patience_;
  std::chrono::steady_clock::time_point locked_since_;
  struct Hash {  // finds a text without a copy of it
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  std::unordered_map<std::string, std::unique_ptr<SQLite::Statement>, Hash, std::equal_to<>>
      statements_;
  bool is_in_transaction_ = false;
};

// Several queries of one state, for which the file is locked and looked at once.
class ReadTransaction {
 public:
  explicit ReadTransaction(Connection& connection) : connection_(connection) {
    is_own_ = !connection.is_in_transaction();
    if (is_own_) connection_.execute("BEGIN");
  }
  ~ReadTransaction() {
    if (is_own_) connection_.raw().tryExec("COMMIT");
  }
  ReadTransaction(const ReadTransaction&) = delete;

 private:
  Connection& connection_;
  bool is_own_ = false;
};

// An error of SQLite with the name of the file and, for common errors, what to do.
DatabaseError database_error(const std::filesystem::path& file, const SQLite::Exception& error);

// Runs `action` and translates SQLite's errors with database_error().
void translate_errors(const std::filesystem::path& file, const std::function<void()>& action);

}  // namespace qbitopt
