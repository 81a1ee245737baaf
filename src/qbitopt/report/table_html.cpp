#include <fmt/format.h>

#include <set>
#include <string_view>

#include "qbitopt/core/hash.h"
#include "qbitopt/core/json.h"
#include "qbitopt/report/cell_style.h"
#include "qbitopt/report/page/html.h"
#include "qbitopt/report/table_format.h"

namespace qbitopt {
namespace {

const CellStyle kStyle = {.minus = "−",
                          .plus_minus = " ± ",
                          .none = "–",
                          .bold_begin = "<strong>",
                          .bold_end = "</strong>",
                          .mark_begin = "<sup>",
                          .mark_end = "</sup>",
                          .escaped = [](const std::string& text) { return escaped(text); }};

std::string cell_of(const Cell& cell, const ColumnDefinition& column, bool is_header) {
  const char* tag = is_header ? "th scope=\"row\"" : "td";
  std::string attributes = is_numeric(column) ? " class=\"number\"" : "";
  if (!cell.values.empty() && cell.values.front())
    attributes += fmt::format(" data-value=\"{}\"", Json(*cell.values.front()).dump());
  return fmt::format("<{}{}>{}</{}>", tag, attributes, cell_in(kStyle, cell, column),
                     is_header ? "th" : "td");
}

// The runs behind a row, by which a page finds them in its figures.
std::string runs_of(const TableRow& row) {
  std::set<std::string> jobs;
  for (const Cell& cell : row.cells) {
    for (const CellSource& source : cell.sources) jobs.insert(short_key(source.key));
  }
  return fmt::to_string(fmt::join(jobs, " "));
}

std::string section_of(const Table& table, const TableSection& section) {
  std::string text = "<table>\n";
  text += fmt::format("<caption>{}{}{}</caption>\n", escaped(table.title),
                      section.name.empty() ? "" : ": ", escaped(section.name));
  text += "<thead><tr>";
  for (const ColumnDefinition& column : table.columns) {
    text += fmt::format("<th scope=\"col\" data-column=\"{}\"{}>{}</th>", escaped(column.name),
                        is_numeric(column) ? " class=\"number\"" : "", escaped(column.title));
  }
  text += "</tr></thead>\n<tbody>\n";
  for (const TableRow& row : section.rows) {
    text += fmt::format("<tr data-row=\"{}\" data-runs=\"{}\"{}>", escaped(row.address),
                        runs_of(row), row.begins_block ? " class=\"block\"" : "");
    for (size_t i = 0; i < row.cells.size(); ++i) {
      const bool is_header = table.columns[i].show == ColumnDefinition::Show::kLabel;
      text += cell_of(row.cells[i], table.columns[i], is_header);
    }
    text += "</tr>\n";
  }
  return text + "</tbody>\n</table>\n";
}

std::string number(const std::optional<double>& value) {
  return fmt::format("<td class=\"number\">{}</td>", value ? fmt::format("{:.2f}", *value) : "");
}

std::string published_of(const Table& table) {
  std::string text =
      "<table>\n<caption>Published numbers, each compared with the full-precision network of its "
      "source</caption>\n<thead><tr>";
  const auto title = [](const char* name) {
    return fmt::format("<th scope=\"col\">{}</th>", name);
  };
  for (const PublishedColumn& column : published_columns()) text += title(column.title);
  text += title("source") + "</tr></thead>\n<tbody>\n";
  for (const PublishedRow& row : table.published) {
    text += "<tr>";
    for (const PublishedColumn& column : published_columns()) {
      const bool is_header = std::string_view(column.title) == "method";
      text += !column.text ? number(row.*column.number)
                           : fmt::format("<{}>{}</{}>", is_header ? "th scope=\"row\"" : "td",
                                         escaped(column.text(row)), is_header ? "th" : "td");
    }
    std::string source = row.source_url.empty()
                             ? ""
                             : fmt::format("<a href=\"{}\">{}</a>", escaped(row.source_url),
                                           escaped(row.source_title));
    if (!row.quoted_from.empty()) source += "; " + escaped(row.quoted_from);
    text += "<td>" + source + "</td></tr>\n";
  }
  return text + "</tbody>\n</table>\n";
}

std::string list_of(const std::string& title, const std::vector<std::string>& items) {
  if (items.empty()) return "";
  std::string text = title + "<ul>\n";
  for (const std::string& item : items) text += "<li>" + item + "</li>\n";
  return text + "</ul>\n";
}

}  // namespace

std::string table_as_html(const Table& table) {
  std::string text = "<div class=\"qbitopt-table\">\n";
  for (const TableSection& section : table.sections) text += section_of(table, section);
  std::vector<std::string> claims;
  for (const ClaimResult& result : table.claims) claims.push_back(escaped(result.text));
  text += list_of("<p>Claims stated before the runs:</p>\n", claims);
  if (!table.published.empty()) text += published_of(table);
  std::vector<std::string> notes;
  for (const Footnote& note : table.footnotes) {
    const std::string mark = note.mark.empty() ? "" : "<sup>" + note.mark + "</sup> ";
    notes.push_back(mark + escaped(note.text));
  }
  return text + list_of("", notes) + "</div>\n";
}

}  // namespace qbitopt
