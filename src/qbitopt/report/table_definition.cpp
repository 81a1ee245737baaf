#include "qbitopt/report/table_definition.h"

#include <algorithm>

#include "qbitopt/config/yaml.h"
#include "qbitopt/core/names.h"
#include "qbitopt/core/text_file.h"
#include "qbitopt/job/budget_kinds.h"
#include "qbitopt/report/standard_columns.h"

namespace qbitopt {
namespace {

using Show = ColumnDefinition::Show;

const std::vector<std::pair<std::string, Show>> kShows = {
    {"label", Show::kLabel}, {"axis", Show::kAxis},  {"mean", Show::kMean},
    {"seeds", Show::kSeeds}, {"met", Show::kMet},    {"difference", Show::kDifference},
    {"runs", Show::kRuns},   {"hours", Show::kHours}};

void expect_map(const YamlNode& node, const std::string& what) {
  if (!node.is_map()) fail_at(node.place, what + " must be a map, found " + node.found());
}

std::string text_or(const YamlNode& map, const char* key, std::string fallback) {
  const YamlNode* node = map.find(key);
  return node ? expect_text(*node, key) : std::move(fallback);
}

std::vector<std::string> texts_of(const YamlNode& map, const char* key) {
  const YamlNode* node = map.find(key);
  return node ? expect_texts(*node, key) : std::vector<std::string>{};
}

std::string required_text(const YamlNode& map, const char* key, const std::string& what) {
  const YamlNode* node = map.find(key);
  if (!node) fail_at(map.place, what + " has no '" + key + "'");
  return expect_text(*node, key);
}

std::vector<Json> scalars(const YamlNode& node, const std::string& what) {
  if (node.is_scalar()) return {node.scalar};
  if (!node.is_list())
    fail_at(node.place, what + " must be a value or a list of values, found " + node.found());
  std::vector<Json> values;
  for (const YamlNode& item : node.items) {
    if (!item.is_scalar())
      fail_at(item.place, what + " must contain plain values, found " + item.found());
    values.push_back(item.scalar);
  }
  return values;
}

Conditions conditions_of(const YamlNode& node, const std::string& what) {
  expect_map(node, what);
  Conditions conditions;
  for (const YamlNode::Entry& entry : node.entries)
    conditions.emplace_back(entry.key, scalars(entry.value, entry.key));
  return conditions;
}

constexpr const char* kNotInIds = "@:/, ";

void expect_id(const YamlNode::Entry& entry, const std::string& what) {
  expect_name(entry.place, what, entry.key);
  if (entry.key.find_first_of(kNotInIds) != std::string::npos)
    fail_at(entry.place,
            what + " '" + entry.key + "' must not contain '@', ':', '/', ',' or spaces");
}

RowDefinition row_of(const YamlNode::Entry& entry) {
  expect_id(entry, "row");
  const std::string what = "row '" + entry.key + "'";
  expect_map(entry.value, what);
  expect_keys(entry.value, what, {"label", "where", "best_of", "axes"});
  RowDefinition row{.id = entry.key, .label = text_or(entry.value, "label", entry.key)};
  if (const YamlNode* where = entry.value.find("where")) row.where = conditions_of(*where, "where");
  if (const YamlNode* axes = entry.value.find("axes")) {
    expect_map(*axes, "axes");
    for (const YamlNode::Entry& axis : axes->entries)
      row.axes[axis.key] = expect_text(axis.value, axis.key);
  }
  if (const YamlNode* best = entry.value.find("best_of")) {
    row.best_of = expect_text(*best, "best_of");
    if (!row.best_of.starts_with("validation_")) {
      fail_at(best->place,
              "best_of must name a metric of held-out training images, such as validation_top1, "
              "found '" +
                  row.best_of + "'; a choice by the test images would bias the row");
    }
  }
  return row;
}

Show show_of(const YamlNode& node) {
  const std::string word = expect_text(node, "show");
  std::vector<std::string> known;
  for (const auto& [name, show] : kShows) {
    if (name == word) return show;
    known.push_back(name);
  }
  fail_at(node.place, unknown_name("column kind", word, known));
}

bool needs_of(Show show) {
  return show == Show::kAxis || show == Show::kMean || show == Show::kDifference;
}

ColumnDefinition column_of(const YamlNode::Entry& entry) {
  expect_id(entry, "column");
  const YamlNode& node = entry.value;
  const std::string what = "column '" + entry.key + "'";
  expect_map(node, what);
  expect_keys(node, what, {"show", "title", "of", "to", "digits", "scale", "deviation", "best"});
  const YamlNode* show = node.find("show");
  if (!show) fail_at(entry.place, what + " has no 'show'");
  ColumnDefinition column{.name = entry.key, .show = show_of(*show)};
  column.title = text_or(node, "title", entry.key);
  column.of = texts_of(node, "of");
  if (needs_of(column.show) && column.of.empty()) fail_at(entry.place, what + " has no 'of'");
  if (column.show == Show::kDifference) column.to = required_text(node, "to", what);
  if (const YamlNode* digits = node.find("digits"))
    column.digits = static_cast<int>(std::clamp<int64_t>(expect_int(*digits, "digits"), 0, 12));
  if (const YamlNode* scale = node.find("scale")) column.scale = expect_number(*scale, "scale");
  if (const YamlNode* on = node.find("deviation")) column.deviation = expect_bool(*on, "deviation");
  if (const YamlNode* best = node.find("best")) {
    column.best = expect_text(*best, "best");
    if (column.best != "max" && column.best != "min")
      fail_at(best->place, "best must be max or min, found '" + column.best + "'");
    if (column.show != Show::kMean && column.show != Show::kDifference)
      fail_at(best->place, "'best' applies only to columns that show a mean or a difference");
  }
  return column;
}

std::vector<ColumnDefinition> columns_of(const YamlNode& node) {
  expect_map(node, "columns");
  std::vector<ColumnDefinition> columns;
  for (const YamlNode::Entry& entry : node.entries) columns.push_back(column_of(entry));
  return columns;
}

// "resnet18/fixed@4" -> "fixed"
std::string row_part(const std::string& address) {
  const std::string without_split = address.substr(0, address.find('@'));
  return without_split.substr(without_split.rfind('/') + 1);
}

class DefinitionReader {
 public:
  TableDefinition read(const YamlNode& root) {
    expect_keys(root, "a table definition",
                {"title", "sweep", "section_by", "split_by", "rows", "columns", "claims",
                 "fp32_row", "published", "notes", "expect"});
    definition_.title = text_or(root, "title", definition_.name);
    definition_.sweeps = texts_of(root, "sweep");
    definition_.section_by = texts_of(root, "section_by");
    definition_.split_by = texts_of(root, "split_by");
    definition_.notes = texts_of(root, "notes");
    read_rows(root);
    read_columns(root);
    note_names(root);
    if (const YamlNode* claims = root.find("claims")) read_claims(*claims);
    if (const YamlNode* row = root.find("fp32_row")) definition_.fp32_row = row_id(*row);
    if (const YamlNode* published = root.find("published")) read_published(*published);
    if (const YamlNode* expect = root.find("expect")) read_expectations(*expect);
    return std::move(definition_);
  }
  explicit DefinitionReader(std::string name) { definition_.name = std::move(name); }

 private:
  void expect_row(const YamlNode& node, const std::string& id) const {
    if (definition_.find_row(id)) return;
    std::vector<std::string> known;
    for (const RowDefinition& row : definition_.rows) known.push_back(row.id);
    fail_at(node.place, unknown_name("row", id, known));
  }

  std::string row_id(const YamlNode& node) const {
    const std::string id = expect_text(node, "a row's id");
    expect_row(node, id);
    return id;
  }

  void read_rows(const YamlNode& root) {
    const YamlNode* rows = root.find("rows");
    if (!rows)
      fail_at(root.place,
              "this table has no rows; write rows: {fixed: {where: {method: "
              "fixed_precision}}}");
    expect_map(*rows, "rows");
    for (const YamlNode::Entry& entry : rows->entries) definition_.rows.push_back(row_of(entry));
  }

  void read_columns(const YamlNode& root) {
    const YamlNode* columns = root.find("columns");
    definition_.has_own_columns = columns != nullptr;
    definition_.columns = columns ? columns_of(*columns) : standard_columns(definition_);
    if (!columns) return;
    for (const YamlNode::Entry& entry : columns->entries) {
      if (const YamlNode* to = entry.value.find("to")) row_id(*to);
    }
  }

  // Called after the definition was read without errors, so that all nodes have the right kind.
  void note_names(const YamlNode& root) {
    const auto note = [](const YamlNode* node, auto& names) {
      if (node == nullptr) return;
      for (const YamlNode& name : node->is_list() ? node->items : std::vector<YamlNode>{*node})
        names.emplace_back(expect_text(name, "a name"), name.place);
    };
    note(root.find("section_by"), definition_.parameters);
    note(root.find("split_by"), definition_.parameters);
    for (const YamlNode::Entry& row : root.find("rows")->entries) {
      note(row.value.find("best_of"), definition_.columns_of_runs);
      for (const char* key : {"where", "axes"}) {
        const YamlNode* map = row.value.find(key);
        if (map == nullptr) continue;
        for (const YamlNode::Entry& entry : map->entries) {
          definition_.parameters.emplace_back(entry.key, entry.place);
          if (key == std::string_view("axes")) note(&entry.value, definition_.parameters);
        }
      }
    }
    const YamlNode* columns = root.find("columns");
    for (size_t i = 0; columns != nullptr && i < columns->entries.size(); ++i) {
      const Show show = definition_.columns[i].show;
      const YamlNode* of = columns->entries[i].value.find("of");
      if (show == Show::kAxis) note(of, definition_.parameters);
      if (show == Show::kMean || show == Show::kDifference) note(of, definition_.columns_of_runs);
    }
    const YamlNode* claims = root.find("claims");
    if (claims == nullptr) return;
    for (const YamlNode& claim : claims->items) note(claim.find("of"), definition_.columns_of_runs);
  }

  void read_claims(const YamlNode& claims) {
    if (!claims.is_list()) fail_at(claims.place, "claims must be a list, found " + claims.found());
    for (const YamlNode& node : claims.items) {
      expect_map(node, "a claim");
      expect_keys(node, "a claim", {"say", "better", "than", "at", "of"});
      ClaimDefinition claim{.say = required_text(node, "say", "a claim")};
      required_text(node, "better", "a claim");
      required_text(node, "than", "a claim");
      claim.better = row_id(*node.find("better"));
      claim.than = row_id(*node.find("than"));
      claim.of = text_or(node, "of", claim.of);
      if (const YamlNode* at = node.find("at")) {
        if (definition_.split_by.empty())
          fail_at(at->place,
                  "'at' needs an axis in split_by, but this table has none; add split_by or remove "
                  "'at'");
        claim.at = scalars(*at, "at");
      }
      definition_.claims.push_back(std::move(claim));
    }
  }

  void read_published(const YamlNode& published) {
    if (!published.is_list())
      fail_at(published.place, "published must be a list, found " + published.found());
    for (const YamlNode& node : published.items) {
      expect_map(node, "an entry of published");
      expect_keys(node, "an entry of published", {"row", "where"});
      PublishedDefinition entry{.row = text_or(node, "row", "")};
      if (!entry.row.empty()) expect_row(*node.find("row"), row_part(entry.row));
      if (const YamlNode* where = node.find("where")) {
        expect_map(*where, "where");
        expect_keys(*where, "where of published",
                    {"model", "method", "kind", "weight_bits", "activation_bits"});
        for (auto& [column, values] : conditions_of(*where, "where"))
          entry.where[column] = std::move(values);
      }
      definition_.published.push_back(std::move(entry));
    }
  }

  void read_expectations(const YamlNode& node) {
    expect_map(node, "expect");
    for (const YamlNode::Entry& entry : node.entries) {
      if (entry.key.find(':') == std::string::npos)
        fail_at(entry.place, "'expect' must name cells as ROW:COLUMN, found '" + entry.key + "'");
      expect_map(entry.value, "'" + entry.key + "'");
      expect_keys(entry.value, "'" + entry.key + "'", {"value", "tolerance"});
      const auto number = [&](const char* key) {
        const YamlNode* found = entry.value.find(key);
        if (!found) fail_at(entry.place, "'" + entry.key + "' has no '" + key + "'");
        return expect_number(*found, key);
      };
      definition_.expectations.emplace_back(entry.key,
                                            Expectation{number("value"), number("tolerance")});
    }
  }

  TableDefinition definition_;
};

}  // namespace

std::string name_of(ColumnDefinition::Show show) {
  for (const auto& [name, known] : kShows) {
    if (known == show) return name;
  }
  throw std::logic_error("a column kind without a name");
}

const RowDefinition* TableDefinition::find_row(const std::string& id) const {
  const auto found = std::find_if(rows.begin(), rows.end(),
                                  [&](const RowDefinition& row) { return row.id == id; });
  return found == rows.end() ? nullptr : &*found;
}

TableDefinition parse_table_definition(const std::string& source_name, const std::string& text) {
  const std::string name = std::filesystem::path(source_name).stem().string();
  TableDefinition definition = DefinitionReader(name).read(parse_yaml(source_name, text));
  definition.text = text;
  return definition;
}

TableDefinition read_table_definition(const std::filesystem::path& file) {
  return parse_table_definition(file.string(), read_text(file));
}

std::vector<ColumnDefinition> standard_columns(const TableDefinition& definition,
                                               const Objective& metric) {
  std::vector<ColumnDefinition> columns =
      columns_of(parse_yaml("standard columns", kStandardColumns));
  const std::string usual = Objective().name;
  for (ColumnDefinition& column : columns) {
    if (column.of != std::vector<std::string>{usual}) continue;
    if (!column.best.empty()) column.best = metric.goal;
    if (metric.name == usual) continue;
    column.of = {metric.name};
    if (column.name == usual) column.name = column.title = metric.name;
    if (metric.name.ends_with("loss")) column.digits = 4;  // nats
  }
  std::erase_if(columns, [&](const ColumnDefinition& column) {
    return !column.to.empty() && !definition.find_row(column.to);
  });
  const auto is_named = [&](const std::string& name) {
    return std::any_of(columns.begin(), columns.end(),
                       [&](const ColumnDefinition& column) { return column.name == name; });
  };
  auto label = std::find_if(columns.begin(), columns.end(), [](const ColumnDefinition& column) {
    return column.show == Show::kLabel;
  });
  for (const std::string& axis : definition.split_by) {
    if (axis == "budget.average_bits") continue;
    const std::string name = as_id(axis);
    label = columns.insert(std::next(label), {.name = is_named(name) ? "by_" + name : name,
                                              .show = Show::kAxis,
                                              .title = axis,
                                              .of = {axis}});
  }
  // Totals that limit a row are shown beside its bits.
  auto bits = std::find_if(columns.begin(), columns.end(), [](const ColumnDefinition& column) {
    return !column.of.empty() && column.of.front() == budget_kinds().front().achieved_column;
  });
  for (const BudgetKind& kind : budget_kinds()) {
    const bool is_axis =
        std::any_of(kind.parameters.begin(), kind.parameters.end(), [&](const std::string& name) {
          return std::find(definition.split_by.begin(), definition.split_by.end(), name) !=
                 definition.split_by.end();
        });
    if (kind.is_average() || !is_axis) continue;
    bits = columns.insert(std::next(bits), {.name = kind.name,
                                            .show = Show::kMean,
                                            .title = kind.unit_name() + " used",
                                            .of = {kind.achieved_column},
                                            .digits = 0});
  }
  return columns;
}

std::string as_id(std::string text) {
  for (char& c : text) {
    if (std::string_view(kNotInIds).find(c) != std::string_view::npos) c = '_';
  }
  return text;
}

}  // namespace qbitopt
