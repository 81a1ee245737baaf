// Draws points with error bars from the columns panel, series, x, y and, optionally, deviation,
// missed (1: drawn hollow), reference (1: a horizontal line), front (1: connected by the gray
// line).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "qbitopt/report/figures/kinds.h"

namespace qbitopt {
namespace {

struct Point {
  double x;
  double y;
  double deviation;
  bool is_missed;
  bool is_front;
};

struct Series {
  std::string name;
  std::vector<Point> points;      // by x
  std::vector<Point> references;  // x is not used
};

struct Panel {
  std::string title;
  std::vector<Series> series;
  Scale x;
  Scale y;
};

Panel panel_of(const FigureInput& input, const PanelRows& rows) {
  Panel panel{.title = rows.title, .series = {}, .x = {}, .y = {}};
  std::vector<double> xs;
  std::vector<double> ys;
  for (const auto& [name, members] : grouped(input, rows.rows, "series")) {
    Series series{.name = name, .points = {}, .references = {}};
    for (const size_t row : members) {
      Point point{input.number(row, "x"), input.number(row, "y"),
                  input.has("deviation") ? input.number(row, "deviation") : std::nan(""),
                  input.flag(row, "missed"), input.flag(row, "front")};
      const bool is_reference = input.flag(row, "reference");
      if (!is_reference) xs.push_back(point.x);
      const double bar = std::isnan(point.deviation) ? 0 : point.deviation;
      ys.insert(ys.end(), {point.y - bar, point.y + bar});
      (is_reference ? series.references : series.points).push_back(point);
    }
    std::sort(series.points.begin(), series.points.end(),
              [](const Point& a, const Point& b) { return a.x < b.x; });
    panel.series.push_back(std::move(series));
  }
  panel.x = scale_over(xs, input.definition.x);
  panel.y = scale_over(ys, input.definition.y);
  return panel;
}

std::vector<std::vector<double>> block_of(const std::vector<Point>& points, bool missed) {
  std::vector<std::vector<double>> rows;
  for (const Point& point : points) {
    if (point.is_missed == missed) rows.push_back({point.x, point.y, point.deviation});
  }
  return rows;
}

void add_front(Canvas& canvas, const Panel& panel, std::vector<std::string>& plots) {
  std::vector<std::vector<double>> front;
  for (const Series& series : panel.series) {
    for (const Point& point : series.points) {
      if (point.is_front) front.push_back({point.x, point.y});
    }
  }
  if (front.size() < 2) return;
  std::sort(front.begin(), front.end());
  plots.push_back(
      fmt::format("{} using 1:2 with lines lw 7 lc rgb '{}'", canvas.data(front), kGrid));
}

void add_series(Canvas& canvas, const Series& series, const SeriesStyle& style, bool connect,
                std::vector<std::string>& plots) {
  const auto good = block_of(series.points, false);
  const auto missed = block_of(series.points, true);
  if (!good.empty()) {
    const std::string block = canvas.data(good);
    if (connect) {
      plots.push_back(
          fmt::format("{} using 1:2 with lines lw 1.2 lc rgb '{}'", block, style.color));
    }
    std::vector<std::vector<double>> bars;
    std::copy_if(good.begin(), good.end(), std::back_inserter(bars),
                 [](const auto& row) { return !std::isnan(row[2]); });
    if (!bars.empty()) {
      plots.push_back(fmt::format("{} using 1:2:3 with yerrorbars pt {} ps 0 lw 1.2 lc rgb '{}'",
                                  canvas.data(bars), style.filled_mark, style.color));
    }
    plots.push_back(fmt::format("{} using 1:2 with points pt {} ps 0.9 lc rgb '{}'", block,
                                style.filled_mark, style.color));
  }
  if (!missed.empty()) {
    plots.push_back(fmt::format("{} using 1:2 with points pt {} ps 0.9 lw 1.4 lc rgb '{}'",
                                canvas.data(missed), style.hollow_mark, style.color));
  }
}

void add_reference(Canvas& canvas, const Series& series, const SeriesStyle& style, const Scale& x,
                   std::vector<std::string>& plots) {
  for (const Point& point : series.references) {
    const std::string block = canvas.data({{x.low, point.y}, {x.high, point.y}});
    plots.push_back(
        fmt::format("{} using 1:2 with lines lw 1.2 dt (6,4) lc rgb '{}'", block, style.color));
  }
}

std::vector<EndLabel> labels_of(const Panel& panel, const Rectangle& plot,
                                const SeriesStyles& styles) {
  const auto y_of = [&](double value) {
    return plot.bottom - panel.y.fraction(value) * plot.height();
  };
  std::vector<EndLabel> labels;
  for (const Series& series : panel.series) {
    const SeriesStyle style = styles.of(series.name);
    for (const Point& point : series.references) {
      labels.push_back({fmt::format("{} {:.4g}", series.name, point.y), plot.right - 5,
                        y_of(point.y), style, false});
    }
    const Point* last = nullptr;
    for (const Point& point : series.points) {
      if (panel.x.has(point.x) && panel.y.has(point.y)) last = &point;
    }
    if (last != nullptr) {
      labels.push_back({series.name, plot.left + panel.x.fraction(last->x) * plot.width(),
                        y_of(last->y), style, true});
    }
  }
  return labels;
}

// Explains the marks that occur in the figure.
std::string notes(const FigureInput& input, const std::vector<Panel>& panels) {
  bool has_missed = false;
  bool has_front = false;
  size_t hidden = 0;
  for (const Panel& panel : panels) {
    for (const Series& series : panel.series) {
      for (const Point& point : series.points) {
        has_missed |= point.is_missed;
        has_front |= point.is_front;
        hidden += !panel.x.has(point.x) || !panel.y.has(point.y);
      }
    }
  }
  std::string text;
  const auto add = [&](const std::string& note) { text += (text.empty() ? "" : "   ·   ") + note; };
  if (has_front) add("gray line: Pareto front");
  if (has_missed) add("hollow: above the budget (missed), not in means");
  if (input.definition.diagonal) add("dashed: predicted = measured");
  if (hidden > 0) add(fmt::format("{} points at or below 0 are not shown", hidden));
  return text;
}

void add_diagonal(Canvas& canvas, const Panel& panel, std::vector<std::string>& plots) {
  const double low = std::max(panel.x.low, panel.y.low);
  const double high = std::min(panel.x.high, panel.y.high);
  if (low >= high) return;
  plots.push_back(fmt::format("{} using 1:2 with lines lw 1.2 dt (6,4) lc rgb '{}'",
                              canvas.data({{low, low}, {high, high}}), kMuted));
}

void draw_panel(Canvas& canvas, const FigureInput& input, const Panel& panel,
                const Rectangle& where, double labels_width) {
  const Rectangle plot{where.left + kPadding + 42, where.top + 44, where.right - labels_width,
                       where.bottom - 46};
  canvas.text(where.left + kPadding, where.top + 10, panel.title, {.color = kMuted});
  canvas.text(where.left + kPadding, where.top + 28, axis_title(input.definition.y));
  canvas.text((plot.left + plot.right) / 2, where.bottom - 14, axis_title(input.definition.x),
              {.align = Align::kCenter});
  draw_end_labels(canvas, plot, labels_of(panel, plot, input.styles));
  std::vector<std::string> plots;
  add_front(canvas, panel, plots);
  if (input.definition.diagonal) add_diagonal(canvas, panel, plots);
  for (const Series& series : panel.series) {
    const SeriesStyle style = input.styles.of(series.name);
    add_reference(canvas, series, style, panel.x, plots);
    add_series(canvas, series, style, input.definition.connect, plots);
  }
  canvas.panel(plot, panel.x, panel.y, plots);
}

}  // namespace

Canvas draw_points(const FigureInput& input) {
  constexpr double kFrame = 98;  // above and below the names
  double panel_height = 400;
  std::vector<Panel> panels;
  std::vector<std::string> names;
  for (const PanelRows& rows : input.panels()) {
    panels.push_back(panel_of(input, rows));
    const auto labels = static_cast<double>(panels.back().series.size());
    panel_height = std::max(panel_height, kFrame + kLabelDistance * labels);
    for (const Series& series : panels.back().series)
      names.push_back(series.name + (series.references.empty() ? "" : " 88.88"));
  }
  const std::string note = notes(input, panels);
  const double labels_width = end_label_width(names);
  Canvas canvas(std::max(kFigureWidth, 400 + labels_width),
                title_height(input) + (note.empty() ? 0 : kNoteHeight) +
                    panel_height * static_cast<double>(panels.size()));
  draw_title(canvas, input);
  draw_note(canvas, note);
  double top = title_height(input);
  for (const Panel& panel : panels) {
    draw_panel(canvas, input, panel, {0, top, canvas.width(), top + panel_height}, labels_width);
    top += panel_height;
  }
  return canvas;
}

}  // namespace qbitopt
