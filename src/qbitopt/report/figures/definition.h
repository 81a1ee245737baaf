#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "qbitopt/core/json.h"

namespace qbitopt {

// The definition of a figure: plots/<name>.vl.json, a Vega-Lite specification whose data is named
// "rows", and plots/<name>.sql, which gives these rows. Where it says `"extends": "<other>"`, it is a
// merge patch (RFC 7396) to the specification of another figure.
struct FigureDefinition {
  std::string name;     // "accuracy_over_bits"
  std::string title;    // of the specification; may be empty
  std::string caption;  // the specification's `description`, which explains it; may be empty
  Json spec;
  std::string sql;  // with the parameter :sweep: the name of a sweep, or NULL for all sweeps
};

// Names of the definitions in plots/ of the current folder, or the built-in ones if there are none.
std::vector<std::string> figure_names();

// Reads a definition by name, or by the path of its .vl.json file. Throws InputError for an unknown
// name (with the known ones and the nearest) and for a mistake in the file.
FigureDefinition read_figure(const std::string& name_or_path);

// What all figures have in common, as Vega-Lite's `config`: fonts, lines, colors of the frame.
Json common_look();

// A text file compiled into the program; see cmake/embed_files.cmake.
struct EmbeddedFile {
  std::string_view name;
  std::string_view text;
};
const std::vector<EmbeddedFile>& figure_files();    // plots/*.vl.json
const std::vector<EmbeddedFile>& figure_queries();  // plots/*.sql
const std::vector<EmbeddedFile>& figure_look();     // plots/look.json

}  // namespace qbitopt
