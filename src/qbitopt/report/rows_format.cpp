#include "qbitopt/report/rows_format.h"

#include <fmt/format.h>

#include <map>

namespace qbitopt {
namespace {

using OrderedJson = nlohmann::ordered_json;

// Also right for a cell that is not valid UTF-8.
std::string dump(const OrderedJson& json, int indent = -1) {
  return json.dump(indent, ' ', false, OrderedJson::error_handler_t::replace);
}

std::string exact_text(const Json& cell) {
  if (cell.is_null()) return "";
  return cell.is_string() ? cell.get<std::string>() : cell.dump();
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

std::string csv_line(const std::vector<std::string>& fields) {
  std::string line;
  for (size_t i = 0; i < fields.size(); ++i) line += (i > 0 ? "," : "") + csv_field(fields[i]);
  return line + "\n";
}

std::string json(const Rows& rows) {
  const auto names = distinct(rows.columns);
  OrderedJson list = OrderedJson::array();
  for (const auto& row : rows.rows) list.push_back(as_object(names, row));
  return dump(list, 2) + "\n";
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

std::string markdown_escaped(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '|':
        escaped += "\\|";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '\n':
        escaped += "<br>";
        break;
      case '\r':
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string write_rows(const Rows& rows, RowsFormat format) {
  switch (format) {
    case RowsFormat::kJson:
      return json(rows);
    case RowsFormat::kCsv:
    case RowsFormat::kJsonLines:
      break;
    case RowsFormat::kMarkdown:
      return markdown(rows);
  }
  std::string text = header_line(rows.columns, format);
  for (const auto& row : rows.rows) text += row_line(rows.columns, row, format);
  return text;
}

std::string header_line(const std::vector<std::string>& columns, RowsFormat format) {
  return format == RowsFormat::kCsv ? csv_line(columns) : "";
}

std::string row_line(const std::vector<std::string>& columns, const std::vector<Json>& row,
                     RowsFormat format) {
  if (format == RowsFormat::kJsonLines) return dump(as_object(distinct(columns), row)) + "\n";
  std::vector<std::string> fields;
  for (const Json& cell : row) fields.push_back(exact_text(cell));
  return csv_line(fields);
}

}  // namespace qbitopt
