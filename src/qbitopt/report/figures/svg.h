#pragma once

// Internal to the figures: adapts gnuplot's SVG to a page.

#include <string>

namespace qbitopt {

// An <svg> element that takes its size and its colors (--ink, --muted, --line, --paper) from the
// page; its ids begin with `name`, and screen readers read `title`.
std::string themed_svg(const std::string& gnuplot_svg, const std::string& name,
                       const std::string& title);

}  // namespace qbitopt
