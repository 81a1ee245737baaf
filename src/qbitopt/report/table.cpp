#include "qbitopt/report/table.h"

#include <fmt/format.h>

#include <cmath>

#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"

namespace qbitopt {

const TableRow* Table::find_row(const std::string& address) const {
  for (const TableSection& section : sections) {
    for (const TableRow& row : section.rows) {
      if (row.address == address) return &row;
    }
  }
  return nullptr;
}

const Cell& Table::cell(const std::string& address) const {
  const size_t colon = address.rfind(':');
  const std::string row_name = address.substr(0, colon);
  const std::string column_name = colon == std::string::npos ? "" : address.substr(colon + 1);
  const TableRow* row = find_row(row_name);
  if (row == nullptr) {
    std::vector<std::string> known;
    for (const TableSection& section : sections) {
      for (const TableRow& other : section.rows) known.push_back(other.address);
    }
    throw InputError(fmt::format("table {}: {}", name, unknown_name("row", row_name, known)));
  }
  std::vector<std::string> known;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == column_name) return row->cells[i];
    known.push_back(columns[i].name);
  }
  throw InputError(fmt::format("table {}: {}", name, unknown_name("column", column_name, known)));
}

std::vector<std::string> check_expectations(const Table& table, const TableDefinition& definition) {
  std::vector<std::string> faults;
  for (const auto& [address, expected] : definition.expectations) {
    const Cell& cell = table.cell(address);
    const auto value = cell.values.empty() ? std::nullopt : cell.values.front();
    if (!value) {
      faults.push_back(fmt::format("{}: no value, expected {} ± {}", address, expected.value,
                                   expected.tolerance));
    } else if (std::abs(*value - expected.value) > expected.tolerance) {
      faults.push_back(fmt::format("{}: {:.6g}, expected {} ± {}", address, *value, expected.value,
                                   expected.tolerance));
    }
  }
  return faults;
}

}  // namespace qbitopt
