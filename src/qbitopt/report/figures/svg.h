#pragma once

// Internal to the figures: gnuplot's SVG as a part of a page.

#include <string>

namespace qbitopt {

// An <svg> element that takes its size and its colors (--ink, --muted, --line, --paper) from the
// page; its ids begin with `name`, and `title` is what a screen reader says.
std::string themed_svg(const std::string& gnuplot_svg, const std::string& name,
                       const std::string& title);

}  // namespace qbitopt
