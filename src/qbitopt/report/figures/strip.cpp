// A row of points a category, with its median: columns panel, category, x; and, where it applies,
// missed (1: drawn hollow).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "qbitopt/report/figures/kinds.h"

namespace qbitopt {
namespace {

// More points cannot be told apart; these are evenly spread over the ranks.
constexpr size_t kMostPoints = 300;
constexpr double kRowHeight = 30;

struct Value {
  double x;
  bool is_missed;
};

std::vector<Value> values_of(const FigureInput& input, const std::vector<size_t>& rows) {
  std::vector<Value> values;
  for (const size_t row : rows) {
    const double x = input.number(row, "x");
    if (!std::isnan(x)) values.push_back({x, input.flag(row, "missed")});
  }
  std::sort(values.begin(), values.end(), [](const Value& a, const Value& b) { return a.x < b.x; });
  return values;
}

double median(const std::vector<Value>& values) {
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half].x : (values[half - 1].x + values[half].x) / 2;
}

// Points beside each other in three lanes, so that equal values stay apart.
std::vector<std::vector<double>> block_of(const std::vector<Value>& values, double y, bool missed) {
  std::vector<std::vector<double>> rows;
  const size_t shown = std::min(values.size(), kMostPoints);
  for (size_t i = 0; i < shown; ++i) {
    const Value& value = values[shown == values.size() ? i : i * (values.size() - 1) / (shown - 1)];
    if (value.is_missed != missed) continue;
    const double lane = shown < 3 ? 0 : 0.16 * (static_cast<double>(i % 3) - 1);
    rows.push_back({value.x, y + lane});
  }
  return rows;
}

}  // namespace

Canvas draw_strip(const FigureInput& input) {
  const FigureAxis& axis = input.definition.x;
  const std::vector<PanelRows> panels = input.panels();
  double height = input.with_title ? 34 : 0;
  double names = 0;
  bool has_missed = false;
  for (const PanelRows& panel : panels) {
    const auto categories = grouped(input, panel.rows, "category");
    height += 26 + kRowHeight * static_cast<double>(categories.size()) + 46;
    for (const auto& [name, rows] : categories) names = std::max(names, text_width(name));
    for (const size_t row : panel.rows) has_missed |= input.flag(row, "missed");
  }
  Canvas canvas(kFigureWidth, height + (has_missed ? 18 : 0));
  double top = draw_title(canvas, input);
  std::vector<double> xs;
  for (size_t row = 0; row < input.rows.size(); ++row) xs.push_back(input.number(row, "x"));
  if (input.definition.zero) xs.push_back(0);
  const Scale x = scale_over(xs, axis);
  for (const PanelRows& panel : panels) {
    const auto categories = grouped(input, panel.rows, "category");
    const auto count = static_cast<double>(categories.size());
    const Rectangle plot{kPadding + names + 14, top + 26, canvas.width() - 132,
                         top + 26 + kRowHeight * count};
    canvas.text(kPadding, top + 10, panel.title, {.color = kMuted});
    canvas.text((plot.left + plot.right) / 2, plot.bottom + 32, axis_title(axis),
                {.align = Align::kCenter});
    canvas.text(plot.right + 12, top + 10, "median (n)", {.color = kMuted, .size = 10});
    std::vector<std::string> plots;
    if (input.definition.zero) {
      plots.push_back(fmt::format("{} using 1:2 with lines lw 1.4 lc rgb '{}'",
                                  canvas.data({{0, 0}, {0, count}}), kMuted));
    }
    double y = count - 0.5;
    for (const auto& [name, rows] : categories) {
      const SeriesStyle style = input.styles.of(name);
      const std::vector<Value> values = values_of(input, rows);
      const double line = plot.bottom - kRowHeight * y;
      canvas.text(plot.left - 10, line, name, {.color = style.color, .align = Align::kRight});
      if (values.empty()) continue;
      for (const bool missed : {false, true}) {
        const auto block = block_of(values, y, missed);
        if (block.empty()) continue;
        plots.push_back(fmt::format("{} using 1:2 with points pt {} ps 0.6 lw 1.2 lc rgb '{}'",
                                    canvas.data(block), missed ? 6 : 7, style.color));
      }
      const double middle = median(values);
      const double place = plot.left + x.fraction(middle) * plot.width();
      canvas.line(place, line - 10, place, line + 10, kInk, 2, /*in_front=*/true);
      canvas.text(plot.right + 12, line,
                  fmt::format("{:.3g} {} ({})", middle, axis.unit, values.size()), {.size = 10});
      y -= 1;
    }
    canvas.panel(
        plot, x, {0, count}, plots,
        fmt::format(
            "unset ytics\nset grid xtics noytics linetype 1 linewidth 0.8 linecolor rgb '{}'\n",
            kGrid));
    top = plot.bottom + 46;
  }
  return canvas;
}

}  // namespace qbitopt
