// qbitopt export: writes the views for other programs.
#include <fmt/format.h>

#include <algorithm>

#include "app/exit_codes.h"
#include "app/text.h"
#include "app/verbs.h"
#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"
#include "qbitopt/core/output_file.h"
#include "qbitopt/report/rows_format.h"
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

int export_text(const CommandLine& line, RowsFormat format, const std::string& extension,
                Console& console) {
  const fs::path folder = line.get<OutputName>("output").path;
  const Reader reader(line.database());
  const std::vector<std::string> views = chosen_views(reader, line);
  if (fs::exists(folder) && !fs::is_directory(folder)) {
    throw InputError(fmt::format(
        "{} is a file, but csv and jsonl need a folder, into which they write one file per view",
        shown(folder)));
  }
  fs::create_directories(folder);
  for (const std::string& view : views) {
    const fs::path file = folder / (view + extension);
    write_view(reader, view, format, file);
    console.print(fmt::format("wrote {}\n", shown(file)));
  }
  return kGood;
}

}  // namespace

int export_(const Invocation& invocation) {
  CommandLine line(
      "export [VIEW ...] --output FOLDER|FILE [options]",
      "Writes views of the database for other programs; all views by default.\n"
      "  csv, jsonl  one file per view in the folder\n"
      "  sqlite      one file with the views as plain tables, readable by any SQLite 3");
  line.options()("format", po::value<std::string>()->default_value("csv")->value_name("FORMAT"),
                 "format: csv, jsonl or sqlite")(
      "output,o", po::value<OutputName>()->value_name("FOLDER|FILE"), "folder or file to write");
  line.add_database();
  line.add_positional("view", -1);
  if (!line.parse(invocation)) return kGood;
  if (!line.has("output")) throw UsageError("export needs --output FOLDER or FILE");
  const std::string format = line.get<std::string>("format");
  if (format == "csv") return export_text(line, RowsFormat::kCsv, ".csv", invocation.console);
  if (format == "jsonl")
    return export_text(line, RowsFormat::kJsonLines, ".jsonl", invocation.console);
  if (format != "sqlite")
    throw InputError(unknown_name("format", format, {"csv", "jsonl", "sqlite"}));
  if (line.has("view")) throw UsageError("sqlite writes all views; leave out their names");
  const fs::path file = line.get<OutputName>("output").path;
  export_plain_database(line.database(), file);
  invocation.console.print(fmt::format("wrote {}\n", shown(file)));
  return kGood;
}

}  // namespace qbitopt::app
