#include "qbitopt/report/published_rows.h"

#include <fmt/format.h>

#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"
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

const RunGroup& our_group(const RunGroups& groups, const std::string& table,
                          const std::string& address) {
  if (const RunGroup* group = groups.find(address)) return *group;
  std::vector<std::string> known;
  for (const RunGroup& group : groups.groups()) known.push_back(group.address());
  throw InputError(
      fmt::format("table {}, published: {}", table, unknown_name("row", address, known)));
}

Rows select(const Reader& reader, const PublishedDefinition& entry) {
  std::string sql = "SELECT * FROM published";
  std::vector<Json> arguments;
  for (const auto& [column, values] : entry.where) {
    sql += arguments.empty() ? " WHERE " : " AND ";
    sql += column + " IN (";
    for (size_t i = 0; i < values.size(); ++i) {
      arguments.push_back(cell_text(values[i]));  // bits are kept as the source writes them
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
          .top1 = at("top1"),
          .fp32_top1 = number(at("fp32_top1")),
          .delta = number(at("top1_minus_fp32")),
          .source_title = at("source_title"),
          .source_url = at("source_url"),
          .quoted_from = at("quoted_from")};
}

}  // namespace

std::vector<PublishedRow> published_rows(const Reader& reader, const TableDefinition& definition,
                                         const RunGroups& groups) {
  std::vector<PublishedRow> all;
  for (const PublishedDefinition& entry : definition.published) {
    std::optional<double> our_top1;
    std::optional<double> our_delta;
    if (!entry.row.empty()) {
      const RunGroup& ours = our_group(groups, definition.name, entry.row);
      our_top1 = mean_top1(ours);
      const RunGroup* fp32 = groups.beside(ours, definition.fp32_row);
      const auto our_fp32 = fp32 ? mean_top1(*fp32) : std::nullopt;
      if (our_top1 && our_fp32) our_delta = *our_top1 - *our_fp32;
    }
    const Rows rows = select(reader, entry);
    for (size_t i = 0; i < rows.size(); ++i) {
      PublishedRow row = theirs(rows, i);
      row.our_row = entry.row;
      row.our_top1 = our_top1;
      row.our_delta = our_delta;
      if (our_delta && row.delta) row.delta_difference = *our_delta - *row.delta;
      all.push_back(std::move(row));
    }
  }
  return all;
}

}  // namespace qbitopt
