// qbitopt export: writes the views for other programs.
#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>

#include "app/exit_codes.h"
#include "app/places.h"
#include "app/text.h"
#include "app/verbs.h"
#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"
#include "qbitopt/core/output_file.h"
#include "qbitopt/report/rows_format.h"
#include "qbitopt/report/tensorboard/tensorboard.h"
#include "qbitopt/runlog/maintenance.h"

namespace po = boost::program_options;
namespace fs = std::filesystem;

namespace qbitopt::app {
namespace {

std::vector<std::string> views_of(const Reader& reader) {
  std::vector<std::string> names;
  for (const auto& row :
       reader.query("SELECT name FROM sqlite_master WHERE type = 'view' ORDER BY name").rows)
    names.push_back(row[0]);
  return names;
}

// The views named on the command line, or all.
std::vector<std::string> chosen_views(const Reader& reader, const CommandLine& line) {
  const std::vector<std::string> known = views_of(reader);
  const std::vector<std::string> chosen = line.words("view");
  for (const std::string& name : chosen) {
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw InputError(unknown_name("view", name, known));
  }
  return chosen.empty() ? known : chosen;
}

void write_view(const Reader& reader, const std::string& view, RowsFormat format,
                const fs::path& file) {
  OutputFile output(file);
  RowsWriter writer(format, [&](const std::string& text) { output.write(text); });
  reader.for_each(
      "SELECT * FROM " + view, [&](const auto& columns) { writer.begin(columns); },
      [&](const auto& row) { writer.add(row); });
  writer.end();
  output.commit();
}

// The folder to write into, created.
fs::path export_folder(const CommandLine& line, const std::string& format) {
  const fs::path folder = line.get<OutputName>("output").path;
  if (fs::exists(folder) && !fs::is_directory(folder)) {
    throw InputError(
        fmt::format("{} is a file, but {} needs a folder, into which it writes several files",
                    shown(folder), format));
  }
  fs::create_directories(folder);
  return folder;
}

int export_text(const CommandLine& line, RowsFormat format, const std::string& extension,
                Console& console) {
  const Reader reader(line.database());
  const std::vector<std::string> views = chosen_views(reader, line);
  const fs::path folder = export_folder(line, line.get<std::string>("format"));
  for (const std::string& view : views) {
    const fs::path file = folder / (view + extension);
    write_view(reader, view, format, file);
    console.print(fmt::format("wrote {}\n", shown(file)));
  }
  return kGood;
}

// A type of DuckDB that holds every value of a column.
class ColumnType {
 public:
  void add(const Json& value) {
    if (value.is_null()) return;
    is_text_ |= !value.is_number();
    is_real_ |= value.is_number_float();
  }
  const char* name() const { return is_text_ ? "VARCHAR" : is_real_ ? "DOUBLE" : "BIGINT"; }

 private:
  bool is_text_ = false;
  bool is_real_ = false;
};

std::string duckdb_text(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("''") : std::string(1, c);
  return quoted + "'";
}

// Writes the rows of a view as JSON Lines, and returns the SQL with which DuckDB makes a Parquet file
// of them. The types are those of the rows, so that a key of digits stays a text.
std::string write_for_duckdb(const Reader& reader, const std::string& view,
                             const fs::path& folder) {
  OutputFile output(folder / (view + ".jsonl"));
  RowsWriter writer(RowsFormat::kJsonLines, [&](const std::string& text) { output.write(text); });
  std::vector<std::string> names;
  std::vector<ColumnType> types;
  reader.for_each(
      "SELECT * FROM " + view,
      [&](const auto& columns) {
        names = columns;
        types.resize(columns.size());
        writer.begin(columns);
      },
      [&](const auto& row) {
        for (size_t i = 0; i < row.size(); ++i) types[i].add(row[i]);
        writer.add(row);
      });
  writer.end();
  output.commit();
  std::string columns;
  for (size_t i = 0; i < names.size(); ++i) {
    columns +=
        fmt::format("{}{}: '{}'", i == 0 ? "" : ", ", duckdb_text(names[i]), types[i].name());
  }
  return fmt::format(
      "COPY (SELECT * FROM read_json('{0}.jsonl', format = 'newline_delimited', "
      "maximum_object_size = 1000000000, columns = {{{1}}})) TO '{0}.parquet' (FORMAT parquet);\n",
      view, columns);
}

constexpr const char* kScript = "to_parquet.sql";

int export_parquet(const CommandLine& line, Console& console) {
  const Reader reader(line.database());
  const std::vector<std::string> views = chosen_views(reader, line);
  const fs::path folder = export_folder(line, "parquet");
  std::string script;
  for (const std::string& view : views) script += write_for_duckdb(reader, view, folder);
  write_file_atomically(folder / kScript, script);
  // Through the environment, so that no shell reads the folder's name.
  ::setenv("QBITOPT_EXPORT_FOLDER", folder.c_str(), /*overwrite=*/1);
  const int status = std::system(fmt::format("command -v duckdb >/dev/null || exit 127; "
                                             "cd \"$QBITOPT_EXPORT_FOLDER\" && "
                                             "exec duckdb -bail -batch <{} >/dev/null",
                                             kScript)
                                     .c_str());
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    const bool is_missing = WIFEXITED(status) && WEXITSTATUS(status) == 127;
    throw InputError(fmt::format(
        "{}; the rows are in {}/*.jsonl, and this line makes Parquet files of them:\n"
        "  cd {} && duckdb -bail <{}",
        is_missing ? "there is no program `duckdb` (https://duckdb.org, or pip install duckdb-cli)"
                   : "duckdb failed, see above",
        shown(folder), shown(folder), kScript));
  }
  for (const std::string& view : views) {
    fs::remove(folder / (view + ".jsonl"));
    console.print(fmt::format("wrote {}\n", shown(folder / (view + ".parquet"))));
  }
  fs::remove(folder / kScript);
  return kGood;
}

int export_tensorboard(const CommandLine& line, Console& console) {
  if (line.has("view"))
    throw UsageError("tensorboard writes runs, not views; choose runs with --sweep and --where");
  const Reader reader(line.database());
  const TensorboardChoice choice{line.find<std::string>("sweep"),
                                 line.get_or<std::string>("where", "")};
  check_sweep(reader, choice.sweep);
  const fs::path folder = export_folder(line, "tensorboard");
  const size_t count = write_tensorboard(reader, choice, folder);
  if (count == 0) throw InputError("no job that meets the conditions has begun");
  console.print(
      fmt::format("wrote {} run{} into {}\n", count, count == 1 ? "" : "s", shown(folder)));
  if (count > kManyTensorboardRuns) {
    console.warn(
        fmt::format("TensorBoard becomes slow beyond about {} runs; choose fewer with "
                    "--sweep or --where",
                    kManyTensorboardRuns));
  }
  console.say(fmt::format("tensorboard --logdir {}", shown(folder)));
  return kGood;
}

}  // namespace

int export_data(const Invocation& invocation) {
  CommandLine line(
      "export [VIEW ...] --output FOLDER|FILE [options]",
      "Writes views of the database for other programs; all views by default.\n"
      "  csv, jsonl   one file per view in the folder\n"
      "  parquet      the same, through the program duckdb; without it, prints the line to type\n"
      "  sqlite       one file with the views as plain tables, readable by any SQLite 3\n"
      "  tensorboard  event files, one run per job, for `tensorboard --logdir FOLDER`");
  line.options()("format", po::value<std::string>()->default_value("csv")->value_name("FORMAT"),
                 "format: csv, jsonl, parquet, sqlite or tensorboard")(
      "output,o", po::value<OutputName>()->value_name("FOLDER|FILE"), "folder or file to write")(
      "sweep", po::value<std::string>()->value_name("NAME"),
      "tensorboard: only jobs of this sweep")(
      "where", po::value<std::string>()->value_name("SQL"),
      "tensorboard: only jobs that meet a condition on the view `runs`");
  line.add_database();
  line.add_positional("view", -1);
  if (!line.parse(invocation)) return kGood;
  if (!line.has("output")) throw UsageError("export needs --output FOLDER or FILE");
  const std::string format = line.get<std::string>("format");
  if (format == "tensorboard") return export_tensorboard(line, invocation.console);
  for (const char* name : {"sweep", "where"}) {
    if (line.has(name))
      throw UsageError(fmt::format("--{} is an option of --format tensorboard", name));
  }
  if (format == "csv") return export_text(line, RowsFormat::kCsv, ".csv", invocation.console);
  if (format == "jsonl")
    return export_text(line, RowsFormat::kJsonLines, ".jsonl", invocation.console);
  if (format == "parquet") return export_parquet(line, invocation.console);
  if (format != "sqlite") {
    throw InputError(
        unknown_name("format", format, {"csv", "jsonl", "parquet", "sqlite", "tensorboard"}));
  }
  if (line.has("view")) throw UsageError("sqlite writes all views; leave out their names");
  const fs::path file = line.get<OutputName>("output").path;
  export_plain_database(line.database(), file);
  invocation.console.print(fmt::format("wrote {}\n", shown(file)));
  return kGood;
}

}  // namespace qbitopt::app
