#include "qbitopt/runlog/reader.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <map>

#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"
#include "qbitopt/runlog/connection.h"
#include "qbitopt/runlog/database_file.h"

namespace qbitopt {
namespace {

using Clock = std::chrono::steady_clock;

// Allows only reading: tables, functions (except those that load code), recursion.
int authorise(void*, int action, const char* first, const char* second, const char*, const char*) {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
      return SQLITE_OK;
    case SQLITE_FUNCTION:
      return second != nullptr && std::string_view(second) == "load_extension" ? SQLITE_DENY
                                                                               : SQLITE_OK;
    case SQLITE_UPDATE:  // declaring json_each(...) asks for this; SQLite itself refuses the user's
      return first != nullptr && std::string_view(first) == "sqlite_master" ? SQLITE_OK
                                                                            : SQLITE_DENY;
    case SQLITE_PRAGMA:  // as a table: pragma_table_info(...)
      return first != nullptr && std::string_view(first).starts_with("table_") ? SQLITE_OK
                                                                               : SQLITE_DENY;
    default:
      return SQLITE_DENY;
  }
}

int is_too_late(void* deadline) {
  return Clock::now() > *static_cast<Clock::time_point*>(deadline) ? 1 : 0;
}

// The authorizer and the time limit of one query. Processing of its rows does not count.
class Guard {
 public:
  Guard(sqlite3* handle, std::chrono::milliseconds limit)
      : handle_(handle), deadline_(Clock::now() + limit) {
    sqlite3_set_authorizer(handle_, authorise, nullptr);
    if (limit.count() > 0) sqlite3_progress_handler(handle_, 10'000, is_too_late, &deadline_);
  }
  ~Guard() {
    sqlite3_set_authorizer(handle_, nullptr, nullptr);
    sqlite3_progress_handler(handle_, 0, nullptr, nullptr);
  }
  Guard(const Guard&) = delete;

  void leave_out(const std::function<void()>& action) {
    const auto begun = Clock::now();
    action();
    deadline_ += Clock::now() - begun;
  }

 private:
  sqlite3* handle_;
  Clock::time_point deadline_;
};

Json cell(const SQLite::Column& column) {
  if (column.isNull()) return nullptr;
  if (column.isInteger()) return column.getInt64();
  if (column.isFloat()) return column.getDouble();
  if (column.isText()) return column.getString();
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  const auto* bytes = static_cast<const unsigned char*>(column.getBlob());
  for (int i = 0; i < column.getBytes(); ++i)
    text.append({kDigits[bytes[i] >> 4], kDigits[bytes[i] & 15]});
  return text;
}

void bind(SQLite::Statement& statement, int index, const Json& value) {
  if (value.is_null()) {
    statement.bind(index);
  } else if (value.is_number_integer()) {
    statement.bind(index, value.get<int64_t>());
  } else if (value.is_number()) {
    statement.bind(index, value.get<double>());
  } else if (value.is_boolean()) {
    statement.bind(index, value.get<bool>() ? 1 : 0);
  } else {
    statement.bind(index, value.get<std::string>());
  }
}

// Properties of an SQL text before it is run, which SQLiteCpp does not provide.
struct Prepared {
  // SQLite compiles the first statement and silently ignores the rest.
  bool has_more_statements = false;
  bool is_empty = false;                  // only spaces and comments
  std::map<std::string, int> parameters;  // of ":name": name -> index
};
// `text` must contain more than spaces and comments.
bool has_statement(sqlite3* handle, const char* sql) {
  sqlite3_stmt* statement = nullptr;
  const bool is_wrong = sqlite3_prepare_v2(handle, sql, -1, &statement, nullptr) != SQLITE_OK;
  const bool is_there = statement != nullptr;
  sqlite3_finalize(statement);
  return is_wrong || is_there;
}

Prepared prepare(sqlite3* handle, const std::string& sql) {
  Prepared prepared;
  sqlite3_stmt* statement = nullptr;
  const char* tail = nullptr;
  if (sqlite3_prepare_v2(handle, sql.c_str(), -1, &statement, &tail) == SQLITE_OK) {
    prepared.is_empty = statement == nullptr;
    prepared.has_more_statements = has_statement(handle, tail);
    for (int i = 1; i <= sqlite3_bind_parameter_count(statement); ++i) {
      const char* name = sqlite3_bind_parameter_name(statement, i);
      if (name != nullptr) prepared.parameters[name + 1] = i;
    }
  }
  sqlite3_finalize(statement);
  return prepared;
}

int index_of(const std::string& name, const std::map<std::string, int>& parameters) {
  const auto found = parameters.find(name);
  if (found != parameters.end()) return found->second;
  if (parameters.empty())
    throw InputError(fmt::format("the query takes no arguments, '{}' was given", name));
  std::vector<std::string> known;
  for (const auto& [parameter, index] : parameters) known.push_back(parameter);
  throw InputError(unknown_name("argument", name, known));
}

// "; there is progress.x" for SQLite's "no such column: x", or the nearest column of a view.
std::string hint_at_column(Connection& connection, const std::string& message) {
  constexpr std::string_view kHead = "no such column: ";
  if (!message.starts_with(kHead)) return "";
  const std::string written = message.substr(kHead.size());
  std::map<std::string, std::vector<std::string>> places;  // by the column
  try {
    SQLite::Statement columns(connection.raw(),
                              "SELECT relation, column_name FROM schema_doc JOIN sqlite_master ON "
                              "type = 'view' AND name = relation WHERE position > 0 ORDER BY "
                              "relation, position");
    while (columns.executeStep()) {
      const std::string column = columns.getColumn(1).getString();
      places[column].push_back(columns.getColumn(0).getString() + "." + column);
    }
  } catch (const SQLite::Exception&) {
    return "";  // the error itself is reported
  }
  std::string underscored = written;  // data.name is data_name
  std::replace(underscored.begin(), underscored.end(), '.', '_');
  for (const std::string& column : {underscored, written.substr(written.rfind('.') + 1)}) {
    if (const auto found = places.find(column); found != places.end())
      return fmt::format("; there is {}", fmt::join(found->second, ", "));
  }
  std::vector<std::string> known;
  for (const auto& [column, relations] : places) known.push_back(column);
  const std::string near = nearest_name(underscored, known);
  return near.empty() ? "; `qbitopt sql --describe runs` lists the columns of a view"
                      : fmt::format("; did you mean '{}'?", near);
}

InputError refused(const std::exception& error) {
  return InputError(fmt::format("refused: {}; only SELECT is allowed here, nothing can be changed",
                                error.what()));
}

}  // namespace

const Json& Rows::at(size_t row, const std::string& column) const {
  const auto found = std::find(columns.begin(), columns.end(), column);
  if (found == columns.end()) throw std::logic_error("no column " + column);
  return rows.at(row).at(found - columns.begin());
}

Reader::Reader(const std::filesystem::path& file, const ReaderOptions& options)
    : file_(file), options_(options), connection_(open_for_reading(file)) {}
Reader::Reader(std::filesystem::path file, std::shared_ptr<Connection> connection)
    : file_(std::move(file)), connection_(std::move(connection)) {}
Reader::~Reader() = default;
Reader::Reader(Reader&&) noexcept = default;

Rows Reader::query(const std::string& sql, const std::vector<Json>& arguments) const {
  Rows rows;
  run(
      sql,
      [&](SQLite::Statement& statement) {
        int index = 0;
        for (const Json& value : arguments) bind(statement, ++index, value);
      },
      [&](const auto& columns) { rows.columns = columns; },
      [&](auto& row) { rows.rows.push_back(std::move(row)); });
  return rows;
}

Rows Reader::query_named(const std::string& sql,
                         const std::map<std::string, Json>& arguments) const {
  Rows rows;
  for_each_named(
      sql, arguments, [&](const auto& columns) { rows.columns = columns; },
      [&](const auto& row) { rows.rows.push_back(row); });
  return rows;
}

void Reader::for_each_named(const std::string& sql, const std::map<std::string, Json>& arguments,
                            const std::function<void(const std::vector<std::string>&)>& begin,
                            const std::function<void(const std::vector<Json>&)>& take) const {
  run(
      sql,
      [&](SQLite::Statement& statement) {
        const auto parameters = prepare(connection_->raw().getHandle(), sql).parameters;
        for (const auto& [name, value] : arguments)
          bind(statement, index_of(name, parameters), value);
      },
      begin, take);
}

void Reader::for_each(const std::string& sql,
                      const std::function<void(const std::vector<std::string>&)>& begin,
                      const std::function<void(const std::vector<Json>&)>& take) const {
  run(
      sql, [](SQLite::Statement&) {}, begin, take);
}

void Reader::run(const std::string& sql,
                 const std::function<void(SQLite::Statement&)>& bind_arguments,
                 const std::function<void(const std::vector<std::string>&)>& begin,
                 const std::function<void(std::vector<Json>&)>& take) const {
  sqlite3* handle = connection_->raw().getHandle();
  Guard guard(handle, options_.time_limit);
  try {
    const Prepared prepared = prepare(handle, sql);
    if (prepared.is_empty) throw InputError("there is no statement in the query; give one SELECT");
    SQLite::Statement statement(connection_->raw(), sql);
    if (prepared.has_more_statements)
      throw InputError("more than one statement; give one SELECT at a time");
    bind_arguments(statement);
    const int count = statement.getColumnCount();
    std::vector<std::string> columns;
    for (int i = 0; i < count; ++i) columns.emplace_back(statement.getColumnName(i));
    begin(columns);
    std::vector<Json> row;
    while (statement.executeStep()) {
      row.resize(columns.size());  // it may have been taken away
      for (int i = 0; i < count; ++i) row[i] = cell(statement.getColumn(i));
      guard.leave_out([&] { take(row); });
    }
  } catch (const SQLite::Exception& error) {
    switch (error.getErrorCode()) {
      case SQLITE_INTERRUPT:
        throw DatabaseError(
            fmt::format("{}: the query took longer than {} s and was stopped; ask for less, or "
                        "raise --time-limit",
                        file_.string(), options_.time_limit.count() / 1000.0));
      case SQLITE_TOOBIG:
        throw InputError(fmt::format("a value of more than {} MB; ask for less at a time",
                                     kLargestValue / 1'000'000));
      case SQLITE_AUTH:
        throw refused(error);
      case SQLITE_READONLY:
        if (error.getExtendedErrorCode() != SQLITE_READONLY) throw database_error(file_, error);
        throw refused(error);
      case SQLITE_ERROR:
        if (std::string_view(error.what()).starts_with("not authorized")) throw refused(error);
        throw InputError(error.what() + hint_at_column(*connection_, error.what()));
      default:
        throw database_error(file_, error);
    }
  }
}

}  // namespace qbitopt
