#include "qbitopt/report/figures/kinds.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

size_t index_of(const Rows& rows, const std::string& column) {
  return static_cast<size_t>(std::find(rows.columns.begin(), rows.columns.end(), column) -
                             rows.columns.begin());
}

const Json& cell(const FigureInput& input, size_t row, const std::string& column) {
  const size_t index = index_of(input.rows, column);
  if (index == input.rows.columns.size()) {
    throw InputError(fmt::format("figure {}: its SQL has no column '{}', which the kind '{}' needs",
                                 input.definition.name, column, input.definition.kind));
  }
  return input.rows.rows[row][index];
}

}  // namespace

bool FigureInput::has(const std::string& column) const {
  return index_of(rows, column) < rows.columns.size();
}

std::string FigureInput::text(size_t row, const std::string& column) const {
  const Json& value = cell(*this, row, column);
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return fmt::format("{:g}", value.get<double>());
  return value.is_null() ? "" : value.dump();
}

double FigureInput::number(size_t row, const std::string& column) const {
  const Json& value = cell(*this, row, column);
  if (value.is_null()) return std::numeric_limits<double>::quiet_NaN();
  if (!value.is_number()) {
    throw InputError(fmt::format("figure {}: column '{}' must contain numbers, found {}",
                                 definition.name, column, value.dump()));
  }
  return value.get<double>();
}

bool FigureInput::flag(size_t row, const std::string& column) const {
  if (!has(column)) return false;
  const Json& value = cell(*this, row, column);
  return value.is_number() && value.get<double>() != 0;
}

std::vector<PanelRows> FigureInput::panels() const {
  std::vector<size_t> all(rows.size());
  for (size_t i = 0; i < all.size(); ++i) all[i] = i;
  std::vector<PanelRows> panels;
  for (auto& [title, part] : grouped(*this, all, "panel")) panels.push_back({title, part});
  return panels;
}

std::vector<std::pair<std::string, std::vector<size_t>>> grouped(const FigureInput& input,
                                                                 const std::vector<size_t>& rows,
                                                                 const std::string& column) {
  std::vector<std::pair<std::string, std::vector<size_t>>> groups;
  for (const size_t row : rows) {
    const std::string name = input.text(row, column);
    auto found = std::find_if(groups.begin(), groups.end(),
                              [&](const auto& group) { return group.first == name; });
    if (found == groups.end()) {
      groups.push_back({name, {}});
      found = groups.end() - 1;
    }
    found->second.push_back(row);
  }
  return groups;
}

double title_height(const FigureInput& input) { return input.with_title ? 34 : 0; }

void draw_title(Canvas& canvas, const FigureInput& input) {
  if (input.with_title)
    canvas.text(kPadding, 20, input.definition.title, {.size = 14, .is_bold = true});
}

void draw_note(Canvas& canvas, const std::string& note) {
  if (!note.empty())
    canvas.text(kPadding, canvas.height() - 13, note, {.color = kMuted, .size = 10});
}

double end_label_width(const std::vector<std::string>& texts) {
  double widest = 0;
  for (const std::string& text : texts) widest = std::max(widest, text_width(text));
  return widest + 44;
}

void draw_end_labels(Canvas& canvas, const Rectangle& plot, const std::vector<EndLabel>& labels) {
  std::vector<double> wanted;
  for (const EndLabel& label : labels) wanted.push_back(label.y);
  const std::vector<double> placed = spread(wanted, kLabelDistance, plot.top + 4, plot.bottom - 4);
  for (size_t i = 0; i < labels.size(); ++i) {
    const EndLabel& label = labels[i];
    canvas.line(label.x + 5, label.y, plot.right + 8, label.y, kGrid);
    canvas.line(plot.right + 8, label.y, plot.right + 20, placed[i], kGrid);
    if (label.has_mark) {
      canvas.mark(plot.right + 26, placed[i], label.style.filled_mark, label.style.color);
    }
    canvas.text(plot.right + (label.has_mark ? 35 : 25), placed[i], label.text,
                {.color = label.has_mark ? kInk : label.style.color});
  }
}

}  // namespace qbitopt
