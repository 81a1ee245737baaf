#pragma once

// Internal to the figures: draws the rows of a query. One file for each kind of figure.

#include <string>
#include <vector>

#include "qbitopt/report/figures/canvas.h"
#include "qbitopt/report/figures/definition.h"
#include "qbitopt/report/figures/style.h"
#include "qbitopt/runlog/reader.h"

namespace qbitopt {

// The rows of one panel, in their order.
struct PanelRows {
  std::string title;
  std::vector<size_t> rows;
};

struct FigureInput {
  const FigureDefinition& definition;
  const Rows& rows;
  const SeriesStyles& styles;
  bool with_title = true;

  // Throws InputError that names the figure if the SQL has no such column.
  std::string text(size_t row, const std::string& column) const;
  double number(size_t row, const std::string& column) const;  // NaN if it is NULL
  // False if it is 0 or NULL, or if there is no such column.
  bool flag(size_t row, const std::string& column) const;
  bool has(const std::string& column) const;
  // The rows grouped by the column `panel`, in order of appearance.
  std::vector<PanelRows> panels() const;
};

// Groups rows by the text of a column, in order of appearance.
std::vector<std::pair<std::string, std::vector<size_t>>> grouped(const FigureInput& input,
                                                                 const std::vector<size_t>& rows,
                                                                 const std::string& column);

// Space at the top for the title, if it is drawn.
double title_height(const FigureInput& input);
void draw_title(Canvas& canvas, const FigureInput& input);
// A line of text at the bottom, kNoteHeight high.
void draw_note(Canvas& canvas, const std::string& note);

// Distance of names at the right of a panel.
constexpr double kLabelDistance = 15;

// Names at the right of a panel, each near the height of its series, with a mark and a leader line.
struct EndLabel {
  std::string text;
  double x;  // where the leader begins
  double y;
  SeriesStyle style;
  bool has_mark = true;
};
void draw_end_labels(Canvas& canvas, const Rectangle& plot, const std::vector<EndLabel>& labels);
double end_label_width(const std::vector<std::string>& texts);

Canvas draw_points(const FigureInput& input);
Canvas draw_lines(const FigureInput& input);
Canvas draw_cells(const FigureInput& input);
Canvas draw_strip(const FigureInput& input);

constexpr double kFigureWidth = 760;
constexpr double kPadding = 14;
constexpr double kNoteHeight = 20;

}  // namespace qbitopt
