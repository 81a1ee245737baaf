// Draws a grid of colored cells with their numbers from the columns panel, x, y (texts or numbers,
// in order of appearance) and value.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "qbitopt/report/figures/kinds.h"

namespace qbitopt {
namespace {

constexpr double kCellHeight = 17;
constexpr double kSmallestCell = 15;
constexpr double kGap = 0.03;  // of a cell, white on every side

struct Grid {
  std::string title;
  std::vector<std::string> xs;
  std::vector<std::string> ys;
  std::map<std::pair<size_t, size_t>, double> values;  // by x, y
};

size_t place_of(std::vector<std::string>& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return static_cast<size_t>(found - names.begin());
  names.push_back(name);
  return names.size() - 1;
}

Grid grid_of(const FigureInput& input, const PanelRows& panel) {
  Grid grid{.title = panel.title, .xs = {}, .ys = {}, .values = {}};
  for (const size_t row : panel.rows) {
    const size_t x = place_of(grid.xs, input.text(row, "x"));
    const size_t y = place_of(grid.ys, input.text(row, "y"));
    grid.values[{x, y}] = input.number(row, "value");
  }
  return grid;
}

Scale color_scale(const FigureInput& input) {
  std::vector<double> values;
  for (size_t row = 0; row < input.rows.size(); ++row) values.push_back(input.number(row, "value"));
  return scale_over(values, input.definition.value);
}

double widest(const std::vector<std::string>& texts, double size) {
  double width = 0;
  for (const std::string& text : texts) width = std::max(width, text_width(text, size));
  return width;
}

// Colors with their numbers, in the upper right corner.
void draw_key(Canvas& canvas, const FigureInput& input, const Scale& scale, double top) {
  const FigureAxis& axis = input.definition.value;
  const bool is_stepped =
      !axis.is_logarithmic && axis.from && axis.to && *axis.to - *axis.from <= 12;
  const int steps = is_stepped ? static_cast<int>(*axis.to - *axis.from) + 1 : 40;
  const double step = is_stepped ? 18 : 3;
  double x = canvas.width() - kPadding - steps * step - (is_stepped ? 0 : 40);
  const double from = x;
  for (int i = 0; i < steps; ++i, x += step) {
    const double fraction = static_cast<double>(i) / (steps - 1);
    canvas.box({x, top, x + step + (is_stepped ? -1 : 0.3), top + 14}, scale_color(fraction));
    if (is_stepped) {
      canvas.text(x + step / 2, top + 7, fmt::format("{:g}", *axis.from + i),
                  {.color = text_color_on(fraction), .align = Align::kCenter, .size = 9});
    }
  }
  std::string title = axis.title;
  if (!is_stepped) {
    const auto end = [&](double value) {
      return axis.is_logarithmic ? fmt::format("{:.1e}", value) : fmt::format("{:.4g}", value);
    };
    canvas.text(x + 5, top + 7, end(scale.high), {.color = kMuted, .size = 9});
    title = fmt::format("{} [{}]   {}", axis.title, axis.unit, end(scale.low));
  }
  canvas.text(from - 6, top + 7, title, {.color = kMuted, .align = Align::kRight, .size = 10});
}

void draw_column_names(Canvas& canvas, const Grid& grid, const Rectangle& plot, bool is_upright) {
  const double cell = plot.width() / static_cast<double>(grid.xs.size());
  const double needed = is_upright ? 12 : widest(grid.xs, 9) + 8;
  const auto every = static_cast<size_t>(std::ceil(needed / cell));
  for (size_t i = 0; i < grid.xs.size(); i += every) {
    canvas.text(plot.left + cell * (static_cast<double>(i) + 0.5),
                plot.bottom + (is_upright ? 6 : 10), grid.xs[i],
                {.color = kMuted,
                 .align = is_upright ? Align::kRight : Align::kCenter,
                 .size = 9,
                 .is_upright = is_upright});
  }
}

void draw_row_names(Canvas& canvas, const Grid& grid, const Rectangle& plot) {
  for (size_t i = 0; i < grid.ys.size(); ++i) {
    canvas.text(plot.left - 7, plot.top + kCellHeight * (static_cast<double>(i) + 0.5), grid.ys[i],
                {.align = Align::kRight, .size = 9.5});
  }
}

// Height of title and cells of the tallest panel in a row, which begins with panel `first`.
double panel_height(const std::vector<Grid>& grids, size_t first, int columns) {
  size_t rows = 0;
  for (size_t p = first; p < std::min(grids.size(), first + static_cast<size_t>(columns)); ++p)
    rows = std::max(rows, grids[p].ys.size());
  return 24 + kCellHeight * static_cast<double>(rows);
}

void draw_grid(Canvas& canvas, const FigureInput& input, const Grid& grid, const Rectangle& plot,
               const Scale& colors) {
  const auto rows = static_cast<double>(grid.ys.size());
  const bool with_numbers = !input.definition.value.is_logarithmic &&
                            plot.width() / static_cast<double>(grid.xs.size()) >= kSmallestCell;
  std::map<std::string, std::vector<std::vector<double>>> boxes;  // by color
  for (const auto& [place, value] : grid.values) {
    if (!std::isfinite(value)) continue;
    const double fraction = colors.has(value) ? std::clamp(colors.fraction(value), 0.0, 1.0) : 0.0;
    const double x = static_cast<double>(place.first);
    const double y = rows - 1 - static_cast<double>(place.second);
    boxes[scale_color(fraction)].push_back(
        {x + 0.5, y + 0.5, x + kGap, x + 1 - kGap, y + kGap, y + 1 - kGap});
    if (with_numbers) {
      const bool is_whole = std::abs(value - std::round(value)) < 0.05;
      canvas.text(plot.left + (x + 0.5) * plot.width() / static_cast<double>(grid.xs.size()),
                  plot.bottom - (y + 0.5) * plot.height() / rows,
                  is_whole ? fmt::format("{:.0f}", value) : fmt::format("{:.1f}", value),
                  {.color = text_color_on(fraction), .align = Align::kCenter, .size = 8.5});
    }
  }
  std::vector<std::string> plots;
  for (const auto& [color, block] : boxes) {
    plots.push_back(
        fmt::format("{} using 1:2:3:4:5:6 with boxxyerror fs solid noborder lc rgb '{}'",
                    canvas.data(block), color));
  }
  canvas.panel(plot, {0, static_cast<double>(grid.xs.size())}, {0, rows}, plots,
               "unset tics\nunset border\nunset grid\n");
}

}  // namespace

Canvas draw_cells(const FigureInput& input) {
  std::vector<Grid> grids;
  for (const PanelRows& panel : input.panels()) grids.push_back(grid_of(input, panel));
  const Scale colors = color_scale(input);
  const int columns = std::min(input.definition.panels_per_row, static_cast<int>(grids.size()));
  double row_names = 0;
  double column_names = 0;
  bool is_upright = false;
  bool same_rows = true;
  bool same_columns = true;
  for (const Grid& grid : grids) {
    row_names = std::max(row_names, widest(grid.ys, 9.5));
    column_names = std::max(column_names, widest(grid.xs, 9));
    same_rows &= grid.ys == grids.front().ys;
    same_columns &= grid.xs == grids.front().xs;
    for (const std::string& name : grid.xs)
      is_upright |= name.find_first_not_of("0123456789.") != std::string::npos;
  }
  // Panels that share names show them once: those of rows at the left, those of columns at the
  // bottom.
  const bool shared_rows = same_rows && columns > 1;
  const bool shared_columns = same_columns && columns == 1;
  const double width = columns > 1 ? 960 : kFigureWidth;
  const double below = (is_upright ? column_names + 14 : 20) + 22;
  const double head = input.with_title ? 34 : 20;
  const double names = row_names + 14;
  double height = head;
  for (size_t p = 0; p < grids.size(); p += static_cast<size_t>(columns)) {
    height +=
        panel_height(grids, p, columns) + (shared_columns && p + 1 < grids.size() ? 10 : below + 6);
  }
  Canvas canvas(width, height);
  draw_title(canvas, input);
  draw_key(canvas, input, colors, input.with_title ? 12 : 2);
  double top = head;
  for (size_t p = 0; p < grids.size(); ++p) {
    const auto column = static_cast<double>(p % static_cast<size_t>(columns));
    const bool with_rows = !shared_rows || column == 0;
    const bool with_columns = !shared_columns || p + 1 == grids.size();
    const double cells_width =
        (width - 2 * kPadding - names * (shared_rows ? 1 : columns)) / columns;
    const double left = kPadding + names * (shared_rows ? 1 : column + 1) + cells_width * column;
    const Rectangle plot{left, top + 24, left + cells_width - (columns > 1 ? 10 : 0),
                         top + 24 + kCellHeight * static_cast<double>(grids[p].ys.size())};
    canvas.text(with_rows ? left - names : left, top + 10, grids[p].title);
    if (with_columns) {
      draw_column_names(canvas, grids[p], plot, is_upright);
      canvas.text((plot.left + plot.right) / 2, plot.bottom + below - 10,
                  axis_title(input.definition.x), {.align = Align::kCenter});
    }
    if (with_rows) draw_row_names(canvas, grids[p], plot);
    draw_grid(canvas, input, grids[p], plot, colors);
    if (column + 1 == columns || p + 1 == grids.size()) {
      top += panel_height(grids, p - static_cast<size_t>(column), columns) +
             (with_columns ? below + 6 : 10);
    }
  }
  return canvas;
}

}  // namespace qbitopt
