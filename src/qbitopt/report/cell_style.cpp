#include "qbitopt/report/cell_style.h"

#include <fmt/format.h>

#include <cmath>

namespace qbitopt {
namespace {

using Show = ColumnDefinition::Show;

std::string number_in(const CellStyle& style, double value, int digits, bool with_sign) {
  std::string text = fmt::format("{:.{}f}", std::abs(value), digits);
  const bool is_zero = text.find_first_of("123456789") == std::string::npos;
  if (value < 0 && !is_zero) return style.minus + text;
  return with_sign && !is_zero ? "+" + text : text;
}

}  // namespace

bool is_numeric(const ColumnDefinition& column) {
  return column.show != Show::kLabel && column.show != Show::kMet;
}

std::string cell_in(const CellStyle& style, const Cell& cell, const ColumnDefinition& column) {
  const bool is_count = column.show == Show::kSeeds || column.show == Show::kRuns;
  const bool with_sign = column.show == Show::kDifference;
  const int digits = is_count ? 0 : column.digits;
  const auto number = [&](double value) { return number_in(style, value, digits, with_sign); };

  std::string text = style.escaped(cell.text);
  bool has_value = !cell.text.empty();
  for (size_t i = 0; i < cell.values.size(); ++i) {
    if (i > 0) text += " / ";
    text += cell.values[i] ? number(*cell.values[i]) : style.none;
    has_value = has_value || cell.values[i].has_value();
  }
  if (!has_value) text = style.none;
  if (cell.deviation) text += style.plus_minus + number_in(style, *cell.deviation, digits, false);
  if (cell.interval)
    text += fmt::format(" [{}, {}]", number(cell.interval->low), number(cell.interval->high));
  if (cell.is_missed && has_value && cell.text.empty()) text = "(" + text + ")";
  if (cell.is_best) text = style.bold_begin + text + style.bold_end;
  std::string marks;
  for (const std::string& mark : cell.marks) marks += (marks.empty() ? "" : ",") + mark;
  return marks.empty() ? text : text + style.mark_begin + marks + style.mark_end;
}

}  // namespace qbitopt
