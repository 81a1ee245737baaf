#include <nlohmann/json.hpp>

#include "qbitopt/report/cell_style.h"
#include "qbitopt/report/table_format.h"

namespace qbitopt {
namespace {

using Ordered = nlohmann::ordered_json;

const CellStyle kPlain = {
    .minus = "−",
    .plus_minus = " ± ",
    .none = "–",
    .bold_begin = "",
    .bold_end = "",
    .mark_begin = "",
    .mark_end = "",
    .escaped = [](const std::string& text) { return text; },
};

// Without bold face and marks, which stand beside it.
std::string shown(Cell cell, const ColumnDefinition& column) {
  cell.marks.clear();
  return cell_in(kPlain, cell, column);
}

Ordered json_of(const std::optional<double>& value) { return value ? Ordered(*value) : Ordered(); }

Ordered json_of(const Cell& cell, const ColumnDefinition& column) {
  Ordered json = Ordered::object();
  if (!cell.text.empty()) json["text"] = cell.text;
  if (cell.values.size() == 1) json["value"] = json_of(cell.values.front());
  if (cell.values.size() > 1) {
    json["values"] = Ordered::object();
    for (size_t i = 0; i < cell.values.size(); ++i)
      json["values"][column.of[i]] = json_of(cell.values[i]);
  }
  if (column.deviation) json["deviation"] = json_of(cell.deviation);
  if (cell.interval) json["interval95"] = {cell.interval->low, cell.interval->high};
  if (!cell.values.empty()) json["n"] = cell.n;
  if (cell.is_best) json["best"] = true;
  if (cell.is_missed) json["missed"] = true;
  if (!cell.marks.empty()) json["marks"] = cell.marks;
  json["shown"] = shown(cell, column);
  if (!cell.sources.empty()) {
    json["runs"] = Ordered::array();
    for (const CellSource& source : cell.sources) {
      Ordered run = {{"key", source.key},
                     {"seed", source.seed},
                     {"value", json_of(source.value)},
                     {"state", source.state}};
      if (!source.reference_key.empty()) run["reference"] = source.reference_key;
      json["runs"].push_back(std::move(run));
    }
  }
  return json;
}

Ordered json_of(const TableRow& row, const Table& table) {
  Ordered json = {{"row", row.address}, {"id", row.id}, {"label", row.label}};
  json["cells"] = Ordered::object();
  for (size_t i = 0; i < row.cells.size(); ++i)
    json["cells"][table.columns[i].name] = json_of(row.cells[i], table.columns[i]);
  return json;
}

Ordered json_of(const ClaimResult& result) {
  Ordered interval;
  if (result.test.interval) interval = {result.test.interval->low, result.test.interval->high};
  return {{"claim", result.claim.say},
          {"verdict", result.verdict},
          {"difference", result.test.difference},
          {"interval", interval},
          {"pairs", result.test.pairs},
          {"positive", result.test.positive},
          {"expected_pairs", result.expected_pairs},
          {"p", result.test.p},
          {"adjusted_p", result.adjusted_p},
          {"smallest_p", result.test.smallest_p},
          {"text", result.text}};
}

Ordered json_of(const PublishedRow& row) {
  return {{"model", row.model},
          {"method", row.method},
          {"weight_bits", row.weight_bits},
          {"activation_bits", row.activation_bits},
          {"constraint", row.constraint},
          {"top1", json_of(row.top1)},
          {"fp32_top1", json_of(row.fp32_top1)},
          {"delta", json_of(row.delta)},
          {"our_row", row.our_row},
          {"our_top1", json_of(row.our_top1)},
          {"our_delta", json_of(row.our_delta)},
          {"delta_difference", json_of(row.delta_difference)},
          {"source_title", row.source_title},
          {"source_url", row.source_url},
          {"quoted_from", row.quoted_from}};
}

}  // namespace

std::string table_as_json(const Table& table) {
  Ordered json = {{"table", table.name}, {"title", table.title}, {"sweeps", table.sweeps}};
  json["columns"] = Ordered::array();
  for (const ColumnDefinition& column : table.columns)
    json["columns"].push_back({{"name", column.name},
                               {"title", column.title},
                               {"show", name_of(column.show)},
                               {"numeric", is_numeric(column)}});
  json["sections"] = Ordered::array();
  for (const TableSection& section : table.sections) {
    Ordered rows = Ordered::array();
    for (const TableRow& row : section.rows) rows.push_back(json_of(row, table));
    json["sections"].push_back({{"name", section.name}, {"rows", std::move(rows)}});
  }
  json["claims"] = Ordered::array();
  for (const ClaimResult& result : table.claims) json["claims"].push_back(json_of(result));
  json["published"] = Ordered::array();
  for (const PublishedRow& row : table.published) json["published"].push_back(json_of(row));
  json["footnotes"] = Ordered::array();
  for (const Footnote& note : table.footnotes)
    json["footnotes"].push_back({{"mark", note.mark}, {"text", note.text}});
  return json.dump(2, ' ', false, Ordered::error_handler_t::replace) + "\n";
}

}  // namespace qbitopt
