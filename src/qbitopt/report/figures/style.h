#pragma once

// Internal to the figures: colors and marks.

#include <string>
#include <vector>

namespace qbitopt {

// Colors of the frame and texts. The page replaces them by the colors of its theme.
constexpr const char* kInk = "#1f2328";
constexpr const char* kMuted = "#656d76";
constexpr const char* kGrid = "#d8dee4";
constexpr const char* kFront = "#afb8c1";

// How a series looks. The colors are those of Okabe and Ito (2008) and Tol's muted scheme, which
// color-blind readers can distinguish; the marks can be distinguished in print.
struct SeriesStyle {
  std::string color;  // "#d55e00"
  int filled_mark;    // gnuplot's point type
  int hollow_mark;
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

// A color of the scale from light (0) to dark (1), which can be distinguished in grayscale:
// ColorBrewer's YlGnBu.
std::string scale_color(double fraction);
// Black or white, whichever is legible on that color.
std::string text_color_on(double fraction);

}  // namespace qbitopt
