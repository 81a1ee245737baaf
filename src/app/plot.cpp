// qbitopt plot: draws figures of the database, defined in plots/*.vl.json.
#include <fmt/format.h>

#include <algorithm>

#include "app/exit_codes.h"
#include "app/places.h"
#include "app/text.h"
#include "app/verbs.h"
#include "qbitopt/core/error.h"
#include "qbitopt/report/figures/figure.h"

namespace po = boost::program_options;

namespace qbitopt::app {
namespace {

namespace fs = std::filesystem;

std::string list_of_figures() {
  std::vector<std::vector<std::string>> rows = {{"figure", "shows"}};
  for (const std::string& name : figure_names()) rows.push_back({name, read_figure(name).title});
  return columns(rows);
}

FigureFormat chosen_format(const CommandLine& line) {
  if (line.has("format")) return figure_format(line.get<std::string>("format"));
  const std::string extension = line.get_or("output", OutputName()).path.extension().string();
  return extension.empty() ? FigureFormat::kSvg : figure_format(extension.substr(1));
}

std::string extension_of(FigureFormat format) {
  const auto& known = figure_formats();
  const auto found = std::find_if(known.begin(), known.end(),
                                  [&](const auto& entry) { return entry.second == format; });
  return "." + found->first;
}

}  // namespace

int plot(const Invocation& invocation) {
  CommandLine line(
      "plot NAME... | all [options]",
      "Draws figures. NAME is a figure, or the path of a definition (.vl.json). Without NAME, "
      "lists the figures.");
  line.options()("format", po::value<std::string>()->value_name("FORMAT"),
                 "svg (default), pdf, png, json (Vega-Lite, with the data) or csv (the data)")(
      "output,o", po::value<OutputName>()->value_name("FILE"),
      "file to write; folder for several figures (default: plots)")(
      "sweep", po::value<std::string>()->value_name("NAME"), "only the jobs of this sweep");
  line.add_database();
  line.add_positional("name", -1);
  if (!line.parse(invocation)) return kGood;
  Console& console = invocation.console;
  std::vector<std::string> names = line.words("name");
  if (names.empty()) {
    console.print(list_of_figures());
    return kGood;
  }
  if (names == std::vector<std::string>{"all"}) names = figure_names();
  const fs::path output = line.get_or("output", OutputName{"plots"}).path;
  const bool is_file = line.has("output") && !fs::is_directory(output) &&
                       (output.has_extension() || fs::exists(output));  // /dev/stdout
  if (is_file && names.size() > 1) {
    throw UsageError(
        fmt::format("'{}' is one file, but there are {} figures; name a folder, or one figure",
                    output.string(), names.size()));
  }
  const FigureFormat format = chosen_format(line);
  const Reader reader(line.database());
  std::optional<std::string> sweep;
  if (line.has("sweep")) sweep = line.get<std::string>("sweep");
  check_sweep(reader, sweep);

  std::vector<FigureDefinition> figures;
  for (const std::string& name : names) figures.push_back(read_figure(name));
  const std::vector<std::string> drawings = draw_figures(reader, figures, sweep, format);
  size_t drawn = 0;
  for (size_t i = 0; i < figures.size(); ++i) {
    const std::string& name = figures[i].name;
    if (drawings[i].empty()) {
      console.say(name + ": no runs to show yet");
      continue;
    }
    const fs::path file = is_file ? output : output / (name + extension_of(format));
    if (file.has_parent_path()) fs::create_directories(file.parent_path());
    write_file_atomically(file, drawings[i]);
    console.print(written(file));
    ++drawn;
  }
  if (drawn == 0)
    throw InputError("nothing to draw: " + reader.file().string() +
                     " has no finished runs for these figures");
  return kGood;
}

}  // namespace qbitopt::app
