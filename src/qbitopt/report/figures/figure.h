#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "qbitopt/report/figures/definition.h"
#include "qbitopt/runlog/reader.h"

namespace qbitopt {

enum class FigureFormat {
  kSvg,
  kPdf,
  kPng,
  kGnuplot,  // the script with its data, for editing
  kCsv,      // the rows of its SQL
};
// "svg", "pdf", "png", "gp" or "csv", also as the end of a file's name. Throws InputError.
FigureFormat figure_format(const std::string& name);

// The gnuplot script of a figure, data included; empty if there is nothing to draw. `sweep`: show
// only its jobs; nullopt: all jobs. Throws InputError if the SQL lacks a column that the kind of
// figure needs.
std::string figure_script(const Reader& reader, const FigureDefinition& figure,
                          const std::optional<std::string>& sweep, FigureFormat format,
                          bool with_title = true);

// Draws into a file. Returns false, and writes nothing, if there is nothing to draw.
bool draw_figure(const Reader& reader, const FigureDefinition& figure,
                 const std::optional<std::string>& sweep, FigureFormat format,
                 const std::filesystem::path& output);

// The figure as an <svg> element for a page: sized by its width, in the colors of the page (CSS
// variables --ink, --muted, --line), with title and description for a screen reader, and ids that
// begin with the figure's name. Empty if there is nothing to draw.
struct PageFigure {
  std::string svg;
  std::string csv;  // the rows of its SQL
};
PageFigure figure_for_page(const Reader& reader, const FigureDefinition& figure,
                           const std::optional<std::string>& sweep);

}  // namespace qbitopt
