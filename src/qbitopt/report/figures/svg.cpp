#include "qbitopt/report/figures/svg.h"

#include <fmt/format.h>

#include <regex>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "qbitopt/report/figures/style.h"
#include "qbitopt/report/page/html.h"

namespace qbitopt {
namespace {

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  std::string out;
  size_t begin = 0;
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, begin)) {
    out.append(text, begin, at - begin).append(to);
    begin = at + from.size();
  }
  text = out.append(text, begin);
}

// Gnuplot writes "rgb(101, 109, 118)" for strokes and "rgb(101,109,118)" for fills.
void replace_color(std::string& text, const std::string& color, const std::string& by) {
  const auto part = [&](size_t place) { return std::stoi(color.substr(place, 2), nullptr, 16); };
  const auto [red, green, blue] = std::tuple(part(1), part(3), part(5));
  replace_all(text, fmt::format("rgb({:3}, {:3}, {:3})", red, green, blue), by);
  replace_all(text, fmt::format("rgb({},{},{})", red, green, blue), by);
}

std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const size_t from = text.find(begin);
  if (from == std::string::npos) throw std::runtime_error("gnuplot's SVG has no " + begin);
  const size_t start = from + begin.size();
  return text.substr(start, text.find(end, start) - start);
}

// Removes groups that gnuplot leaves empty.
void remove_empty_groups(std::string& text) {
  std::string out;
  size_t begin = 0;
  for (size_t at = text.find("<g "); at != std::string::npos; at = text.find("<g ", at + 1)) {
    const size_t end = text.find('>', at) + 1;
    if (text.compare(end, 6, "\n</g>\n") != 0) continue;
    out.append(text, begin, at - begin);
    begin = end + 6;
  }
  text = out.append(text, begin);
}

// Rounds coordinates to tenths of a pixel. Numbers between tags, which are text, are not changed.
std::string without_hundredths(const std::string& text) {
  const auto is_digit = [&](size_t i) { return text[i] >= '0' && text[i] <= '9'; };
  const std::string_view ends = ", '\"";
  std::string out;
  bool is_in_tag = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '<' || text[i] == '>') is_in_tag = text[i] == '<';
    const bool is_hundredth = is_in_tag && i >= 3 && i + 1 < text.size() && is_digit(i) &&
                              is_digit(i - 1) && text[i - 2] == '.' && is_digit(i - 3) &&
                              ends.find(text[i + 1]) != std::string_view::npos;
    if (!is_hundredth) out += text[i];
  }
  return out;
}

// Removes parts of gnuplot's SVG that a page does not need: titles such as "$block1 using 1:2",
// which a browser would show as tooltips, indentation, and hundredths of a pixel.
void remove_what_nobody_sees(std::string& text) {
  static const std::regex titles("<title>\\$block[^<]*</title>");
  static const std::regex indentation("\\n[\\t ]+");
  text = std::regex_replace(text, titles, "");
  text = without_hundredths(std::regex_replace(text, indentation, "\n"));
}

}  // namespace

std::string themed_svg(const std::string& gnuplot_svg, const std::string& name,
                       const std::string& title) {
  std::string drawing = between(gnuplot_svg, "</defs>", "</svg>");
  std::string marks = between(gnuplot_svg, "<defs>", "<filter");
  drawing = "<defs>" + marks + "</defs><g>" + drawing;  // </g> of the canvas comes with the drawing
  remove_empty_groups(drawing);
  remove_what_nobody_sees(drawing);
  replace_all(drawing, " id='", " id='" + name + "-");
  replace_all(drawing, " id=\"", " id=\"" + name + "-");
  replace_all(drawing, "xlink:href='#", "href='#" + name + "-");
  replace_color(drawing, kInk, "var(--ink)");
  replace_color(drawing, kMuted, "var(--muted)");
  replace_color(drawing, kGrid, "var(--line)");
  replace_all(drawing, "#FFFFFF", "var(--paper)");
  replace_all(drawing, " font-family=\"Helvetica\"", "");
  return fmt::format("<svg viewBox=\"{}\" role=\"img\" aria-label=\"{}\">{}</svg>",
                     between(gnuplot_svg, "viewBox=\"", "\""), escaped(title), drawing);
}

}  // namespace qbitopt
