#include "qbitopt/report/figures/canvas.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace qbitopt {

double Scale::fraction(double value) const {
  if (is_logarithmic) return std::log(value / low) / std::log(high / low);
  return (value - low) / (high - low);
}

Scale scale_over(const std::vector<double>& values, const FigureAxis& axis) {
  Scale scale{.low = 1, .high = 2, .is_logarithmic = axis.is_logarithmic};
  bool is_first = true;
  for (const double value : values) {
    if (!scale.has(value) || !std::isfinite(value)) continue;
    scale.low = is_first ? value : std::min(scale.low, value);
    scale.high = is_first ? value : std::max(scale.high, value);
    is_first = false;
  }
  constexpr double kMargin = 0.06;
  if (axis.is_logarithmic) {
    const double factor = std::max(std::pow(scale.high / scale.low, kMargin), 1.2);
    scale.low /= factor;
    scale.high *= factor;
  } else {
    double margin = kMargin * (scale.high - scale.low);
    if (margin == 0) margin = std::max(0.1 * std::abs(scale.high), 1e-3);
    scale.low -= margin;
    scale.high += margin;
  }
  scale.low = axis.from.value_or(scale.low);
  scale.high = axis.to.value_or(scale.high);
  return scale;
}

std::string axis_title(const FigureAxis& axis) {
  return axis.unit.empty() ? axis.title : fmt::format("{} [{}]", axis.title, axis.unit);
}

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += ' ';
    } else {
      out += c == '\'' ? "’" : std::string(1, c);
    }
  }
  return out + "'";
}

double text_width(const std::string& text, double size) {
  const auto letters =
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });  // UTF-8
  return 0.53 * size * static_cast<double>(letters);
}

// 1, 2, 5, 10, ... within a scale; for long scales only powers of ten, and at most about six.
std::string logarithmic_ticks(const Scale& scale) {
  const double decades = std::log10(scale.high / scale.low);
  const bool is_long = decades > 3;
  const int stride = std::max(1, static_cast<int>(std::ceil(decades / 6)));
  std::vector<std::string> ticks;
  for (int power = static_cast<int>(std::floor(std::log10(scale.low)));
       std::pow(10, power) <= scale.high; ++power) {
    if (power % stride != 0) continue;
    for (const int factor : {1, 2, 5}) {
      const double value = factor * std::pow(10, power);
      if (value < scale.low || value > scale.high || (is_long && factor > 1)) continue;
      ticks.push_back(fmt::format("{:.3g}", value));
    }
  }
  return fmt::to_string(fmt::join(ticks, ", "));
}

std::string Canvas::at(double x, double y) const {
  return fmt::format("screen {:.5f}, screen {:.5f}", x / width_, 1 - y / height_);
}

void Canvas::text(double x, double y, const std::string& text, const TextOptions& options) {
  constexpr const char* kAlign[] = {"left", "center", "right"};
  waiting_ += fmt::format("set label {} at {} {} {} front textcolor rgb '{}' font '{},{:g}'\n",
                          quoted(text), at(x, y), kAlign[static_cast<int>(options.align)],
                          options.is_upright ? "rotate by 90" : "norotate", options.color,
                          options.is_bold ? "Helvetica:Bold" : "", options.size);
}

void Canvas::mark(double x, double y, int point_type, const std::string& color) {
  waiting_ += fmt::format("set label '' at {} front point pt {} ps 0.9 lw 1.6 lc rgb '{}'\n",
                          at(x, y), point_type, color);
}

void Canvas::line(double x1, double y1, double x2, double y2, const std::string& color,
                  double width, bool in_front) {
  waiting_ += fmt::format("set arrow from {} to {} nohead {} lw {:g} lc rgb '{}'\n", at(x1, y1),
                          at(x2, y2), in_front ? "front" : "back", width, color);
}

void Canvas::box(const Rectangle& where, const std::string& color) {
  waiting_ += fmt::format(
      "set object rectangle from {} to {} front fillstyle solid noborder fillcolor rgb '{}'\n",
      at(where.left, where.bottom), at(where.right, where.top), color);
}

std::string Canvas::data(const std::vector<std::vector<double>>& rows) {
  const std::string name = fmt::format("$block{}", ++blocks_);
  script_ += name + " << END\n";
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      script_ += (i ? " " : "") + (std::isnan(row[i]) ? "NaN" : fmt::format("{:.7g}", row[i]));
    }
    script_ += "\n";
  }
  script_ += "END\n";
  return name;
}

void Canvas::panel(const Rectangle& where, const Scale& x, const Scale& y,
                   const std::vector<std::string>& plots, const std::string& settings) {
  script_ += "reset\n" + waiting_;
  waiting_.clear();
  script_ += fmt::format(
      "set lmargin at screen {:.5f}\nset rmargin at screen {:.5f}\n"
      "set tmargin at screen {:.5f}\nset bmargin at screen {:.5f}\n",
      where.left / width_, where.right / width_, 1 - where.top / height_,
      1 - where.bottom / height_);
  if (x.is_logarithmic) script_ += "set logscale x\n";
  if (y.is_logarithmic) script_ += "set logscale y\n";
  script_ += fmt::format(
      "set xrange [{:.7g}:{:.7g}] noextend\nset yrange [{:.7g}:{:.7g}] noextend\n"
      "set border 1 linewidth 1 linecolor rgb '{}'\nset key off\n"
      "set tics nomirror out scale 0.5, 0.25 textcolor rgb '{}' font ',10'\nset ytics scale 0, 0\n"
      "set grid noxtics ytics linetype 1 linewidth 0.8 linecolor rgb '{}'\n"
      "set format '%g'\n",
      x.low, x.high, y.low, y.high, kMuted, kMuted, kGrid);
  if (x.is_logarithmic) script_ += "set xtics (" + logarithmic_ticks(x) + ")\n";
  if (y.is_logarithmic) script_ += "set ytics (" + logarithmic_ticks(y) + ")\n";
  script_ += settings + "plot ";
  for (size_t i = 0; i < plots.size(); ++i) script_ += (i ? ", \\\n  " : "") + plots[i];
  script_ += "\n";
}

std::vector<double> spread(const std::vector<double>& wanted, double gap, double low, double high) {
  std::vector<size_t> order(wanted.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return wanted[a] < wanted[b]; });
  // Neighbors that are too near become one group around their common middle, until none are.
  struct Group {
    double middle;
    size_t count;
    double begin(double gap) const { return middle - gap * double(count - 1) / 2; }
    double end(double gap) const { return middle + gap * double(count - 1) / 2; }
  };
  const auto within = [&](Group group) {
    const double half = gap * double(group.count - 1) / 2;
    group.middle = std::max(std::min(group.middle, high - half), low + half);
    return group;
  };
  std::vector<Group> groups;
  for (const size_t i : order) {
    groups.push_back(within({wanted[i], 1}));
    while (groups.size() > 1) {
      const Group last = groups.back();
      const Group before = groups[groups.size() - 2];
      if (last.begin(gap) - before.end(gap) >= gap) break;
      groups.pop_back();
      const size_t count = before.count + last.count;
      groups.back() =
          within({(before.middle * double(before.count) + last.middle * double(last.count)) /
                      double(count),
                  count});
    }
  }
  std::vector<double> placed(wanted.size());
  size_t next = 0;
  for (const Group& group : groups) {
    for (size_t k = 0; k < group.count; ++k)
      placed[order[next++]] = group.begin(gap) + gap * double(k);
  }
  return placed;
}

}  // namespace qbitopt
