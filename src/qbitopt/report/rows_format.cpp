#include "qbitopt/report/rows_format.h"

#include <fmt/format.h>

#include <cctype>
#include <charconv>
#include <cmath>
#include <map>
#include <string_view>
#include <utility>

namespace qbitopt {
namespace {

using OrderedJson = nlohmann::ordered_json;

// Works for cells that are not valid UTF-8, too.
std::string dump(const OrderedJson& json, int indent = -1) {
  return json.dump(indent, ' ', false, OrderedJson::error_handler_t::replace);
}

std::string exact_text(const Json& cell) {
  if (cell.is_null()) return "";
  if (cell.is_number_float() && !std::isfinite(cell.get<double>()))
    return fmt::format("{}", cell.get<double>());  // JSON cannot express it
  return cell.is_string() ? cell.get<std::string>() : cell.dump();
}

// Whether spreadsheets read the text as a number.
bool reads_as_number(const std::string& text) {
  const char* const first = text.data() + (text.starts_with('+') ? 1 : 0);
  const char* const last = text.data() + text.size();
  double value = 0;
  const auto [end, error] = std::from_chars(first, last, value);
  return error != std::errc::invalid_argument && end == last;
}

std::vector<std::string> distinct(const std::vector<std::string>& columns) {
  std::map<std::string, int> count;
  std::vector<std::string> names;
  for (const std::string& column : columns) {
    const int number = ++count[column];
    names.push_back(number == 1 ? column : fmt::format("{}:{}", column, number));
  }
  return names;
}

OrderedJson as_object(const std::vector<std::string>& names, const std::vector<Json>& row) {
  OrderedJson object = OrderedJson::object();
  for (size_t i = 0; i < row.size(); ++i) object[names[i]] = row[i];
  return object;
}

// The CSV field of a cell.
std::string csv_cell(const Json& cell) {
  return cell.is_string() ? csv_text_field(cell.get<std::string>()) : csv_field(exact_text(cell));
}

std::string csv_line(const std::vector<std::string>& fields) {
  return fmt::format("{}\n", fmt::join(fields, ","));
}

// Indents each line; strings in JSON contain no line breaks.
std::string indented(const std::string& json) {
  std::string text = "  ";
  for (const char c : json) text += c == '\n' ? "\n  " : std::string(1, c);
  return text;
}

bool is_numeric(const Rows& rows, size_t column) {
  for (const auto& row : rows.rows) {
    if (!row[column].is_null() && !row[column].is_number()) return false;
  }
  return true;
}

std::string markdown(const Rows& rows) {
  std::string header = "|";
  std::string rule = "|";
  for (size_t i = 0; i < rows.columns.size(); ++i) {
    header += " " + markdown_escaped(rows.columns[i]) + " |";
    rule += is_numeric(rows, i) ? " ---: |" : " --- |";
  }
  std::string text = header + "\n" + rule + "\n";
  for (const auto& row : rows.rows) {
    text += "|";
    for (const Json& cell : row) text += " " + markdown_escaped(cell_text(cell)) + " |";
    text += "\n";
  }
  return text;
}

}  // namespace

std::string cell_text(const Json& cell) {
  return cell.is_number_float() ? fmt::format("{:.6g}", cell.get<double>()) : exact_text(cell);
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

std::string csv_text_field(const std::string& text) {
  const bool is_formula =
      !text.empty() && std::string_view("=+-@\t\r").find(text[0]) != std::string_view::npos;
  return csv_field(is_formula && !reads_as_number(text) ? "'" + text : text);
}

std::string markdown_escaped(const std::string& text) {
  const auto is_word = [&](size_t i) {
    return i < text.size() && (std::isalnum(static_cast<unsigned char>(text[i])) != 0 ||
                               static_cast<unsigned char>(text[i]) >= 0x80);
  };
  std::string escaped;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const char next = i + 1 < text.size() ? text[i + 1] : ' ';
    switch (c) {
      case '|':
      case '*':
      case '`':
      case '$':
        escaped += std::string("\\") + c;
        break;
      case '_':  // behind a letter it is one, too
        escaped += (i > 0 && is_word(i - 1)) || next == ' ' ? "_" : "\\_";
        break;
      case '\\':  // in front of a letter it is a letter
        escaped += std::ispunct(static_cast<unsigned char>(next)) != 0 ? "\\\\" : "\\";
        break;
      case ']':  // of a link
        escaped += next == '(' || next == '[' || next == ':' ? "\\]" : "]";
        break;
      case '~':
        escaped += next == '~' ? "\\~" : "~";
        break;
      case '&':  // of an entity
        escaped += is_word(i + 1) || next == '#' ? "&amp;" : "&";
        break;
      case '<':  // of a tag or an address
        escaped += is_word(i + 1) || next == '/' || next == '!' || next == '?' ? "&lt;" : "<";
        break;
      case '\n':
        escaped += "<br>";
        break;
      case '\t':
        escaped += ' ';
        break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) escaped += c;
    }
  }
  return escaped;
}

std::string write_rows(const Rows& rows, RowsFormat format) {
  if (format == RowsFormat::kMarkdown) return markdown(rows);
  std::string text;
  RowsWriter writer(format, [&](const std::string& more) { text += more; });
  writer.begin(rows.columns);
  for (const auto& row : rows.rows) writer.add(row);
  writer.end();
  return text;
}

void RowsWriter::begin(const std::vector<std::string>& columns) {
  names_ = format_ == RowsFormat::kCsv ? columns : distinct(columns);
  if (format_ == RowsFormat::kJson) out_("[");
  if (format_ != RowsFormat::kCsv) return;
  std::vector<std::string> fields;
  for (const std::string& name : names_) fields.push_back(csv_text_field(name));
  out_(csv_line(fields));
}

void RowsWriter::add(const std::vector<Json>& row) {
  const bool is_first = std::exchange(is_empty_, false);
  if (format_ == RowsFormat::kJsonLines) return out_(dump(as_object(names_, row)) + "\n");
  if (format_ == RowsFormat::kJson)
    return out_((is_first ? "\n" : ",\n") + indented(dump(as_object(names_, row), 2)));
  std::vector<std::string> fields;
  for (const Json& cell : row) fields.push_back(csv_cell(cell));
  out_(csv_line(fields));
}

void RowsWriter::end() {
  if (format_ == RowsFormat::kJson) out_(is_empty_ ? "]\n" : "\n]\n");
}

}  // namespace qbitopt
