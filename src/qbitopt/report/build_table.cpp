#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"
#include "qbitopt/report/claims.h"
#include "qbitopt/report/published_rows.h"
#include "qbitopt/report/rows_format.h"
#include "qbitopt/report/run_groups.h"
#include "qbitopt/report/table.h"
#include "qbitopt/report/table_notes.h"

namespace qbitopt {
namespace {

using Show = ColumnDefinition::Show;

std::string seeds_text(const std::vector<const Run*>& runs) {
  std::vector<std::string> texts;
  for (const Run* run : runs) {
    const std::string why = run->state == "failed"
                                ? fmt::format("failed: {}", cell_text(run->column("error_class")))
                                : (run->state == "new"       ? "not run yet"
                                   : run->state == "stopped" ? "stopped early"
                                                             : run->state);
    texts.push_back(fmt::format("seed {} ({})", cell_text(run->seed), why));
  }
  return fmt::to_string(fmt::join(texts, ", "));
}

CellSource source_of(const Run& run, const std::string& column, double scale) {
  CellSource source{.key = run.key, .seed = run.seed, .state = run.state};
  if (run.is_missed) source.state = "missed";
  if (const auto value = run.number(column)) source.value = *value * scale;
  return source;
}

class TableBuilder {
 public:
  TableBuilder(const Reader& reader, const TableDefinition& definition)
      : reader_(reader), definition_(definition), groups_(reader, definition) {}

  Table build() {
    table_.name = definition_.name;
    table_.title = definition_.title;
    table_.sweeps = definition_.sweeps;
    table_.columns = definition_.columns;
    check_columns();
    leave_out_unrun_sections();
    for (const RunGroup& group : groups_.groups()) {
      if (left_out_.count(group.section) == 0) add_row(group);
    }
    for (TableSection& section : table_.sections) embolden(section);
    table_.claims = test_claims(definition_.claims, groups_,
                                [&](const std::string& metric) { return goal_of(metric); });
    table_.published = published_rows(reader_, definition_, groups_);
    add_general_notes(definition_, groups_, bold_, notes_);
    for (const Run& run : groups_.runs()) table_.jobs.push_back(run.key);
    table_.footnotes = notes_.take();
    return std::move(table_);
  }

 private:
  // Means, differences, claims and best_of must name columns of `runs`.
  void check_columns() const {
    const std::vector<std::string> known = groups_.columns();
    const auto check = [&](const std::string& place, const std::string& name) {
      if (std::find(known.begin(), known.end(), name) != known.end()) return;
      throw InputError(fmt::format("table {}, {}: {}", definition_.name, place,
                                   unknown_name("runs column", name, known)));
    };
    for (const ColumnDefinition& column : definition_.columns) {
      if (column.show != Show::kMean && column.show != Show::kDifference) continue;
      for (const std::string& name : column.of) check("column '" + column.name + "'", name);
    }
    for (const RowDefinition& row : definition_.rows)
      if (!row.best_of.empty()) check("row '" + row.id + "'", row.best_of);
    for (const ClaimDefinition& claim : definition_.claims)
      check("claim '" + claim.say + "'", claim.of);
  }

  std::string goal_of(const std::string& metric) const {
    const Rows rows = reader_.query(
        "SELECT COALESCE(goal, 'max') FROM metric_definition WHERE name = ?", {metric});
    return rows.empty() ? "max" : rows.rows[0][0].get<std::string>();
  }

  static std::string name_of_section(const RunGroup& group) {
    std::vector<std::string> values;
    for (const Json& value : group.section) values.push_back(cell_text(value));
    return fmt::to_string(fmt::join(values, ", "));
  }

  // Sections without a single end, while others have some; not if values are expected in them.
  void leave_out_unrun_sections() {
    std::set<std::vector<Json>> kept;
    std::vector<std::string> names;
    for (const RunGroup& group : groups_.groups()) {
      const std::string prefix = group.address() + ":";
      const bool is_expected =
          std::any_of(definition_.expectations.begin(), definition_.expectations.end(),
                      [&](const auto& entry) { return entry.first.starts_with(prefix); });
      const bool has_ended = std::any_of(group.runs.begin(), group.runs.end(), [](const Run* run) {
        return run->is_finished() || run->state == "failed" || run->state == "stopped";
      });
      if (is_expected || has_ended) kept.insert(group.section);
    }
    if (kept.empty()) return;
    for (const RunGroup& group : groups_.groups()) {
      if (kept.count(group.section) == 0 && left_out_.insert(group.section).second)
        names.push_back(name_of_section(group));
    }
    if (!names.empty())
      notes_.add(fmt::format("Left out, because none of their runs has ended: {}.",
                             fmt::join(names, "; ")));
  }

  void add_row(const RunGroup& group) {
    const std::string section = name_of_section(group);
    if (table_.sections.empty() || table_.sections.back().name != section) {
      table_.sections.push_back({section, {}});
      last_group_ = nullptr;
    }
    TableRow row{.address = group.address(), .id = group.row->id, .label = group.row->label};
    row.begins_block = last_group_ != nullptr && last_group_->budget != group.budget;
    for (const ColumnDefinition& column : definition_.columns)
      row.cells.push_back(cell_of(group, column));
    table_.sections.back().rows.push_back(std::move(row));
    last_group_ = &group;
  }

  Cell cell_of(const RunGroup& group, const ColumnDefinition& column) {
    switch (column.show) {
      case Show::kLabel:
        return label_of(group);
      case Show::kAxis:
        return axis_of(group, column);
      case Show::kMean:
        return mean_of(group, column);
      case Show::kSeeds:
        return seeds_of(group);
      case Show::kMet:
        return met_of(group);
      case Show::kDifference:
        return difference_of(group, column);
      case Show::kRuns:
      case Show::kHours:
        return cost_of(group, column);
    }
    return {};
  }

  Cell label_of(const RunGroup& group) {
    Cell cell{.text = group.row->label};
    if (group.configurations > 1) {
      cell.marks.push_back(
          notes_.mark(fmt::format("Best of {} configurations by mean {}, measured on held-out "
                                  "training images; runs and hours are the totals of all of them.",
                                  group.configurations, group.row->best_of)));
    }
    if (!group.trials.empty()) {
      cell.marks.push_back(
          notes_.mark(fmt::format("Its strength was found by a search: {} more run{} with one "
                                  "seed, which runs and hours include.",
                                  group.trials.size(), group.trials.size() == 1 ? "" : "s")));
    }
    return cell;
  }

  Cell axis_of(const RunGroup& group, const ColumnDefinition& column) const {
    Cell cell;
    const auto renamed = group.row->axes.find(column.of.front());
    const bool is_renamed = renamed != group.row->axes.end() && !group.is_full_precision();
    const std::string& axis = is_renamed ? renamed->second : column.of.front();
    std::set<std::string> texts;
    for (const Run* run : group.runs) texts.insert(cell_text(run->parameters.value(axis, Json())));
    cell.text = fmt::format("{}", fmt::join(texts, ", "));
    return cell;
  }

  Cell mean_of(const RunGroup& group, const ColumnDefinition& column) {
    Cell cell;
    std::vector<const Run*> runs = group.good();
    // If no seed of a row kept its budget, its bits are shown as missed, and its accuracy is not
    // shown.
    const bool is_result = std::none_of(column.of.begin(), column.of.end(), is_size);
    if (runs.empty() && !group.missed().empty()) {
      cell.is_missed = true;
      if (!is_result) runs = group.missed();
    }
    for (const std::string& name : column.of) {
      std::vector<double> values = values_of(runs, name);
      for (double& value : values) value *= column.scale;
      cell.n = static_cast<int>(values.size());
      cell.values.push_back(values.empty() ? std::nullopt : std::optional(mean(values)));
      if (column.deviation && column.of.size() == 1) cell.deviation = standard_deviation(values);
    }
    for (const Run* run : group.runs)
      cell.sources.push_back(source_of(*run, column.of.front(), column.scale));
    if (is_result) {
      mark_missing(group, cell);
      mark_without(runs, column.of.front(), cell);
    }
    return cell;
  }

  static bool is_size(const std::string& column) {
    return column.find("_bits") != std::string::npos || column == "weight_bytes";
  }

  // Notes runs that finished without a finite number while other runs of the row have one.
  void mark_without(const std::vector<const Run*>& runs, const std::string& column, Cell& cell) {
    std::vector<std::string> seeds;
    for (const Run* run : runs) {
      if (!run->number(column)) seeds.push_back(cell_text(run->seed));
    }
    if (seeds.empty() || cell.n == 0) return;
    cell.marks.push_back(notes_.mark(fmt::format("Mean without seed {1}, whose {0} is not finite.",
                                                 column, fmt::join(seeds, ", "))));
  }

  // A mean over fewer seeds always gets a footnote.
  void mark_missing(const RunGroup& group, Cell& cell) {
    std::vector<const Run*> absent;
    for (const Run* run : group.runs) {
      if (!run->is_finished()) absent.push_back(run);
    }
    if (!absent.empty()) {
      cell.marks.push_back(
          notes_.mark(fmt::format("Mean without {} of {} seeds: {}.", absent.size(),
                                  group.runs.size(), seeds_text(absent))));
    }
    const auto missed = group.missed();
    if (missed.empty()) return;
    std::vector<std::string> seeds;
    for (const Run* run : missed) seeds.push_back(cell_text(run->seed));
    cell.marks.push_back(notes_.mark(
        fmt::format("Seed {} ended above its budget: not in means, comparisons or bold.",
                    fmt::join(seeds, ", "))));
  }

  Cell seeds_of(const RunGroup& group) const {
    Cell cell;
    cell.n = static_cast<int>(group.good().size());
    cell.values = {static_cast<double>(cell.n)};
    for (const Run* run : group.runs) cell.sources.push_back(source_of(*run, "seed", 1));
    return cell;
  }

  Cell met_of(const RunGroup& group) const {
    Cell cell;
    const size_t good = group.good().size();
    const size_t missed = group.missed().size();
    cell.n = static_cast<int>(good + missed);
    cell.is_missed = missed > 0;
    if (cell.n > 0 && !group.is_full_precision()) {
      cell.text = missed == 0 ? "met"
                  : good == 0 ? "missed"
                              : fmt::format("met in {} of {}", good, good + missed);
    }
    for (const Run* run : group.runs) cell.sources.push_back(source_of(*run, "budget_met", 1));
    return cell;
  }

  Cell difference_of(const RunGroup& group, const ColumnDefinition& column) {
    Cell cell;
    cell.values = {std::nullopt};
    const RunGroup* reference = groups_.beside(group, column.to);
    if (reference == nullptr || reference == &group || group.row->id == column.to) return cell;
    std::vector<double> differences;
    for (const Pair& pair : pairs_of(group, *reference, column.of.front())) {
      differences.push_back(pair.difference * column.scale);
      CellSource source = source_of(*pair.run, column.of.front(), column.scale);
      source.reference_key = pair.reference->key;
      source.value = differences.back();
      cell.sources.push_back(std::move(source));
    }
    cell.n = static_cast<int>(differences.size());
    if (differences.empty()) return cell;
    cell.values = {mean(differences)};
    cell.interval = t_interval(differences);
    if (differences.size() < group.good().size()) {
      cell.marks.push_back(notes_.mark(fmt::format(
          "Difference over {} of {} seeds, which both rows have.", cell.n, group.good().size())));
    }
    return cell;
  }

  Cell cost_of(const RunGroup& group, const ColumnDefinition& column) const {
    Cell cell;
    std::vector<const Run*> own = group.candidates;
    own.insert(own.end(), group.trials.begin(), group.trials.end());
    const std::vector<const Run*> runs = groups_.with_needed(own);
    double seconds = 0;
    for (const Run* run : runs) {
      seconds += run->number("seconds").value_or(0);
      cell.sources.push_back(source_of(*run, "seconds", 1 / 3600.0));
      if (column.show == Show::kRuns) cell.sources.back().value.reset();
    }
    cell.n = static_cast<int>(runs.size());
    cell.values = {column.show == Show::kRuns ? cell.n : seconds / 3600};
    return cell;
  }

  // Marks the best means at each budget if every row has enough seeds.
  void embolden(TableSection& section) {
    for (size_t c = 0; c < definition_.columns.size(); ++c) {
      const ColumnDefinition& column = definition_.columns[c];
      if (column.best.empty()) continue;
      std::map<std::vector<Json>, std::vector<Cell*>> rivals;
      for (TableRow& row : section.rows) {
        const RunGroup* group = groups_.find(row.address);
        Cell& cell = row.cells[c];
        const bool has_value = cell.n > 0 && !cell.values.empty() && cell.values.front();
        if (has_value && !cell.is_missed && !group->is_full_precision())
          rivals[group->budget].push_back(&cell);
      }
      for (const auto& [budget, cells] : rivals) embolden(cells, column);
    }
  }

  // Also marks means that look the same when printed.
  void embolden(const std::vector<Cell*>& rivals, const ColumnDefinition& column) {
    if (rivals.size() < 2) return;
    const bool are_enough = std::all_of(rivals.begin(), rivals.end(),
                                        [](const Cell* cell) { return cell->n >= kSeedsForBold; });
    (are_enough ? bold_.is_used : bold_.is_withheld) = true;
    if (!are_enough) return;
    const double sign = column.best == "max" ? 1 : -1;
    const auto value = [](const Cell* cell) { return cell->values.front().value(); };
    const double best =
        value(*std::max_element(rivals.begin(), rivals.end(), [&](const Cell* a, const Cell* b) {
          return sign * value(a) < sign * value(b);
        }));
    const auto printed = [&](double number) {
      return fmt::format("{:.{}f}", number, column.digits);
    };
    for (Cell* cell : rivals) cell->is_best = printed(value(cell)) == printed(best);
  }

  const Reader& reader_;
  const TableDefinition& definition_;
  const RunGroups groups_;
  Table table_;
  Footnotes notes_;
  const RunGroup* last_group_ = nullptr;
  std::set<std::vector<Json>> left_out_;  // values of section_by
  Bold bold_;
};

// The metric of a sweep, or the default one if the database has no such sweep.
Objective metric_of(const Reader& reader, const std::string& sweep) {
  const Rows rows = reader.query("SELECT metric, goal FROM sweep WHERE name = ?", {sweep});
  if (rows.empty()) return {};
  return {.name = rows.rows[0][0], .goal = rows.rows[0][1]};
}

}  // namespace

Table build_table(const Reader& reader, const TableDefinition& definition) {
  TableDefinition own = definition;
  if (!definition.sweeps.empty()) {
    const Objective metric = metric_of(reader, definition.sweeps.front());
    if (!own.has_own_columns) own.columns = standard_columns(own, metric);
    for (ClaimDefinition& claim : own.claims) {
      if (claim.of.empty()) claim.of = metric.name;
    }
  }
  return TableBuilder(reader, own).build();
}

}  // namespace qbitopt
