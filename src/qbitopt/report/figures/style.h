#pragma once

// Internal to the figures: colors and marks of methods.

#include <string>
#include <vector>

namespace qbitopt {

// How a series looks. The colors are those of Okabe and Ito (2008) and Tol's muted scheme, which
// color-blind readers can distinguish; the marks can be distinguished in print.
struct SeriesStyle {
  std::string color;  // "#d55e00"
  std::string shape;  // Vega's name of it, or an SVG path
};

// Known methods look the same in every figure. `others`, all other methods, get the remaining
// colors in this order. A series is a method, or begins with one and a space: one of its
// configurations.
class SeriesStyles {
 public:
  explicit SeriesStyles(std::vector<std::string> others);
  SeriesStyle of(const std::string& series) const;

 private:
  std::vector<std::string> others_;
};

}  // namespace qbitopt
