#include "qbitopt/report/figures/figure.h"

#include <fmt/format.h>

#include <fstream>
#include <map>

#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"
#include "qbitopt/report/figures/gnuplot.h"
#include "qbitopt/report/figures/kinds.h"
#include "qbitopt/report/figures/svg.h"
#include "qbitopt/report/rows_format.h"

namespace qbitopt {
namespace {

// Every method of the database, so that a series looks the same in all its figures.
SeriesStyles styles_of(const Reader& reader) {
  std::vector<std::string> methods;
  for (const auto& row : reader.query("SELECT DISTINCT method FROM runs ORDER BY method").rows) {
    if (row.front().is_string()) methods.push_back(row.front());
  }
  return SeriesStyles(methods);
}

Canvas draw(const FigureInput& input) {
  const std::string& kind = input.definition.kind;
  if (kind == "lines") return draw_lines(input);
  if (kind == "cells") return draw_cells(input);
  if (kind == "strip") return draw_strip(input);
  return draw_points(input);
}

// A pixel is 1/96 inch, and a point 1/72.
std::string terminal(FigureFormat format, double width, double height) {
  if (format == FigureFormat::kPdf) {
    return fmt::format(
        "set terminal pdfcairo noenhanced size {:.3f}in,{:.3f}in font 'Helvetica,11' fontscale 0.75"
        " linewidth 0.8 pointscale 0.6\n",
        width / 96, height / 96);
  }
  if (format == FigureFormat::kPng) {
    return fmt::format(
        "set terminal pngcairo noenhanced size {:.0f},{:.0f} font 'Helvetica,11' fontscale 1.5"
        " linewidth 2 pointscale 2\n",
        2 * width, 2 * height);
  }
  return fmt::format(
      "set terminal svg noenhanced size {:.0f},{:.0f} font 'Helvetica,11' background"
      " 'white'\n",
      width, height);
}

Rows rows_of(const Reader& reader, const FigureDefinition& figure,
             const std::optional<std::string>& sweep) {
  std::vector<Json> arguments;
  if (figure.sql.find(":sweep") != std::string::npos)
    arguments.push_back(sweep ? Json(*sweep) : Json());
  return reader.query(figure.sql, arguments);
}

std::string script_of(const Reader& reader, const FigureDefinition& figure, const Rows& rows,
                      FigureFormat format, bool with_title) {
  if (rows.empty()) return "";
  const SeriesStyles styles = styles_of(reader);
  const Canvas canvas = draw({figure, rows, styles, with_title});
  return terminal(format, canvas.width(), canvas.height()) + "set encoding utf8\nset multiplot\n" +
         canvas.script() + "unset multiplot\n";
}

}  // namespace

FigureFormat figure_format(const std::string& name) {
  static const std::map<std::string, FigureFormat> known = {{"svg", FigureFormat::kSvg},
                                                            {"pdf", FigureFormat::kPdf},
                                                            {"png", FigureFormat::kPng},
                                                            {"gp", FigureFormat::kGnuplot},
                                                            {"csv", FigureFormat::kCsv}};
  const auto found = known.find(name);
  if (found == known.end())
    throw InputError(unknown_name("format", name, {"svg", "pdf", "png", "gp", "csv"}));
  return found->second;
}

std::string figure_script(const Reader& reader, const FigureDefinition& figure,
                          const std::optional<std::string>& sweep, FigureFormat format,
                          bool with_title) {
  return script_of(reader, figure, rows_of(reader, figure, sweep), format, with_title);
}

bool draw_figure(const Reader& reader, const FigureDefinition& figure,
                 const std::optional<std::string>& sweep, FigureFormat format,
                 const std::filesystem::path& output) {
  const Rows rows = rows_of(reader, figure, sweep);
  if (rows.empty()) return false;
  if (output.has_parent_path()) std::filesystem::create_directories(output.parent_path());
  if (format == FigureFormat::kCsv) {
    write_file_atomically(output, write_rows(rows, RowsFormat::kCsv));
    return true;
  }
  const std::string script = script_of(reader, figure, rows, format, /*with_title=*/true);
  write_file_atomically(output, format == FigureFormat::kGnuplot ? script : gnuplot_output(script));
  return true;
}

PageFigure figure_for_page(const Reader& reader, const FigureDefinition& figure,
                           const std::optional<std::string>& sweep) {
  const Rows rows = rows_of(reader, figure, sweep);
  const std::string script =
      script_of(reader, figure, rows, FigureFormat::kSvg, /*with_title=*/false);
  if (script.empty()) return {};
  return {themed_svg(gnuplot_output(script), figure.name, figure.title),
          write_rows(rows, RowsFormat::kCsv)};
}

}  // namespace qbitopt
