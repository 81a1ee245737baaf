// Draws curves with bands from the columns panel (also the title of its y axis), series, x, y and,
// optionally, deviation (half the height of the band).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "qbitopt/report/figures/kinds.h"

namespace qbitopt {
namespace {

// More points cannot be distinguished.
constexpr size_t kMostPoints = 200;

std::vector<size_t> thinned(const std::vector<size_t>& rows) {
  if (rows.size() <= kMostPoints) return rows;
  std::vector<size_t> few;
  for (size_t i = 0; i < kMostPoints; ++i)
    few.push_back(rows[i * (rows.size() - 1) / (kMostPoints - 1)]);
  return few;
}

// The x axis ends with the curves.
Scale tight_scale(const std::vector<double>& values, const FigureAxis& axis) {
  Scale scale = scale_over(values, axis);
  if (axis.is_logarithmic) return scale;
  const auto [least, largest] = std::minmax_element(values.begin(), values.end());
  if (*least < *largest) {
    scale.low = axis.from.value_or(*least);
    scale.high = axis.to.value_or(*largest);
  }
  return scale;
}

void draw_panel(Canvas& canvas, const FigureInput& input, const PanelRows& panel,
                const Rectangle& where, double labels_width) {
  const Rectangle plot{where.left + kPadding + 42, where.top + 26, where.right - labels_width,
                       where.bottom - 46};
  canvas.text(where.left + kPadding, where.top + 10, panel.title);
  canvas.text((plot.left + plot.right) / 2, where.bottom - 14, axis_title(input.definition.x),
              {.align = Align::kCenter});
  std::vector<double> xs;
  std::vector<double> ys;
  for (const size_t row : panel.rows) {
    xs.push_back(input.number(row, "x"));
    ys.push_back(input.number(row, "y"));
  }
  const Scale x = tight_scale(xs, input.definition.x);
  const Scale y = scale_over(ys, input.definition.y);
  std::vector<std::string> plots;
  std::vector<std::string> curves;
  std::vector<EndLabel> labels;
  for (const auto& [name, rows] : grouped(input, panel.rows, "series")) {
    const std::string color = input.styles.of(name).color;
    std::vector<std::vector<double>> points;
    for (const size_t row : thinned(rows)) {
      points.push_back({input.number(row, "x"), input.number(row, "y"),
                        input.has("deviation") ? input.number(row, "deviation") : std::nan("")});
    }
    const std::string block = canvas.data(points);
    plots.push_back(
        fmt::format("{} using 1:($2-$3):($2+$3) with filledcurves fs transparent solid 0.14 "
                    "noborder lc rgb '{}'",
                    block, color));
    curves.push_back(fmt::format("{} using 1:2 with lines lw 1.8 lc rgb '{}'", block, color));
    labels.push_back({name, plot.left + x.fraction(points.back()[0]) * plot.width(),
                      plot.bottom - y.fraction(points.back()[1]) * plot.height(),
                      input.styles.of(name), false});
  }
  draw_end_labels(canvas, plot, labels);
  plots.insert(plots.end(), curves.begin(), curves.end());
  canvas.panel(plot, x, y, plots);
}

}  // namespace

Canvas draw_lines(const FigureInput& input) {
  constexpr double kFrame = 98;  // above and below the names
  double panel_height = 340;
  const std::vector<PanelRows> panels = input.panels();
  std::vector<std::string> names;
  for (const PanelRows& panel : panels) {
    const auto series = grouped(input, panel.rows, "series");
    for (const auto& [name, rows] : series) names.push_back(name);
    panel_height =
        std::max(panel_height, kFrame + kLabelDistance * static_cast<double>(series.size()));
  }
  const double labels_width = end_label_width(names);
  const double panel_width = std::max(480.0, 280 + labels_width);
  const size_t columns =
      std::min(static_cast<size_t>(input.definition.panels_per_row), panels.size());
  const size_t rows = (panels.size() + columns - 1) / columns;
  Canvas canvas(panel_width * static_cast<double>(columns),
                title_height(input) + panel_height * static_cast<double>(rows));
  draw_title(canvas, input);
  for (size_t p = 0; p < panels.size(); ++p) {
    const double left = panel_width * static_cast<double>(p % columns);
    const double top = title_height(input) + panel_height * static_cast<double>(p / columns);
    draw_panel(canvas, input, panels[p], {left, top, left + panel_width, top + panel_height},
               labels_width);
  }
  return canvas;
}

}  // namespace qbitopt
