// qbitopt table: prints a comparison of the runs of a sweep.
#include <fmt/format.h>

#include <algorithm>

#include "app/driver_lock.h"
#include "app/exit_codes.h"
#include "app/known_parts.h"
#include "app/places.h"
#include "app/tables.h"
#include "app/text.h"
#include "app/verbs.h"
#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"
#include "qbitopt/core/shipped_files.h"
#include "qbitopt/report/table_format.h"
#include "qbitopt/runlog/queries.h"
#include "qbitopt/sweep/document.h"

namespace po = boost::program_options;
namespace fs = std::filesystem;

namespace qbitopt::app {
namespace {

fs::path definition_file(const std::string& word) {
  return fs::path(word).extension() == ".yaml"
             ? fs::path(word)
             : shipped_file(fs::path("results") / (word + ".yaml"));
}

// Files of the tables that a sweep's file names, if the file still exists and is valid.
std::vector<std::string> named_by(const Reader& reader, const std::string& sweep) {
  const auto revision = last_revision(reader, sweep);
  if (!revision || !fs::exists(revision->file)) return {};
  try {
    return read_document(revision->file, known_parts(revision->file)).tables;
  } catch (const InputError&) {
    return {};
  }
}

// Names of the definitions in results/ and of the sweeps in the database.
std::vector<std::string> known_tables(const Reader& reader) {
  std::vector<std::string> names = shipped_names("results", ".yaml");
  for (const auto& row : reader.query("SELECT name FROM sweep").rows) names.push_back(row[0]);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::string format_names() {
  std::vector<std::string> names;
  for (const TableFormat& format : table_formats()) names.push_back(format.name);
  return fmt::to_string(fmt::join(names, ", "));
}

// The format given on the command line, else the one of the output's extension, else Markdown.
const TableFormat& chosen_table_format(const CommandLine& line) {
  if (line.has("format")) return find_table_format(line.get<std::string>("format"));
  if (line.json()) return find_table_format("json");
  const fs::path output = line.get_or("output", OutputName()).path;
  for (const TableFormat& format : table_formats()) {
    if (format.extension == output.extension()) return format;
  }
  return table_formats().front();
}

int check(const Table& table, const TableDefinition& definition, Console& console) {
  if (definition.expectations.empty())
    throw InputError(fmt::format(
        "table {} has no expectations to check; add `expect:` to its definition", definition.name));
  const std::vector<std::string> faults = check_expectations(table, definition);
  for (const std::string& fault : faults) console.error(fault);
  console.say(fmt::format("{} of {} values are within their tolerance",
                          definition.expectations.size() - faults.size(),
                          definition.expectations.size()));
  return faults.empty() ? kGood : kTableCheck;
}

// Closes the database afterwards, so that the table can be recorded.
std::pair<TableDefinition, Table> read_table(const CommandLine& line) {
  const Reader reader(line.database());
  TableDefinition definition =
      find_table(reader, line.words("table").front(), line.find<std::string>("sweep"));
  Table table = build_table(reader, definition);
  return {std::move(definition), std::move(table)};
}

// Skipped if another program is writing, or if the database is read-only.
void record(const fs::path& file, const RenderedTable& table, Console& console) {
  try {
    const DriverLock lock(file, std::chrono::milliseconds(0));
    Database(file).record_table(table);
  } catch (const std::exception& error) {
    console.detail(fmt::format("not recorded in the database: {}", error.what()));
  }
}

}  // namespace

TableDefinition find_table(const Reader& reader, const std::string& word,
                           const std::optional<std::string>& sweep) {
  const fs::path file = definition_file(word);
  if (!fs::exists(file)) {
    const std::vector<std::string> known = known_tables(reader);
    if (sweep || std::find(known.begin(), known.end(), word) == known.end())
      throw InputError(unknown_name("table", word, known) + " (results/*.yaml, and every sweep)");
    return tables_of(reader, word).front();
  }
  TableDefinition definition = read_table_definition(file);
  if (sweep) definition.sweeps = {*sweep};
  if (definition.sweeps.empty()) definition.sweeps = {definition.name};
  return definition;
}

std::vector<TableDefinition> tables_of(const Reader& reader, const std::string& sweep) {
  std::vector<TableDefinition> tables;
  for (const std::string& file : named_by(reader, sweep)) {
    tables.push_back(read_table_definition(file));
    if (tables.back().sweeps.empty()) tables.back().sweeps = {sweep};
  }
  if (!tables.empty()) return tables;
  if (fs::exists(definition_file(sweep))) return {find_table(reader, sweep, std::nullopt)};
  return {default_definition(reader, sweep)};
}

RenderedTable rendered(const Table& table, const TableDefinition& definition,
                       const TableFormat& format, const std::string& text) {
  return {.name = table.name,
          .definition = definition.text,
          .format = format.name,
          .jobs = table.jobs,
          .text = text};
}

int table(const Invocation& invocation) {
  CommandLine line(
      "table NAME [options]",
      "Prints a comparison table. NAME is a table definition (results/NAME.yaml, or a\n"
      "file), or a sweep, whose file names the table.");
  const std::string formats =
      format_names() + " (default: from the name of the output, else markdown)";
  line.options()("format", po::value<std::string>()->value_name("FORMAT"), formats.c_str())(
      "output,o", po::value<OutputName>()->value_name("FILE"),
      "file to write (default: standard output)")(
      "sweep", po::value<std::string>()->value_name("SWEEP"),
      "sweep whose runs are shown (default: from the definition, else NAME)")(
      "check", po::bool_switch(),
      "compare with the values under `expect:`; exit status 6 if one is out of tolerance");
  line.add_database();
  line.add_json();
  line.add_verbose();
  line.add_positional("table", 1);
  if (!line.parse(invocation)) return kGood;
  if (!line.has("table"))
    throw UsageError("table needs the name of a definition in results/, or of a sweep");
  const TableFormat& format = chosen_table_format(line);
  if (line.json() && line.has("format")) throw UsageError("choose one of --json and --format");
  if (line.is_on("check") && line.has("output"))
    throw UsageError("--check writes no table; leave out --output");
  if (line.has("output")) check_output(line.get<OutputName>("output").path);
  const auto [definition, table] = read_table(line);
  if (line.is_on("check")) return check(table, definition, invocation.console);
  const std::string text = format.write(table);
  if (!line.has("output")) {
    invocation.console.print(text);
    return kGood;
  }
  const fs::path output = line.get<OutputName>("output").path;
  write_output(output, text);
  record(line.database(), rendered(table, definition, format, text), invocation.console);
  invocation.console.say(fmt::format("wrote {}", shown(output)));
  return kGood;
}

}  // namespace qbitopt::app
