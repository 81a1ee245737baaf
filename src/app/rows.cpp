#include "app/rows.h"

#include <fmt/format.h>

#include "app/text.h"

namespace qbitopt::app {
namespace {

std::string cell_text(const Json& cell) {
  if (!cell.is_number_float()) return plain(cell);
  std::string text = fmt::format("{:.2f}", cell.get<double>());
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

}  // namespace

Json as_json(const Rows& rows) {
  Json list = Json::array();
  for (const auto& row : rows.rows) {
    Json object = Json::object();
    for (size_t i = 0; i < row.size(); ++i) object[rows.columns[i]] = row[i];
    list.push_back(std::move(object));
  }
  return list;
}

std::string as_text(const Rows& rows) {
  std::vector<std::vector<std::string>> cells(rows.size() + 1);
  for (size_t i = 0; i < rows.columns.size(); ++i) {
    bool is_empty = true;
    for (const auto& row : rows.rows) is_empty &= row[i].is_null();
    if (is_empty && !rows.empty()) continue;
    cells[0].push_back(rows.columns[i]);
    for (size_t r = 0; r < rows.size(); ++r) cells[r + 1].push_back(cell_text(rows.rows[r][i]));
  }
  return columns(cells);
}

}  // namespace qbitopt::app
