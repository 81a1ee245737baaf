#include "qbitopt/runlog/connection.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <thread>

namespace qbitopt {
namespace {

constexpr int kBusyMilliseconds = 10'000;

// `code`: extended.
std::string remedy(int code) {
  if (code == SQLITE_READONLY_ROLLBACK || code == SQLITE_READONLY_RECOVERY) {
    return "a program was killed while writing to it, and you have no write access to its folder. "
           "A user with write access has to run `qbitopt ls --db FILE` once, which rolls back the "
           "incomplete write";
  }
  switch (code & 0xff) {
    case SQLITE_FULL:
      return "the disk is full. No stored result is lost: free some space and run the same command "
             "again";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another program is writing to it. Wait until it has finished, or close it";
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      return "check that you have write access to this file and its folder";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "the file is damaged. `qbitopt db check` lists the damage; copies end in .bak";
    case SQLITE_IOERR:
      return "the disk reports an error. No stored result is lost";
    case SQLITE_NOMEM:
      return "there is not enough memory. Select fewer rows or columns";
    default:
      return "";
  }
}

}  // namespace

Connection::Connection(const std::string& uri, int flags, Patience patience)
    : database_(uri, flags | SQLite::OPEN_URI, kBusyMilliseconds), patience_(std::move(patience)) {
  if (patience_) sqlite3_busy_handler(database_.getHandle(), on_busy, this);
}

int Connection::on_busy(void* connection, int calls) {
  return static_cast<Connection*>(connection)->wait(calls) ? 1 : 0;
}

bool Connection::wait(int calls) {
  const auto now = std::chrono::steady_clock::now();
  if (calls == 0) locked_since_ = now;
  std::this_thread::sleep_for(std::chrono::milliseconds(std::min(1 + calls, 50)));
  return patience_(std::chrono::duration<double>(now - locked_since_).count());
}

void Connection::retry_while_locked(const std::function<void()>& action) {
  for (int calls = 0;; ++calls) {
    try {
      return action();
    } catch (const SQLite::Exception& error) {
      const bool is_locked = (error.getErrorCode() & 0xff) == SQLITE_BUSY;
      if (!is_locked || !patience_ || !wait(calls)) throw;
    }
  }
}

void Connection::begin() {
  if (is_in_transaction_) return;
  execute("BEGIN IMMEDIATE");
  is_in_transaction_ = true;
}

void Connection::commit() {
  if (!is_in_transaction_) return;
  execute("COMMIT");
  is_in_transaction_ = false;
}

void Connection::rollback() noexcept {
  if (!is_in_transaction_) return;
  is_in_transaction_ = false;
  for (auto& [sql, statement] : statements_) statement->tryReset();
  database_.tryExec("ROLLBACK");
}

DatabaseError database_error(const std::filesystem::path& file, const SQLite::Exception& error) {
  const std::string advice = remedy(error.getExtendedErrorCode());
  return DatabaseError(
      fmt::format("{}: {}{}", file.string(), error.what(), advice.empty() ? "" : "; " + advice));
}

void translate_errors(const std::filesystem::path& file, const std::function<void()>& action) {
  try {
    action();
  } catch (const SQLite::Exception& error) {
    throw database_error(file, error);
  }
}

}  // namespace qbitopt
