// qbitopt ls: lists the jobs of a database, or its sweeps.
#include <fmt/format.h>

#include <algorithm>

#include "app/exit_codes.h"
#include "app/places.h"
#include "app/rows.h"
#include "app/verbs.h"
#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"
#include "qbitopt/runlog/reader.h"
#include "qbitopt/schedule/run_store.h"

namespace po = boost::program_options;

namespace qbitopt::app {
namespace {

// What is listed unless --columns, --sort and --limit say otherwise.
struct Listing {
  std::string view;
  std::string from;     // a view, with further names for some of its columns
  std::string columns;  // separated by commas
  std::string order;
};
const Listing kJobs = {
    "runs", "(SELECT *, budget_average_bits AS bits, error_class AS error FROM runs)",
    "job, state, method, model, bits, seed, top1, weight_bits, activation_bits, seconds, attempts, "
    "queue_id, error, sweeps, tags, note",
    "method, model, bits, seed, job"};
const Listing kSweeps = {"progress", "progress",
                         "sweep, jobs, finished, running, interrupted, failed, stopped, new, "
                         "percent, hours, hours_left, tags, note",
                         "sweep"};

constexpr const char* kOfSweep = "key IN (SELECT key FROM sweep_runs WHERE sweep = ?{})";

struct Selection {
  std::vector<std::string> conditions;
  std::vector<Json> arguments;
  void add(const std::string& condition, const std::string& argument) {
    arguments.push_back(argument);
    conditions.push_back(fmt::format(fmt::runtime(condition), arguments.size()));
  }
};

std::string where(const Selection& selection) {
  std::string text;
  for (const std::string& condition : selection.conditions)
    text += (text.empty() ? " WHERE " : " AND ") + condition;
  return text;
}

std::vector<std::string> split_at(const std::string& text, char separator) {
  std::vector<std::string> parts = {""};
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else if (c != ' ' || !parts.back().empty()) {
      parts.back() += c;
    }
  }
  return parts;
}

// A column of the listing, quoted for SQL. Throws InputError with the nearest name.
std::string column(const std::string& name, const std::vector<std::string>& known,
                   const std::string& view) {
  if (std::find(known.begin(), known.end(), name) != known.end()) return '"' + name + '"';
  const std::string near = nearest_name(name, known);
  throw InputError(fmt::format("unknown column '{}'{}; `qbitopt sql --describe {}` lists them",
                               name, near.empty() ? "" : ", did you mean '" + near + "'?", view));
}

// "top1" or "top1:desc" as a term of ORDER BY. Texts that are decimals, as budgets are, sort as
// numbers; nothing comes last.
std::string order(const std::string& word, const std::vector<std::string>& known,
                  const std::string& view) {
  const size_t colon = word.rfind(':');
  const std::string direction = colon == std::string::npos ? "asc" : word.substr(colon + 1);
  if (direction != "asc" && direction != "desc")
    throw UsageError("--sort takes COLUMN, COLUMN:asc or COLUMN:desc, found '" + word + "'");
  const std::string name = column(word.substr(0, colon), known, view);
  return fmt::format(
      "{0} IS NULL, CASE WHEN typeof({0}) = 'text' AND length({0}) < 10 AND "
      "trim({0}, '0123456789.-') = '' THEN CAST({0} AS REAL) ELSE {0} END {1}",
      name, direction);
}

Rows rows_of(const Reader& reader, const CommandLine& line, const Listing& listing,
             const Selection& selection) {
  std::string columns = listing.columns, sorted_by;
  if (line.has("columns") || line.has("sort")) {
    const auto known = reader.query("SELECT * FROM " + listing.from + " LIMIT 0").columns;
    if (line.has("columns")) {
      std::vector<std::string> chosen;
      for (const std::string& name : split_at(line.get<std::string>("columns"), ','))
        chosen.push_back(column(name, known, listing.view));
      columns = fmt::to_string(fmt::join(chosen, ", "));
    }
    for (const std::string& word : line.words("sort"))
      sorted_by += order(word, known, listing.view) + ", ";
  }
  std::string sql = "SELECT " + columns + " FROM " + listing.from + where(selection) +
                    " ORDER BY " + sorted_by + listing.order;
  if (const auto limit = line.find<Count>("limit")) sql += fmt::format(" LIMIT {}", limit->value);
  return reader.query(sql, selection.arguments);
}

Rows jobs(const Reader& reader, const CommandLine& line) {
  Selection selection;
  if (line.has("state")) {
    const std::string state = line.get<std::string>("state");
    const std::vector<std::string>& known = job_state_names();
    if (std::find(known.begin(), known.end(), state) == known.end())
      throw InputError(unknown_name("state", state, known));
    selection.add("state = ?{}", state);
  }
  if (line.has("sweep")) {
    check_sweep(reader, line.words("sweep").front());
    selection.add(kOfSweep, line.words("sweep").front());
  }
  if (line.has("where"))
    selection.conditions.push_back("(" + line.get<std::string>("where") + "\n)");
  return rows_of(reader, line, kJobs, selection);
}

}  // namespace

int ls(const Invocation& invocation) {
  CommandLine line("ls [SWEEP] [options]", "Lists all jobs, or the jobs of one sweep.");
  line.options()("sweeps", po::bool_switch(), "list the sweeps and their progress instead")(
      "state", po::value<std::string>()->value_name("STATE"),
      "only jobs that are new, running, interrupted, finished, failed or stopped")(
      "where", po::value<std::string>()->value_name("SQL"),
      "only jobs that meet a condition on the view `runs`")(
      "columns", po::value<std::string>()->value_name("A,B,..."),
      "print these columns of the view `runs` (with --sweeps: of `progress`)")(
      "sort", po::value<std::vector<std::string>>()->value_name("COLUMN[:desc]"),
      "sort by a column (repeatable)")("limit", po::value<Count>()->value_name("N"),
                                       "print at most N lines");
  line.add_database();
  line.add_json();
  line.add_positional("sweep", 1);
  if (!line.parse(invocation)) return kGood;
  if (line.is_on("sweeps") && (line.has("sweep") || line.has("state") || line.has("where")))
    throw UsageError("--sweeps lists all sweeps; leave out SWEEP, --state and --where");
  const Reader reader(line.database());
  const Rows rows = line.is_on("sweeps") ? rows_of(reader, line, kSweeps, {}) : jobs(reader, line);
  if (line.json()) {
    invocation.console.print_json(as_json(rows));
  } else {
    invocation.console.print(as_text(rows));
  }
  return kGood;
}

}  // namespace qbitopt::app
