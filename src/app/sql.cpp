// qbitopt sql: queries the database, in SQL or by the name of a stored query.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <thread>

#include "app/exit_codes.h"
#include "app/places.h"
#include "app/text.h"
#include "app/verbs.h"
#include "qbitopt/config/yaml.h"
#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"
#include "qbitopt/core/text_file.h"
#include "qbitopt/report/named_query.h"
#include "qbitopt/report/rows_format.h"

namespace po = boost::program_options;

namespace qbitopt::app {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostRowsForPeople = 100'000;  // they are kept in memory

struct Question {
  std::string sql;
  std::map<std::string, Json> arguments;
  std::string description;  // of a named query
};

// "bits=2.5" as in a sweep file: numbers are numbers.
std::map<std::string, Json> arguments_of(const std::vector<std::string>& words, size_t first) {
  std::map<std::string, Json> arguments;
  for (size_t i = first; i < words.size(); ++i) {
    const size_t sign = words[i].find('=');
    if (sign == 0 || sign == std::string::npos)
      throw UsageError(
          fmt::format("'{}' is not an argument of a query; write name=value", words[i]));
    arguments[words[i].substr(0, sign)] = core_schema_scalar(words[i].substr(sign + 1));
  }
  return arguments;
}

bool is_name(const std::string& text) { return text.find_first_of(" \t\n(;") == std::string::npos; }

std::string read_question(const fs::path& file) {
  if (file != "-") return read_text(file);
  return read_text(std::cin, "<stdin>");
}

Question question_of(const CommandLine& line) {
  const std::vector<std::string> words = line.words("query");
  if (line.has("file"))
    return {read_question(line.get<FileName>("file").path), arguments_of(words, 0)};
  const std::string& first = words.front();
  if (first.empty()) throw UsageError("the query is empty; `qbitopt sql` lists the named queries");
  if (!is_name(first)) return {first, arguments_of(words, 1)};
  const NamedQuery query = find_query(queries_folder(), first);
  return {query.sql, arguments_of(words, 1), query.description};
}

// Explains an empty result with the description of the query.
void say_nothing_fits(Console& console, const Question& question) {
  std::vector<std::string> given;
  for (const auto& [name, value] : question.arguments)
    given.push_back(fmt::format("{}={}", name, cell_text(value)));
  if (given.empty()) given.push_back("without arguments");
  console.say(fmt::format("no rows for {}; the query is:\n{}", fmt::join(given, " "),
                          question.description));
}

Rows relations(const Reader& reader) {
  return reader.query(
      "SELECT schema_doc.relation, type AS kind, meaning FROM schema_doc"
      " JOIN sqlite_master ON sqlite_master.name = schema_doc.relation WHERE position = 0"
      " ORDER BY type = 'table', schema_doc.relation");
}

Rows describe(const Reader& reader, const std::string& relation) {
  if (relation.empty()) return relations(reader);
  Rows rows = reader.query(
      "SELECT column_name AS \"column\", unit, meaning FROM schema_doc"
      " WHERE relation = ? AND position > 0 ORDER BY position",
      {relation});
  if (!rows.empty()) return rows;
  std::vector<std::string> known;
  for (const auto& row : relations(reader).rows) known.push_back(row[0]);
  throw InputError(unknown_name("relation", relation, known));
}

std::string list_of_queries() {
  std::vector<std::vector<std::string>> rows;
  for (const NamedQuery& query : read_queries(queries_folder()))
    rows.push_back({query.name, query.description.substr(0, query.description.find('\n'))});
  return rows.empty() ? "" : columns(rows);
}

std::string as_columns(const Rows& rows) {
  std::vector<std::vector<std::string>> cells = {rows.columns};
  for (const auto& row : rows.rows) {
    auto& texts = cells.emplace_back();
    for (const Json& cell : row) {
      texts.push_back(cell_text(cell));
      std::replace(texts.back().begin(), texts.back().end(), '\n', ' ');
    }
  }
  return columns(cells);
}

// The format for programs, without a limit on rows; nullopt: a format for people.
std::optional<RowsFormat> format_for_programs(const CommandLine& line) {
  if (line.json()) return RowsFormat::kJson;
  if (line.is_on("csv")) return RowsFormat::kCsv;
  return std::nullopt;
}

std::string for_people(const Rows& rows, const CommandLine& line) {
  return line.is_on("markdown") ? write_rows(rows, RowsFormat::kMarkdown) : as_columns(rows);
}

void print(const Rows& rows, const CommandLine& line, Console& console) {
  const auto format = format_for_programs(line);
  console.print(format ? write_rows(rows, *format) : for_people(rows, line));
}

// SQLite cannot stop within one call of a function such as LIKE. In that case this ends the program
// some time after the limit; as it only reads, nothing is lost.
class Watchdog {
 public:
  Watchdog(std::chrono::milliseconds limit, Console& console) : last_sign_(Clock::now()) {
    if (limit.count() == 0) return;
    thread_ = std::jthread([this, limit, &console](const std::stop_token& is_over) {
      while (!is_over.stop_requested()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        if (is_printing_ || Clock::now() - last_sign_.load() < limit + kPatience) continue;
        console.error(
            fmt::format("the query took longer than {} s, within one call of a function; select "
                        "fewer rows, or raise --time-limit",
                        limit.count() / 1000.0));
        std::_Exit(kDatabase);
      }
    });
  }

  // The time limit does not apply to printing, which may wait for a pager.
  template <typename Action>
  void print(const Action& action) {
    is_printing_ = true;
    action();
    last_sign_ = Clock::now();
    is_printing_ = false;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kPatience{1000};
  std::atomic<Clock::time_point> last_sign_;
  std::atomic<bool> is_printing_{false};
  std::jthread thread_;
};

// Prints the result and returns its number of rows.
size_t answer(const Reader& reader, const Question& question, const CommandLine& line,
              Watchdog& watchdog, Console& console) {
  size_t count = 0;
  if (const auto format = format_for_programs(line)) {
    RowsWriter writer(*format, [&](const std::string& text) { console.print(text); });
    reader.for_each_named(
        question.sql, question.arguments, [&](const auto& columns) { writer.begin(columns); },
        [&](const auto& row) {
          watchdog.print([&] { writer.add(row); });
          ++count;
        });
    writer.end();
    return count;
  }
  Rows rows;
  reader.for_each_named(
      question.sql, question.arguments, [&](const auto& columns) { rows.columns = columns; },
      [&](const auto& row) {
        if (++count > kMostRowsForPeople) {
          throw InputError(
              fmt::format("more than {} rows, too many for a table; print them with --csv or "
                          "--json, or select fewer (LIMIT)",
                          kMostRowsForPeople));
        }
        rows.rows.push_back(row);
      });
  watchdog.print([&] { console.print(for_people(rows, line)); });
  return count;
}

}  // namespace

int sql(const Invocation& invocation) {
  CommandLine line(
      "sql [QUERY] [name=value ...] [options]",
      "Queries the database, read-only. QUERY is a SELECT statement, or the name of a\n"
      "file in results/queries; name=value sets its parameter :name. Without QUERY,\n"
      "lists the named queries."
      "\nViews: runs, results, progress, failures, curves, bits, bits_history,\n"
      "sensitivities, allocations, pareto, parameters, sweep_runs, published.");
  line.options()("csv", po::bool_switch(), "print CSV")("markdown", po::bool_switch(),
                                                        "print a Markdown table")(
      "file,f", po::value<FileName>()->value_name("FILE"),
      "read the query from a file (-: standard input)")(
      "time-limit", po::value<Seconds>()->default_value({60}, "60")->value_name("TIME"),
      "stop a query after this time (0: never)")(
      "describe", po::value<std::string>()->implicit_value("")->value_name("RELATION"),
      "describe all views and tables, or the columns of one");
  line.add_database();
  line.add_json();
  line.add_positional("query", -1);
  if (!line.parse(invocation)) return kGood;
  Console& console = invocation.console;
  if (line.json() + line.is_on("csv") + line.is_on("markdown") > 1)
    throw UsageError("choose one of --csv, --json and --markdown");
  if (!line.has("describe") && !line.has("file") && line.words("query").empty()) {
    console.print(list_of_queries());
    return kGood;
  }
  const auto limit =
      std::chrono::milliseconds(std::llround(line.get<Seconds>("time-limit").value * 1000));
  const Reader reader(line.database(), {.time_limit = limit});
  if (line.has("describe")) {
    // "--describe runs": the word after an option with an optional value is a positional one.
    std::string relation = line.get<std::string>("describe");
    if (relation.empty() && line.has("query")) relation = line.words("query").front();
    print(describe(reader, relation), line, console);
    return kGood;
  }
  const Question question = question_of(line);
  Watchdog watchdog(limit, console);
  const size_t count = answer(reader, question, line, watchdog, console);
  if (count == 0 && !question.description.empty()) say_nothing_fits(console, question);
  return kGood;
}

}  // namespace qbitopt::app
