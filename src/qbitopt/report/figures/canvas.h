#pragma once

// Internal to the figures: builds a gnuplot script, with coordinates in pixels from the top left
// corner.

#include <string>
#include <vector>

#include "qbitopt/report/figures/definition.h"
#include "qbitopt/report/figures/style.h"

namespace qbitopt {

struct Rectangle {
  double left = 0;
  double top = 0;
  double right = 0;
  double bottom = 0;
  double width() const { return right - left; }
  double height() const { return bottom - top; }
};

// Values from `low` to `high` along an axis.
struct Scale {
  double low = 0;
  double high = 1;
  bool is_logarithmic = false;

  double fraction(double value) const;
  // Whether this value can be drawn; on a logarithmic axis it must be above zero.
  bool has(double value) const { return !is_logarithmic || value > 0; }
};
// Covers all values that can be drawn, with a margin, unless the axis sets its ends.
Scale scale_over(const std::vector<double>& values, const FigureAxis& axis);

// "Top-1 accuracy [%]".
std::string axis_title(const FigureAxis& axis);

// Text as a quoted gnuplot string. Control characters become spaces, and apostrophes typographic
// ones, because gnuplot cannot escape them reliably.
std::string quoted(const std::string& text);

// Approximate width of a text; fonts differ.
double text_width(const std::string& text, double size = 11);

// "0.5, 1, 2, 5": the ticks of a logarithmic axis.
std::string logarithmic_ticks(const Scale& scale);

enum class Align { kLeft, kCenter, kRight };

struct TextOptions {
  std::string color = kInk;
  Align align = Align::kLeft;
  double size = 11;
  bool is_bold = false;
  bool is_upright = false;  // rotated by 90 degrees
};

class Canvas {
 public:
  Canvas(double width, double height) : width_(width), height_(height) {}

  double width() const { return width_; }
  double height() const { return height_; }
  // The script without its terminal: see figure.h.
  const std::string& script() const { return script_; }

  // These are drawn together with the next panel.
  void text(double x, double y, const std::string& text, const TextOptions& options = {});
  void mark(double x, double y, int point_type, const std::string& color);
  void line(double x1, double y1, double x2, double y2, const std::string& color, double width = 1,
            bool in_front = false);
  void box(const Rectangle& where, const std::string& color);

  // A named block of numbers; rows of equal length. NaN leaves a gap.
  std::string data(const std::vector<std::vector<double>>& rows);

  // Draws `plots` (gnuplot's "$data using ... with ...") in a rectangle with these scales, below
  // the items drawn so far. `settings`: more lines of gnuplot, for this panel only.
  void panel(const Rectangle& where, const Scale& x, const Scale& y,
             const std::vector<std::string>& plots, const std::string& settings = "");

 private:
  std::string at(double x, double y) const;

  double width_;
  double height_;
  std::string script_;
  std::string waiting_;
  int blocks_ = 0;
};

// Heights for labels, as near to `wanted` as `gap` between neighbors allows, within [low, high] if
// they fit.
std::vector<double> spread(const std::vector<double>& wanted, double gap, double low, double high);

}  // namespace qbitopt
