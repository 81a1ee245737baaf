#pragma once

// Internal to the figures: a gnuplot script in the making, in pixels from the top left corner.

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
  // Can this value be drawn? Logarithms need it above zero.
  bool has(double value) const { return !is_logarithmic || value > 0; }
};
// Over all values that can be drawn and a margin, or as the axis says.
Scale scale_over(const std::vector<double>& values, const FigureAxis& axis);

// "Top-1 accuracy [%]".
std::string axis_title(const FigureAxis& axis);

// Text as a gnuplot string that means nothing else: control characters become spaces, and an
// apostrophe the typographic one, because gnuplot has no sure way to write it.
std::string quoted(const std::string& text);

// How wide text will be, roughly: fonts differ.
double text_width(const std::string& text, double size = 11);

// "0.5, 1, 2, 5": where a logarithmic axis has its numbers.
std::string logarithmic_ticks(const Scale& scale);

enum class Align { kLeft, kCenter, kRight };

struct TextOptions {
  std::string color = kInk;
  Align align = Align::kLeft;
  double size = 11;
  bool is_bold = false;
  bool is_upright = false;  // turned by 90 degrees
};

class Canvas {
 public:
  Canvas(double width, double height) : width_(width), height_(height) {}

  double width() const { return width_; }
  double height() const { return height_; }
  // Without the terminal: see figure.h.
  const std::string& script() const { return script_; }

  // These wait for the next panel, and are drawn with it.
  void text(double x, double y, const std::string& text, const TextOptions& options = {});
  void mark(double x, double y, int point_type, const std::string& color);
  void line(double x1, double y1, double x2, double y2, const std::string& color, double width = 1,
            bool in_front = false);
  void box(const Rectangle& where, const std::string& color);

  // A named block of numbers; rows of equal length. NaN leaves a gap.
  std::string data(const std::vector<std::vector<double>>& rows);

  // Draws `plots` (gnuplot's "$data using ... with ...") in a rectangle with these scales, beneath
  // what was waiting. `settings`: more lines of gnuplot, for this panel only.
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
