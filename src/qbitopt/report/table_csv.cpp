#include <fmt/format.h>

#include <algorithm>

#include "qbitopt/core/json.h"
#include "qbitopt/report/rows_format.h"
#include "qbitopt/report/table_format.h"

namespace qbitopt {
namespace {

using Show = ColumnDefinition::Show;

std::string text_of(const std::optional<double>& value) { return value ? Json(*value).dump() : ""; }

std::vector<std::string> fields_of(const ColumnDefinition& column) {
  const std::string& name = column.name;
  if (column.show == Show::kDifference) return {name, name + "_low", name + "_high", name + "_n"};
  if (column.show != Show::kMean) return {name};
  std::vector<std::string> names =
      column.of.size() == 1 ? std::vector<std::string>{name} : column.of;
  if (column.deviation) names.push_back(name + "_deviation");
  return names;
}

// The CSV fields of a cell.
std::vector<std::string> fields_of(const Cell& cell, const ColumnDefinition& column) {
  if (column.show == Show::kDifference) {
    const auto& interval = cell.interval;
    return {text_of(cell.values.front()),
            text_of(interval ? std::optional(interval->low) : std::nullopt),
            text_of(interval ? std::optional(interval->high) : std::nullopt),
            std::to_string(cell.n)};
  }
  if (cell.values.empty()) return {csv_text_field(cell.text)};
  std::vector<std::string> fields;
  for (const auto& value : cell.values) fields.push_back(text_of(value));
  if (column.show == Show::kMean && column.deviation) fields.push_back(text_of(cell.deviation));
  return fields;
}

std::string line_of(const std::vector<std::string>& fields) {
  return fmt::format("{}\n", fmt::join(fields, ","));
}

// Texts of the footnotes of a row's cells.
std::string notes_of(const Table& table, const TableRow& row) {
  std::vector<std::string> texts;
  for (const Footnote& note : table.footnotes) {
    for (const Cell& cell : row.cells) {
      if (note.mark.empty() ||
          std::find(cell.marks.begin(), cell.marks.end(), note.mark) == cell.marks.end())
        continue;
      texts.push_back(note.text);
      break;
    }
  }
  return fmt::to_string(fmt::join(texts, " "));
}

}  // namespace

std::string table_as_csv(const Table& table) {
  std::vector<std::string> header = {"row", "section"};
  for (const ColumnDefinition& column : table.columns) {
    for (const std::string& field : fields_of(column)) header.push_back(csv_text_field(field));
  }
  header.push_back("notes");
  std::string text = line_of(header);
  for (const TableSection& section : table.sections) {
    for (const TableRow& row : section.rows) {
      std::vector<std::string> fields = {csv_text_field(row.address), csv_text_field(section.name)};
      for (size_t i = 0; i < row.cells.size(); ++i) {
        for (std::string& field : fields_of(row.cells[i], table.columns[i]))
          fields.push_back(std::move(field));
      }
      fields.push_back(csv_text_field(notes_of(table, row)));
      text += line_of(fields);
    }
  }
  return text;
}

}  // namespace qbitopt
