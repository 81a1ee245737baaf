#include <fmt/format.h>

#include <string_view>

#include "qbitopt/report/cell_style.h"
#include "qbitopt/report/rows_format.h"
#include "qbitopt/report/table_format.h"

namespace qbitopt {
namespace {

const CellStyle kStyle = {.minus = "−",
                          .plus_minus = " ± ",
                          .none = "–",
                          .bold_begin = "**",
                          .bold_end = "**",
                          .mark_begin = "<sup>",
                          .mark_end = "</sup>",
                          .escaped = markdown_escaped};

std::string line_of(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& cell : cells) line += " " + cell + " |";
  return line + "\n";
}

std::string section_of(const Table& table, const TableSection& section) {
  std::vector<std::string> titles;
  std::string rule = "|";
  for (const ColumnDefinition& column : table.columns) {
    titles.push_back(markdown_escaped(column.title));
    rule += is_numeric(column) ? " ---: |" : " :--- |";
  }
  std::string text = line_of(titles) + rule + "\n";
  for (const TableRow& row : section.rows) {
    std::vector<std::string> cells;
    for (size_t i = 0; i < row.cells.size(); ++i)
      cells.push_back(cell_in(kStyle, row.cells[i], table.columns[i]));
    text += line_of(cells);
  }
  return text;
}

// A text at the beginning of a line, where some characters begin a list or a heading.
std::string paragraph(const std::string& text) {
  const size_t digits = text.find_first_not_of("0123456789");
  const bool is_numbered =
      digits > 0 && digits < text.size() && (text[digits] == '.' || text[digits] == ')');
  std::string escaped = markdown_escaped(text);
  if (is_numbered) {
    escaped.insert(digits, "\\");
  } else if (!text.empty() && std::string_view("#>-+=").find(text[0]) != std::string_view::npos) {
    escaped.insert(0, "\\");
  }
  return escaped;
}

// The target of a link, with percent-encoding of characters that would end it.
std::string link_target(const std::string& url) {
  std::string out;
  for (const char c : url) {
    const bool ends_it = static_cast<unsigned char>(c) <= 0x20 ||
                         std::string_view("()<>|\\").find(c) != std::string_view::npos;
    out += ends_it ? fmt::format("%{:02X}", static_cast<unsigned char>(c)) : std::string(1, c);
  }
  return out;
}

std::string number(const std::optional<double>& value, bool with_sign) {
  if (!value) return "";
  Cell cell;
  cell.values = {value};
  ColumnDefinition column;
  column.show = with_sign ? ColumnDefinition::Show::kDifference : ColumnDefinition::Show::kMean;
  return cell_in(kStyle, cell, column);
}

std::string published_of(const Table& table) {
  std::vector<std::string> titles;
  std::string rule = "|";
  for (const PublishedColumn& column : published_columns()) {
    titles.emplace_back(column.title);
    rule += column.text ? " :--- |" : " ---: |";
  }
  titles.emplace_back("source");
  std::string text =
      "\nPublished numbers. Δ is the difference of top-1 to the source's own full-precision "
      "network (blank if the source gives none).\n\n" +
      line_of(titles) + rule + " :--- |\n";
  for (const PublishedRow& row : table.published) {
    std::vector<std::string> cells;
    for (const PublishedColumn& column : published_columns()) {
      cells.push_back(column.text ? markdown_escaped(column.text(row))
                                  : number(row.*column.number, column.is_difference));
    }
    cells.push_back((row.source_url.empty()
                         ? ""
                         : fmt::format("[{}]({})", markdown_escaped(row.source_title),
                                       link_target(row.source_url))) +
                    (row.quoted_from.empty() ? "" : "; " + markdown_escaped(row.quoted_from)));
    text += line_of(cells);
  }
  return text;
}

}  // namespace

std::string table_as_markdown(const Table& table) {
  std::string text = fmt::format("## {}\n\n", markdown_escaped(table.title));
  for (const TableSection& section : table.sections) {
    if (&section != &table.sections.front()) text += "\n";
    if (!section.name.empty()) text += fmt::format("### {}\n\n", markdown_escaped(section.name));
    text += section_of(table, section);
  }
  if (!table.claims.empty()) text += "\nClaims stated before the runs:\n\n";
  for (const ClaimResult& result : table.claims) text += "- " + paragraph(result.text) + "\n";
  if (!table.published.empty()) text += published_of(table);
  if (!table.footnotes.empty()) text += "\n";
  for (const Footnote& note : table.footnotes) {
    text += note.mark.empty() ? "- " : fmt::format("- <sup>{}</sup> ", note.mark);
    text += (note.mark.empty() ? paragraph(note.text) : markdown_escaped(note.text)) + "\n";
  }
  return text;
}

}  // namespace qbitopt
