#include "qbitopt/report/published_rows.h"

#include <fmt/format.h>

#include <algorithm>

#include "qbitopt/report/rows_format.h"

namespace qbitopt {
namespace {

std::optional<double> mean_top1(const RunGroup& group) {
  const std::vector<double> values = values_of(group.good(), "top1");
  return values.empty() ? std::nullopt : std::optional(mean(values));
}

std::optional<double> number(const Json& cell) {
  return cell.is_number() ? std::optional(cell.get<double>()) : std::nullopt;
}

Rows select(const Reader& reader, const PublishedDefinition& entry) {
  std::string sql = "SELECT * FROM published";
  std::vector<Json> arguments;
  for (const auto& [column, values] : entry.where) {
    sql += arguments.empty() ? " WHERE " : " AND ";
    sql += column + " IN (";
    for (size_t i = 0; i < values.size(); ++i) {
      arguments.push_back(cell_text(values[i]));  // bits are stored as the source writes them
      sql += fmt::format("{}?{}", i > 0 ? ", " : "", arguments.size());
    }
    sql += ")";
  }
  return reader.query(sql + " ORDER BY model, weight_bits, activation_bits, top1 DESC", arguments);
}

PublishedRow theirs(const Rows& rows, size_t i) {
  const auto at = [&](const char* column) -> const Json& { return rows.at(i, column); };
  return {.model = at("model"),
          .method = at("method"),
          .weight_bits = at("weight_bits"),
          .activation_bits = at("activation_bits"),
          .constraint = at("budget_constraint"),
          .top1 = number(at("top1")),
          .fp32_top1 = number(at("fp32_top1")),
          .delta = number(at("top1_minus_fp32")),
          .source_title = at("source_title"),
          .source_url = at("source_url"),
          .quoted_from = at("quoted_from")};
}

// A row without a number, for a combination that nobody has published.
PublishedRow without_theirs(const PublishedDefinition& entry) {
  const auto asked = [&](const char* column) {
    const auto found = entry.where.find(column);
    return found == entry.where.end() ? "" : cell_text(found->second.front());
  };
  return {.model = asked("model"),
          .method = asked("method"),
          .weight_bits = asked("weight_bits"),
          .activation_bits = asked("activation_bits")};
}

// Whether the row belongs to a section of the table.
bool has_section(const RunGroups& groups, const std::string& address) {
  const std::string section = address.substr(0, address.rfind('/', address.find('@')) + 1);
  return std::any_of(groups.groups().begin(), groups.groups().end(),
                     [&](const RunGroup& group) { return group.address().starts_with(section); });
}

}  // namespace

const std::vector<PublishedColumn>& published_columns() {
  using Row = PublishedRow;
  static const std::vector<PublishedColumn> columns = {
      {"network", [](const Row& row) { return row.model; }},
      {"method", [](const Row& row) { return row.method; }},
      {"bits W / A", [](const Row& row) { return row.weight_bits + " / " + row.activation_bits; }},
      {"under", [](const Row& row) { return row.constraint; }},
      {"fp32, %", nullptr, &Row::fp32_top1},
      {"top-1, %", nullptr, &Row::top1},
      {"Δ", nullptr, &Row::delta, true},
      {"ours", [](const Row& row) { return row.our_row; }},
      {"our Δ", nullptr, &Row::our_delta, true},
      {"our Δ − Δ", nullptr, &Row::delta_difference, true}};
  return columns;
}

std::vector<PublishedRow> published_rows(const Reader& reader, const TableDefinition& definition,
                                         const RunGroups& groups) {
  std::vector<PublishedRow> all;
  for (const PublishedDefinition& entry : definition.published) {
    if (!entry.row.empty() && !has_section(groups, entry.row)) continue;
    const RunGroup* ours = entry.row.empty() ? nullptr : groups.find(entry.row);
    const RunGroup* fp32 = ours ? groups.beside(*ours, definition.fp32_row) : nullptr;
    const auto our_top1 = ours ? mean_top1(*ours) : std::nullopt;
    const auto our_fp32 = fp32 ? mean_top1(*fp32) : std::nullopt;
    const Rows rows = select(reader, entry);
    std::vector<PublishedRow> found;
    for (size_t i = 0; i < rows.size(); ++i) found.push_back(theirs(rows, i));
    if (found.empty() && ours) found.push_back(without_theirs(entry));
    for (PublishedRow& row : found) {
      if (ours) row.our_row = entry.row;
      row.our_top1 = our_top1;
      if (our_top1 && our_fp32) row.our_delta = *our_top1 - *our_fp32;
      if (row.our_delta && row.delta) row.delta_difference = *row.our_delta - *row.delta;
      all.push_back(std::move(row));
    }
  }
  return all;
}

}  // namespace qbitopt
