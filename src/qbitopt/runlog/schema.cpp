#include "qbitopt/runlog/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <set>

#include "qbitopt/job/budget_kinds.h"
#include "qbitopt/job/known_metrics.h"
#include "qbitopt/runlog/database_file.h"
#include "qbitopt/runlog/migrations.h"
#include "qbitopt/runlog/queries.h"

namespace qbitopt {
namespace {

// Columns that `runs` has in every file, so that queries written for one sweep work on another.
const std::set<std::string>& common_parameters() {
  static const std::set<std::string> names = [] {
    std::set<std::string> all = {"method",      "model",  "data.name",
                                 "seed",        "device", "budget.weighting",
                                 "sensitivity", "solver", "reallocation.tau"};
    all.insert(budget_parameters().begin(), budget_parameters().end());
    return all;
  }();
  return names;
}

// A generated column of a view, with its documentation.
struct Column {
  std::string expression;
  std::string name;
  std::string doc;
};

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "''" : std::string(1, c);
  return out + "'";
}

std::string identifier(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

// "budget.average_bits" -> "budget_average_bits".
std::string underscored(std::string name) {
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name;
}

std::string in_brackets(const std::string& unit) { return unit.empty() ? "" : "[" + unit + "] "; }

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::vector<std::string> column_of_text(Connection& connection, const std::string& sql) {
  std::vector<std::string> values;
  SQLite::Statement& statement = connection.prepare(sql);
  while (statement.executeStep()) values.push_back(statement.getColumn(0).getString());
  statement.reset();
  return values;
}

// A column name that is not used yet: with underscores, or else as the parameter is written.
std::string free_name(const std::string& name, std::set<std::string>& taken) {
  for (const std::string& candidate : {underscored(name), name, "parameter_" + name}) {
    if (taken.insert(candidate).second) return candidate;
  }
  return name;
}

std::string path_of(const std::string& parameter) { return quoted("$.\"" + parameter + "\""); }

std::set<std::string> parameters_of_jobs(Connection& connection) {
  const auto names = column_of_text(
      connection, "SELECT DISTINCT json_each.key FROM job, json_each(job.parameters)");
  return {names.begin(), names.end()};
}

// Those that have columns in the stored view `runs`; nullopt: there is no such view.
std::optional<std::set<std::string>> parameters_of_view(Connection& connection) {
  const auto sql = connection.find<std::string>(
      "SELECT sql FROM sqlite_master WHERE type = 'view' AND name = 'runs'");
  if (!sql) return std::nullopt;
  const std::string head = "json_extract(job.parameters, '$.\"";
  std::set<std::string> names;
  for (size_t at = sql->find(head); at != std::string::npos; at = sql->find(head, at)) {
    at += head.size();
    names.insert(sql->substr(at, sql->find('"', at) - at));
  }
  return names;
}

std::vector<Column> parameter_columns(Connection& connection, std::set<std::string> names,
                                      std::set<std::string>& taken) {
  names.insert(common_parameters().begin(), common_parameters().end());
  std::vector<Column> columns;
  // The most important columns come first, then the others by name.
  std::vector<std::string> order = {"method", "model", "data.name", "seed", "budget.average_bits"};
  for (const std::string& name : names) {
    if (std::find(order.begin(), order.end(), name) == order.end()) order.push_back(name);
  }
  for (const std::string& name : order) {
    const auto unit =
        connection.find<std::string>("SELECT unit FROM parameter_definition WHERE name = ?", name);
    const auto meaning = connection.find<std::string>(
        "SELECT description FROM parameter_definition WHERE name = ?", name);
    const std::string doc = fmt::format("{}parameter `{}`{}", in_brackets(unit.value_or("")), name,
                                        meaning ? ": " + one_line(*meaning) : "");
    columns.push_back({fmt::format("json_extract(job.parameters, {})", path_of(name)),
                       free_name(name, taken), doc});
  }
  return columns;
}

std::vector<Column> metric_columns(Connection& connection, std::set<std::string>& taken) {
  std::vector<Column> columns;
  SQLite::Statement& statement = connection.prepare(
      "SELECT id, name, unit, description FROM metric_definition"
      " WHERE is_result OR id IN (SELECT DISTINCT metric_id FROM metric) ORDER BY id LIMIT ?",
      kMostResults);
  while (statement.executeStep()) {
    const std::string unit = statement.getColumn(2).getString();
    columns.push_back({fmt::format("(SELECT value FROM metric WHERE metric.attempt_id = attempt.id "
                                   "AND metric.metric_id = {})",
                                   statement.getColumn(0).getInt64()),
                       free_name(statement.getColumn(1).getString(), taken),
                       fmt::format("{}{}", in_brackets(unit), statement.getColumn(3).getString())});
  }
  statement.reset();
  return columns;
}

std::string lines(const std::vector<Column>& columns) {
  std::string text;
  for (const Column& column : columns) {
    text += fmt::format("{}{} AS {},  -- {}", text.empty() ? "" : "\n  ", column.expression,
                        identifier(column.name), column.doc);
  }
  return text;
}

// The limit of each kind of budget, then the achieved amounts.
std::vector<Column> budget_columns() {
  std::vector<Column> columns;
  for (const BudgetKind& kind : budget_kinds()) {
    columns.push_back({kind.name + "_budget.limit_value", kind.limit_column,
                       in_brackets(kind.unit_name()) + kind.limit_meaning});
  }
  for (const BudgetKind& kind : budget_kinds()) {
    columns.push_back({kind.name + "_budget.achieved", kind.achieved_column,
                       in_brackets(kind.unit_name()) + kind.achieved_meaning});
  }
  return columns;
}

// The limit of a run for this kind of budget: as reported by its worker, else from its parameters.
std::string limit_expression(const BudgetKind& kind) {
  std::string text = "COALESCE(" + kind.name + "_budget.limit_value";
  for (const std::string& name : kind.parameters)
    text += fmt::format(", json_extract(job.parameters, {})", path_of(name));
  return text + ")";
}

// The columns of `runs`, in which averages are 32 in full precision, and two more for the first
// budget of a run.
std::vector<Column> budget_columns_of_runs() {
  std::vector<Column> columns = budget_columns();
  const size_t kinds = budget_kinds().size();
  std::string limits, units;
  for (size_t i = 0; i < kinds; ++i) {
    const BudgetKind& kind = budget_kinds()[i];
    limits += (i ? ", " : "") + limit_expression(kind);
    units += fmt::format(" WHEN {} IS NOT NULL THEN {}", limit_expression(kind),
                         quoted(kind.unit_name()));
    if (!kind.is_average()) continue;
    columns[kinds + i].expression = fmt::format(
        "COALESCE({}, CASE WHEN attempt.state = 'finished' AND attempt.inventory_id IS "
        "NULL THEN 32.0 END)",
        columns[kinds + i].expression);
  }
  columns.push_back({fmt::format("COALESCE({})", limits), "budget_limit",
                     "[budget_unit] the first of its budgets, also of a run to come; NULL: none"});
  columns.push_back({fmt::format("CASE{} END", units), "budget_unit",
                     "of budget_limit: 'bits' on average, 'bytes' or 'bit operations'"});
  return columns;
}

std::vector<Column> budget_means() {
  std::vector<Column> columns;
  for (const BudgetKind& kind : budget_kinds()) {
    columns.push_back({fmt::format("avg({}) FILTER (WHERE counts)", kind.achieved_column),
                       kind.achieved_column,
                       in_brackets(kind.unit_name()) + kind.achieved_meaning});
  }
  return columns;
}

// A join with budget_result or allocation_budget for each kind of budget.
std::string budget_joins(const std::string& table, const std::string& key) {
  std::string text;
  for (const BudgetKind& kind : budget_kinds()) {
    text += fmt::format(
        "{0}LEFT JOIN {1} AS {2}_budget\n  ON {2}_budget.{3} AND {2}_budget.budget = '{2}'",
        text.empty() ? "" : "\n", table, kind.name, key);
  }
  return text;
}

// Names of the columns that `runs` has in every file.
std::set<std::string> fixed_columns_of_runs() {
  std::set<std::string> names;
  for (const SqlFile& view : view_files()) {
    if (view.name != "runs") continue;
    for (const ColumnDoc& doc : read_docs(view.text)) names.insert(doc.column);
  }
  for (const Column& column : budget_columns_of_runs()) names.insert(column.name);
  return names;
}

std::vector<Column> but_seed(std::vector<Column> columns) {
  std::erase_if(columns, [](const Column& column) { return column.name == "seed"; });
  for (Column& column : columns) column.expression = identifier(column.name);
  return columns;
}

// Mean, deviation (n - 1, two passes), smallest and largest value over the seeds.
std::string statistics(const std::vector<Column>& metrics) {
  std::string text;
  for (const Column& metric : metrics) {
    const std::string value = identifier(metric.name);
    const std::string mean = identifier(metric.name + "_window_mean");
    const std::string good = "FILTER (WHERE counts)";
    text += lines(
        {{fmt::format("avg({}) {}", value, good), metric.name + "_mean",
          metric.doc + "; mean over the seeds"},
         {fmt::format("CASE WHEN count({0}) {2} > 1 THEN sqrt(sum(({0} - {1}) * ({0} - {1})) {2} / "
                      "(count({0}) {2} - 1)) END",
                      value, mean, good),
          metric.name + "_deviation",
          metric.doc + "; standard deviation (n - 1), NULL for one seed"},
         {fmt::format("min({}) {}", value, good), metric.name + "_min", metric.doc + "; least"},
         {fmt::format("max({}) {}", value, good), metric.name + "_max", metric.doc + "; largest"}});
    text += "\n  ";
  }
  return text;
}

std::string window_means(const std::vector<Column>& metrics) {
  std::string text;
  for (const Column& metric : metrics) {
    text += fmt::format(",\n    avg({}) FILTER (WHERE counts) OVER (PARTITION BY config_key) AS {}",
                        identifier(metric.name), identifier(metric.name + "_window_mean"));
  }
  return text;
}

// The valid rows of `table` from the attempts of a chain: those before the step from which the next
// attempt continued, and those at that step that no later attempt logged again. `identity`: columns
// that, together with the step, identify a row.
std::string stands(const std::string& table, const std::vector<std::string>& identity) {
  std::string same;
  for (const std::string& column : identity)
    same += fmt::format(" AND again.{1} = {0}.{1}", table, column);
  return fmt::format(
      "{0}.attempt_id = attempt_chain.ancestor_id AND {0}.step <= attempt_chain.last_step\n"
      "  AND ({0}.step < attempt_chain.last_step OR NOT EXISTS (\n"
      "    SELECT 1\n"
      "    FROM attempt_chain AS later\n"
      "    JOIN {0} AS again ON again.attempt_id = later.ancestor_id AND again.step = {0}.step{1}\n"
      "    WHERE later.attempt_id = attempt_chain.attempt_id"
      " AND later.ancestor_id > attempt_chain.ancestor_id AND again.step <= later.last_step))",
      table, same);
}

std::string filled(std::string text, const std::map<std::string, std::string>& values) {
  for (const auto& [name, value] : values) {
    const std::string mark = "{" + name + "}";
    for (size_t at = 0; (at = text.find(mark, at)) != std::string::npos; at += value.size())
      text.replace(at, mark.size(), value);
  }
  return text;
}

std::vector<std::pair<std::string, std::string>> render_views(Connection& connection,
                                                              std::set<std::string> names) {
  std::set<std::string> taken = fixed_columns_of_runs();
  const auto parameters = parameter_columns(connection, std::move(names), taken);
  const auto metrics = metric_columns(connection, taken);
  const std::map<std::string, std::string> values = {
      {"parameters", lines(parameters)},
      {"state_of_job", kStateOfJob},
      {"metrics", lines(metrics)},
      {"parameters_but_seed", lines(but_seed(parameters))},
      {"metric_statistics", statistics(metrics)},
      {"window_means", window_means(metrics)},
      {"budgets", lines(budget_columns_of_runs())},
      {"budget_joins", budget_joins("budget_result", "attempt_id = attempt.id")},
      {"budget_means", lines(budget_means())},
      {"allocation_budgets", lines(budget_columns())},
      {"allocation_budget_joins",
       budget_joins("allocation_budget", "allocation_id = allocation.id")},
      {"allocation_stands", stands("allocation", {})},
      {"point_stands", stands("metric_point", {"metric_id", "split"})}};
  std::vector<std::pair<std::string, std::string>> views;
  for (const SqlFile& view : view_files()) {
    std::string text = filled(std::string(view.text), values);
    views.emplace_back(view.name, text);
  }
  return views;
}

// The statement as SQLite stores it: from CREATE up to the semicolon.
std::string statement_of(const std::string& text) {
  const auto begin = text.find("CREATE ");
  return text.substr(begin, text.rfind(';') - begin);
}

void store_docs(Connection& connection, const std::string& relation, const std::string& text) {
  connection.execute("DELETE FROM schema_doc WHERE relation = ?", relation);
  int position = 0;
  for (const ColumnDoc& doc : read_docs(text)) {
    connection.execute("INSERT INTO schema_doc VALUES (?, ?, ?, ?, ?)", relation, position++,
                       doc.column, doc.unit, doc.meaning);
  }
}

// In the file of an older program, metrics that this program knows may be stored as unknown.
void define_metrics(Connection& connection) {
  for (const KnownMetric& metric : known_metrics()) {
    const std::string name = metric.name, unit = metric.unit, description = metric.description;
    const std::optional<std::string> goal =
        metric.goal ? std::optional<std::string>(metric.goal) : std::nullopt;
    if (connection.find<int64_t>(
            "SELECT 1 FROM metric_definition"
            " WHERE name = ? AND unit = ? AND goal IS ? AND description = ? AND is_result >= ?",
            name, unit, goal, description, metric.is_result))
      continue;
    connection.execute(
        "INSERT INTO metric_definition (name, unit, goal, description, is_result)"
        " VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET unit = excluded.unit,"
        " goal = excluded.goal, description = excluded.description,"
        " is_result = max(is_result, excluded.is_result)",
        name, unit, goal, description, metric.is_result);
  }
}

void write_views(Connection& connection, std::set<std::string> parameters) {
  define_metrics(connection);
  const auto views = render_views(connection, std::move(parameters));
  bool is_current = true;
  for (const auto& [name, text] : views) {
    const auto stored = connection.find<std::string>(
        "SELECT sql FROM sqlite_master WHERE type = 'view' AND name = ?", name);
    is_current = is_current && stored && *stored == statement_of(text);
  }
  if (is_current) return;
  const bool is_own_transaction = !connection.is_in_transaction();
  connection.begin();
  for (const auto& [name, text] : views)
    connection.raw().exec(fmt::format("DROP VIEW IF EXISTS {}", name));
  for (const auto& [name, text] : views) {
    connection.raw().exec(text);
    store_docs(connection, name, text);
  }
  for (const SqlFile& table : table_files())
    store_docs(connection, std::string(table.name), std::string(table.text));
  if (is_own_transaction) connection.commit();
}

}  // namespace

std::vector<ColumnDoc> read_docs(std::string_view sql) {
  std::vector<ColumnDoc> docs = {{}};
  bool is_before_create = true;
  for (size_t begin = 0; begin < sql.size();) {
    const size_t end = std::min(sql.find('\n', begin), sql.size());
    const std::string_view line = sql.substr(begin, end - begin);
    begin = end + 1;
    const size_t mark = line.find("-- ");
    if (line.starts_with("CREATE ")) is_before_create = false;
    if (mark == std::string_view::npos) continue;
    std::string comment(line.substr(mark + 3));
    if (is_before_create) {
      docs[0].meaning += (docs[0].meaning.empty() ? "" : " ") + comment;
      continue;
    }
    ColumnDoc doc;
    std::string code(line.substr(0, mark));
    const size_t alias = code.rfind(" AS ");
    code = alias == std::string::npos ? code : code.substr(alias + 4);
    code.erase(0, code.find_first_not_of(' '));
    doc.column = code.substr(0, code.find_first_of(", "));
    std::erase(doc.column, '"');
    if (comment.starts_with("[")) {
      doc.unit = comment.substr(1, comment.find(']') - 1);
      comment.erase(0, comment.find(']') + 2);
    }
    doc.meaning = comment;
    docs.push_back(std::move(doc));
  }
  return docs;
}

std::set<std::string> columns_of_runs(const std::set<std::string>& parameters) {
  std::set<std::string> columns = fixed_columns_of_runs();
  std::set<std::string> names = common_parameters();
  names.insert(parameters.begin(), parameters.end());
  for (const std::string& name : names) free_name(name, columns);
  for (const std::string& name : result_names()) columns.insert(name);
  columns.erase("");
  return columns;
}

void create_schema(Connection& connection) {
  connection.begin();
  SQLite::Database& db = connection.raw();
  db.exec(fmt::format("PRAGMA application_id = {}", kApplicationId));
  db.exec(fmt::format("PRAGMA user_version = {}", kSchemaVersion));
  for (const SqlFile& table : table_files()) db.exec(std::string(table.text));
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  connection.execute("INSERT INTO schema_migration VALUES (?, 'created', ?)", kSchemaVersion, now);
  refresh_views(connection);
  connection.commit();
}

void refresh_views(Connection& connection) {
  write_views(connection, parameters_of_jobs(connection));
}

void extend_views(Connection& connection, const std::set<std::string>& parameters) {
  std::optional<std::set<std::string>> known = parameters_of_view(connection);
  if (!known) return refresh_views(connection);
  known->insert(parameters.begin(), parameters.end());
  write_views(connection, std::move(*known));
}

}  // namespace qbitopt
