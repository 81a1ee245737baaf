// Curves with bands: columns panel (also the title of its y axis), series, x, y; and, where it
// applies, deviation (half the height of the band).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "qbitopt/report/figures/kinds.h"

namespace qbitopt {
namespace {

// More points cannot be told apart.
constexpr size_t kMostPoints = 200;

std::vector<size_t> thinned(const std::vector<size_t>& rows) {
  if (rows.size() <= kMostPoints) return rows;
  std::vector<size_t> few;
  for (size_t i = 0; i < kMostPoints; ++i)
    few.push_back(rows[i * (rows.size() - 1) / (kMostPoints - 1)]);
  return few;
}

}  // namespace

Canvas draw_lines(const FigureInput& input) {
  const std::vector<PanelRows> panels = input.panels();
  std::vector<std::string> names;
  for (const PanelRows& panel : panels) {
    for (const auto& [name, rows] : grouped(input, panel.rows, "series")) names.push_back(name);
  }
  constexpr double kPanelHeight = 340;
  constexpr double kPanelWidth = 480;
  const int columns = std::min(input.definition.panels_per_row, static_cast<int>(panels.size()));
  const auto rows_of_panels = static_cast<double>((panels.size() + columns - 1) / columns);
  Canvas canvas(kPanelWidth * columns, (input.with_title ? 34 : 0) + kPanelHeight * rows_of_panels);
  const double first_top = draw_title(canvas, input);
  for (size_t p = 0; p < panels.size(); ++p) {
    const double left = kPanelWidth * static_cast<double>(p % columns);
    const double top = first_top + kPanelHeight * static_cast<double>(p / columns);
    const Rectangle plot{left + kPadding + 42, top + 26,
                         left + kPanelWidth - end_label_width(names), top + kPanelHeight - 46};
    canvas.text(left + kPadding, top + 10, panels[p].title);
    canvas.text((plot.left + plot.right) / 2, top + kPanelHeight - 14,
                axis_title(input.definition.x), {.align = Align::kCenter});
    std::vector<double> xs;
    std::vector<double> ys;
    for (const size_t row : panels[p].rows) {
      xs.push_back(input.number(row, "x"));
      ys.push_back(input.number(row, "y"));
    }
    Scale x = scale_over(xs, input.definition.x);
    if (!x.is_logarithmic && !input.definition.x.from)
      x.low = *std::min_element(xs.begin(), xs.end());
    if (!x.is_logarithmic && !input.definition.x.to)
      x.high = *std::max_element(xs.begin(), xs.end());
    const Scale y = scale_over(ys, input.definition.y);
    std::vector<std::string> bands;
    std::vector<std::string> curves;
    std::vector<EndLabel> labels;
    for (const auto& [name, rows] : grouped(input, panels[p].rows, "series")) {
      const SeriesStyle style = input.styles.of(name);
      std::vector<std::vector<double>> points;
      for (const size_t row : thinned(rows)) {
        points.push_back({input.number(row, "x"), input.number(row, "y"),
                          input.has("deviation") ? input.number(row, "deviation") : std::nan("")});
      }
      const std::string block = canvas.data(points);
      bands.push_back(
          fmt::format("{} using 1:($2-$3):($2+$3) with filledcurves fs transparent solid 0.14 "
                      "noborder lc rgb '{}'",
                      block, style.color));
      curves.push_back(
          fmt::format("{} using 1:2 with lines lw 1.8 lc rgb '{}'", block, style.color));
      const std::vector<double>& end = points.back();
      labels.push_back({name, plot.left + x.fraction(end[0]) * plot.width(),
                        plot.bottom - y.fraction(end[1]) * plot.height(), style, false});
    }
    draw_end_labels(canvas, plot, labels);
    bands.insert(bands.end(), curves.begin(), curves.end());
    canvas.panel(plot, x, y, bands);
  }
  return canvas;
}

}  // namespace qbitopt
