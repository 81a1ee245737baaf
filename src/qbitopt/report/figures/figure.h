#pragma once

#include <future>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "qbitopt/report/figures/definition.h"
#include "qbitopt/runlog/reader.h"

namespace qbitopt {

enum class FigureFormat {
  kSvg,
  kPdf,
  kPng,
  kJson,  // the specification with its rows, for editing
  kCsv,   // the rows of its SQL
};
// "svg", "pdf", "png", "json" and "csv": also the ends of the files' names.
const std::vector<std::pair<std::string, FigureFormat>>& figure_formats();
// By its name. Throws InputError.
FigureFormat figure_format(const std::string& name);

// The specification with the common look and the rows of its SQL as the data set "rows"; null if
// there are none. A row also has `row`, its number, and, if it has a `series`, the `color` and
// `shape` of its method. `sweep`: show only its jobs; nullopt: all jobs.
Json figure_spec(const Reader& reader, const FigureDefinition& figure,
                 const std::optional<std::string>& sweep);

// The file of each figure; empty: there is nothing to draw. Throws InputError if one cannot be
// drawn.
std::vector<std::string> draw_figures(const Reader& reader,
                                      const std::vector<FigureDefinition>& figures,
                                      const std::optional<std::string>& sweep, FigureFormat format);

// A figure as an <svg> element for a page: sized by its width, without its title, in the page's
// colors. Every mark has the attribute aria-label, which says what it shows.
struct PageFigure {
  std::string svg;    // empty: there is nothing to draw, or an error
  std::string error;  // why it could not be drawn
  std::string csv;    // the rows of its SQL
};
// Reads their rows now, and draws them in the background.
std::future<std::vector<PageFigure>> figures_for_page(const Reader& reader,
                                                      const std::vector<FigureDefinition>& figures,
                                                      const std::optional<std::string>& sweep);

}  // namespace qbitopt
