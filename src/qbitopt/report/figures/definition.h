#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qbitopt {

struct FigureAxis {
  std::string title;
  std::string unit;  // empty: none
  bool is_logarithmic = false;
  // Ends of the scale; nullopt: from the values.
  std::optional<double> from;
  std::optional<double> to;
};

// The definition of a figure: plots/<name>.yaml and the SQL file beside it. The columns that the
// SQL must give depend on the kind; plots/README.md lists them.
struct FigureDefinition {
  std::string name;  // "accuracy_over_bits"
  std::string title;
  std::string caption;  // explains the figure; may be empty
  std::string kind;     // "points", "lines", "cells" or "strip"
  FigureAxis x;
  FigureAxis y;
  FigureAxis value;       // of the color, in "cells"
  bool connect = false;   // points: a line through each series
  bool diagonal = false;  // points: the line y = x
  bool zero = false;      // strip: a line at 0
  int panels_per_row = 1;
  std::string sql;  // with the parameter :sweep: the name of a sweep, or NULL for all sweeps
};

// Names of the definitions in plots/ of the current folder, or the built-in ones if there are none.
std::vector<std::string> figure_names();

// Reads a definition by name, or by the path of its .yaml file. Throws InputError for an unknown
// name (with the known ones and the nearest) and for a mistake in the file ("file:line:column:
// ...").
FigureDefinition read_figure(const std::string& name_or_path);

// A text file compiled into the program; see cmake/embed_files.cmake.
struct EmbeddedFile {
  std::string_view name;
  std::string_view text;
};
const std::vector<EmbeddedFile>& figure_files();    // plots/*.yaml
const std::vector<EmbeddedFile>& figure_queries();  // plots/*.sql

}  // namespace qbitopt
