#include "app/sweep_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "app/text.h"
#include "qbitopt/core/error.h"
#include "qbitopt/report/check_definition.h"
#include "qbitopt/report/table_format.h"

namespace qbitopt::app {
namespace {

namespace fs = std::filesystem;

SweepTable read_table(const fs::path& file, const std::string& sweep, const fs::path& folder) {
  SweepTable table{.definition = read_table_definition(file)};
  const bool is_shared = table.definition.sweeps.empty() && table.definition.name != sweep;
  if (table.definition.sweeps.empty()) table.definition.sweeps = {sweep};
  table.word = is_shared ? table.definition.name + " --sweep " + sweep : table.definition.name;
  const std::string name = is_shared ? table.definition.name + "." + sweep : table.definition.name;
  table.output = folder / (name + find_table_format("markdown").extension);
  return table;
}

}  // namespace

std::vector<SweepTable> read_tables(const Plan& plan, const Catalog& catalog,
                                    const fs::path& folder) {
  std::vector<SweepTable> tables;
  std::map<fs::path, std::string> outputs;
  for (const std::string& file : plan.tables) {
    SweepTable table = read_table(file, plan.sweep_name, folder);
    check_definition(table.definition, plan, catalog);
    if (fs::is_directory(table.output)) {
      throw InputError(fmt::format("table {} is to be written to {}, which is a folder", file,
                                   shown(table.output)));
    }
    const auto [other, is_new] = outputs.emplace(table.output, file);
    if (!is_new) {
      throw InputError(
          fmt::format("tables {} and {} are to be written to one file, {}; give one "
                      "of the definitions another name",
                      other->second, file, shown(table.output)));
    }
    tables.push_back(std::move(table));
  }
  return tables;
}

std::vector<std::string> missing_sweeps(const SweepTable& table, const Reader& reader,
                                        const std::string& sweep) {
  std::vector<std::string> missing;
  for (const std::string& name : table.definition.sweeps) {
    if (name != sweep && reader.query("SELECT 1 FROM sweep WHERE name = ?", {name}).empty())
      missing.push_back(name);
  }
  return missing;
}

}  // namespace qbitopt::app
