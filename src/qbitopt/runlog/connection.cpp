#include "qbitopt/runlog/connection.h"

#include <fmt/format.h>
#include <sqlite3.h>

namespace qbitopt {
namespace {

constexpr int kBusyMilliseconds = 10'000;

std::string remedy(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return "the disk is full. Nothing that was stored is lost: make room and run the same "
             "command again";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another program is writing to it. Wait for it, or close it";
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      return "check that you may write to this file and its folder";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "the file is damaged. `qbitopt db check` says how far; copies end in .bak";
    case SQLITE_IOERR:
      return "the disk refuses. Nothing that was stored is lost";
    default:
      return "";
  }
}

}  // namespace

Connection::Connection(const std::string& uri, int flags)
    : database_(uri, flags | SQLite::OPEN_URI, kBusyMilliseconds) {}

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

void translate_errors(const std::filesystem::path& file, const std::function<void()>& action) {
  try {
    action();
  } catch (const SQLite::Exception& error) {
    const std::string advice = remedy(error.getErrorCode());
    throw DatabaseError(
        fmt::format("{}: {}{}", file.string(), error.what(), advice.empty() ? "" : "; " + advice));
  }
}

}  // namespace qbitopt
