#include <fmt/format.h>

#include <cctype>
#include <cmath>
#include <map>
#include <string_view>

#include "qbitopt/report/cell_style.h"
#include "qbitopt/report/table_format.h"

namespace qbitopt {
namespace {

// Special characters of LaTeX, and the few non-ASCII characters that the report writes.
std::string escaped(const std::string& text) {
  static const std::map<std::string, std::string> replacements = {{"\\", "\\textbackslash{}"},
                                                                  {"{", "\\{"},
                                                                  {"}", "\\}"},
                                                                  {"$", "\\$"},
                                                                  {"&", "\\&"},
                                                                  {"%", "\\%"},
                                                                  {"#", "\\#"},
                                                                  {"_", "\\_"},
                                                                  {"~", "\\textasciitilde{}"},
                                                                  {"^", "\\textasciicircum{}"},
                                                                  {"±", "$\\pm$"},
                                                                  {"−", "$-$"},
                                                                  {"–", "--"},
                                                                  {"“", "``"},
                                                                  {"”", "''"},
                                                                  {"Δ", "$\\Delta$"},
                                                                  {"<", "$<$"},
                                                                  {">", "$>$"}};
  std::string result;
  for (size_t i = 0; i < text.size();) {
    size_t length = 1;
    while (i + length < text.size() && (text[i + length] & 0xC0) == 0x80) ++length;
    const std::string character = text.substr(i, length);
    const auto found = replacements.find(character);
    const bool is_control = static_cast<unsigned char>(character[0]) < 0x20 || character == "\x7f";
    result += is_control ? " " : found == replacements.end() ? character : found->second;
    i += length;
  }
  return result;
}

// A name that \label accepts.
std::string label_of(std::string name) {
  for (char& c : name) {
    const bool is_plain = std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                          std::string_view(":._-").find(c) != std::string_view::npos;
    if (!is_plain) c = '-';
  }
  return name;
}

// For a LaTeX comment, which ends at the end of the line.
std::string on_one_line(std::string text) {
  for (char& c : text) c = static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  return text;
}

const CellStyle kStyle = {.minus = "$-$",
                          .plus_minus = " $\\pm$ ",
                          .none = "--",
                          .bold_begin = "\\textbf{",
                          .bold_end = "}",
                          .mark_begin = "\\textsuperscript{",
                          .mark_end = "}",
                          .escaped = escaped};

std::string line_of(const std::vector<std::string>& cells) {
  const std::string text = fmt::format("{}", fmt::join(cells, " & "));
  // After `\\` of the line before, LaTeX would read a bracket as an argument.
  const bool is_argument = text.starts_with('[') || text.starts_with('*');
  return fmt::format("  {}{} \\\\\n", is_argument ? "{}" : "", text);
}

std::string tabular(const Table& table) {
  std::string alignment;
  std::vector<std::string> titles;
  for (const ColumnDefinition& column : table.columns) {
    alignment += is_numeric(column) ? 'r' : 'l';
    titles.push_back(escaped(column.title));
  }
  std::string text = fmt::format("\\begin{{tabular}}{{@{{}}{}@{{}}}}\n  \\toprule\n", alignment);
  text += line_of(titles);
  for (const TableSection& section : table.sections) {
    text += "  \\midrule\n";
    if (!section.name.empty()) {
      text += fmt::format("  \\multicolumn{{{}}}{{@{{}}l}}{{\\textit{{{}}}}} \\\\\n",
                          table.columns.size(), escaped(section.name));
    }
    for (const TableRow& row : section.rows) {
      if (row.begins_block) text += "  \\addlinespace\n";
      std::vector<std::string> cells;
      for (size_t i = 0; i < row.cells.size(); ++i)
        cells.push_back(cell_in(kStyle, row.cells[i], table.columns[i]));
      text += line_of(cells);
    }
  }
  return text + "  \\bottomrule\n\\end{tabular}\n";
}

std::string number(const std::optional<double>& value) {
  return value ? (*value < 0 ? "$-$" : "") + fmt::format("{:.2f}", std::abs(*value)) : "";
}

std::string published_of(const Table& table) {
  std::string alignment;
  std::vector<std::string> titles;
  for (const PublishedColumn& column : published_columns()) {
    alignment += column.text ? 'l' : 'r';
    titles.push_back(escaped(column.title));
  }
  std::string text =
      fmt::format("\n\\medskip\n\\begin{{tabular}}{{@{{}}{}@{{}}}}\n  \\toprule\n{}  \\midrule\n",
                  alignment, line_of(titles));
  for (const PublishedRow& row : table.published) {
    std::vector<std::string> cells;
    for (const PublishedColumn& column : published_columns())
      cells.push_back(column.text ? escaped(column.text(row)) : number(row.*column.number));
    text += line_of(cells);
    if (!row.source_url.empty())
      text += fmt::format("  % {}\n", on_one_line(row.source_title + ": " + row.source_url + " " +
                                                  row.quoted_from));
  }
  return text + "  \\bottomrule\n\\end{tabular}\n";
}

}  // namespace

std::string table_as_latex(const Table& table) {
  std::string text = fmt::format(
      "% needs \\usepackage{{booktabs}}\n\\begin{{table}}\n\\centering\n\\caption{{{}}}"
      "\\label{{tab:{}}}\n",
      escaped(table.title), label_of(table.name));
  text += tabular(table);
  if (!table.published.empty()) text += published_of(table);
  text += "\n\\footnotesize\n";
  for (const ClaimResult& result : table.claims)
    text += "Claims stated before the runs: " + escaped(result.text) + "\\par\n";
  for (const Footnote& note : table.footnotes) {
    if (!note.mark.empty()) text += fmt::format("\\textsuperscript{{{}}}~", note.mark);
    text += escaped(note.text) + "\\par\n";
  }
  return text + "\\end{table}\n";
}

}  // namespace qbitopt
