// qbitopt report: writes an HTML file about a sweep.
#include <fmt/format.h>

#include <algorithm>

#include "app/driver_lock.h"
#include "app/exit_codes.h"
#include "app/places.h"
#include "app/stop_signals.h"
#include "app/tables.h"
#include "app/text.h"
#include "app/verbs.h"
#include "qbitopt/report/figures/vl_convert.h"
#include "qbitopt/report/page/page.h"

namespace po = boost::program_options;

namespace qbitopt::app {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& database, const fs::path& output, PageOptions options) {
  const Reader reader(database);
  for (const std::string& sweep : sweeps_on_page(reader, options)) {
    for (TableDefinition& table : tables_of(reader, sweep)) options.tables.push_back(table);
  }
  write_output(output, render_page(reader, options));
}

// Rewrites the page while a driver is using the database; the last page no longer reloads itself.
void keep_writing(const fs::path& database, const fs::path& output, PageOptions options,
                  double interval) {
  const StopSignals signals;
  options.refresh_seconds = static_cast<int>(std::clamp(interval, 1.0, 86400.0));
  while (signals.count() == 0 && has_driver(database)) {
    write(database, output, options);
    signals.wait(interval);
  }
}

}  // namespace

int report(const Invocation& invocation) {
  CommandLine line("report --output FILE [options]",
                   "Writes one HTML file with tables, figures and all runs of a sweep. The file is "
                   "self-contained.");
  line.options()("output,o", po::value<OutputName>()->value_name("FILE"), "file to write")(
      "sweep", po::value<std::string>()->value_name("NAME"),
      "only the jobs of this sweep (default: all)")(
      "watch", po::bool_switch(),
      "keep updating the file while the sweep runs; the page reloads itself")(
      "interval", po::value<Interval>()->default_value({10}, "10")->value_name("TIME"),
      "with --watch: time between updates");
  line.add_database();
  if (!line.parse(invocation)) return kGood;
  if (!line.has("output"))
    throw UsageError("report needs --output FILE, for example results/report.html");
  Console& console = invocation.console;
  const fs::path database = line.database();
  const fs::path output = line.get<OutputName>("output").path;
  check_output(output);
  PageOptions options{.sweep = {}, .refresh_seconds = 0, .version = QBITOPT_VERSION};
  if (line.has("sweep")) options.sweep = line.get<std::string>("sweep");
  check_sweep(Reader(database), options.sweep);
  if (!has_vl_convert())
    console.warn("the report has no figures, because vl-convert is not installed (" +
                 how_to_get_vl_convert() + ")");
  if (line.is_on("watch") && !has_driver(database))
    console.say("no driver is running: writing the report once");
  if (line.is_on("watch"))
    keep_writing(database, output, options, line.get<Interval>("interval").seconds);
  write(database, output, options);
  console.print(written(output));
  return kGood;
}

}  // namespace qbitopt::app
