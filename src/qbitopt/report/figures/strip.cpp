// Draws a row of points for each category, with its median, from the columns panel, category, x
// and, optionally, missed (1: drawn hollow).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "qbitopt/report/figures/kinds.h"

namespace qbitopt {
namespace {

// More points cannot be distinguished; the shown ones are spread evenly over the ranks.
constexpr size_t kMostDots = 300;
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

// Points are drawn in three lanes, so that equal values do not cover each other.
std::vector<std::vector<double>> block_of(const std::vector<Value>& values, double y, bool missed) {
  std::vector<std::vector<double>> rows;
  const size_t shown = std::min(values.size(), kMostDots);
  for (size_t i = 0; i < shown; ++i) {
    const Value& value = values[shown == values.size() ? i : i * (values.size() - 1) / (shown - 1)];
    if (value.is_missed != missed) continue;
    const double lane = shown < 3 ? 0 : 0.16 * (static_cast<double>(i % 3) - 1);
    rows.push_back({value.x, y + lane});
  }
  return rows;
}

constexpr double kAbove = 26;  // the panel's title
constexpr double kBelow = 46;  // numbers and title of the axis

using Categories = std::vector<std::pair<std::string, std::vector<size_t>>>;

void draw_category(Canvas& canvas, const FigureInput& input, const std::string& name,
                   const std::vector<Value>& values, const Rectangle& plot, const Scale& x,
                   double y, std::vector<std::string>& plots) {
  const SeriesStyle style = input.styles.of(name);
  const double line = plot.bottom - kRowHeight * y;
  canvas.text(plot.left - 10, line, name, {.color = style.color, .align = Align::kRight});
  if (values.empty()) return;
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
              fmt::format("{:.3g} {} ({})", middle, input.definition.x.unit, values.size()),
              {.size = 10});
}

void draw_panel(Canvas& canvas, const FigureInput& input, const std::string& title,
                const Categories& categories, const Rectangle& plot, const Scale& x) {
  const auto count = static_cast<double>(categories.size());
  canvas.text(kPadding, plot.top - 16, title, {.color = kMuted});
  canvas.text((plot.left + plot.right) / 2, plot.bottom + 32, axis_title(input.definition.x),
              {.align = Align::kCenter});
  canvas.text(plot.right + 12, plot.top - 16, "median (n)", {.color = kMuted, .size = 10});
  std::vector<std::string> plots;
  if (input.definition.zero) {
    plots.push_back(fmt::format("{} using 1:2 with lines lw 1.4 lc rgb '{}'",
                                canvas.data({{0, 0}, {0, count}}), kMuted));
  }
  double y = count - 0.5;
  for (const auto& [name, rows] : categories) {
    draw_category(canvas, input, name, values_of(input, rows), plot, x, y, plots);
    y -= 1;
  }
  if (plots.empty()) return;
  canvas.panel(plot, x, {0, count}, plots,
               fmt::format("unset ytics\nset grid xtics noytics linetype 1 linewidth 0.8 "
                           "linecolor rgb '{}'\n",
                           kGrid));
}

}  // namespace

Canvas draw_strip(const FigureInput& input) {
  const std::vector<PanelRows> panels = input.panels();
  double height = title_height(input);
  double names = 0;
  std::vector<double> xs;
  std::string note;
  for (const PanelRows& panel : panels) {
    const Categories categories = grouped(input, panel.rows, "category");
    height += kAbove + kRowHeight * static_cast<double>(categories.size()) + kBelow;
    for (const auto& [name, rows] : categories) names = std::max(names, text_width(name));
    for (const size_t row : panel.rows) {
      xs.push_back(input.number(row, "x"));
      if (input.flag(row, "missed")) note = "hollow: above the budget (missed)";
    }
  }
  if (input.definition.zero) xs.push_back(0);
  const Scale x = scale_over(xs, input.definition.x);
  Canvas canvas(kFigureWidth, height + (note.empty() ? 0 : kNoteHeight));
  draw_title(canvas, input);
  draw_note(canvas, note);
  double top = title_height(input) + kAbove;
  for (const PanelRows& panel : panels) {
    const Categories categories = grouped(input, panel.rows, "category");
    const Rectangle plot{kPadding + names + 14, top, canvas.width() - 132,
                         top + kRowHeight * static_cast<double>(categories.size())};
    draw_panel(canvas, input, panel.title, categories, plot, x);
    top = plot.bottom + kBelow + kAbove;
  }
  return canvas;
}

}  // namespace qbitopt
