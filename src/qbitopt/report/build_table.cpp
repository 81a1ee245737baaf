#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "qbitopt/core/error.h"
#include "qbitopt/core/hash.h"
#include "qbitopt/core/names.h"
#include "qbitopt/job/budget_kinds.h"
#include "qbitopt/report/claims.h"
#include "qbitopt/report/published_rows.h"
#include "qbitopt/report/rows_format.h"
#include "qbitopt/report/run_groups.h"
#include "qbitopt/report/table.h"

namespace qbitopt {
namespace {

using Show = ColumnDefinition::Show;

// Bold asks for this many seeds of every row that is compared.
constexpr int kSeedsForBold = 5;

// A commit's first digits, and whether there were changes on top of it.
std::string version_of(const Run& run) {
  const std::string commit = cell_text(run.columns.value("commit_hash", Json()));
  if (commit.empty()) return "unknown";
  return commit.substr(0, 10) + (commit.ends_with("-dirty") && commit.size() > 10 ? "-dirty" : "");
}

// Footnotes by their text: equal ones share a mark.
class Footnotes {
 public:
  std::string mark(const std::string& text) {
    for (const Footnote& note : marked_) {
      if (note.text == text) return note.mark;
    }
    std::string mark;  // a ... z, aa, ab, ...
    for (size_t n = marked_.size() + 1; n > 0; n = (n - 1) / 26)
      mark.insert(mark.begin(), static_cast<char>('a' + (n - 1) % 26));
    marked_.push_back({mark, text});
    return mark;
  }
  void add(const std::string& text) { general_.push_back({"", text}); }
  std::vector<Footnote> take() {
    marked_.insert(marked_.end(), general_.begin(), general_.end());
    return std::move(marked_);
  }

 private:
  std::vector<Footnote> marked_;
  std::vector<Footnote> general_;
};

std::string seeds_text(const std::vector<const Run*>& runs) {
  std::vector<std::string> texts;
  for (const Run* run : runs) {
    const std::string why =
        run->state == "failed"
            ? fmt::format("failed: {}", cell_text(run->columns.value("error_class", Json("?"))))
            : (run->state == "new" ? "not run yet" : run->state);
    texts.push_back(fmt::format("seed {} ({})", cell_text(run->seed), why));
  }
  return fmt::to_string(fmt::join(texts, ", "));
}

CellSource source_of(const Run& run, const std::string& column, double scale) {
  CellSource source{.key = run.key, .seed = run.seed, .state = run.state};
  if (run.is_missed()) source.state = "missed";
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
    for (const RunGroup& group : groups_.groups()) add_row(group);
    for (TableSection& section : table_.sections) embolden(section);
    for (const ClaimDefinition& claim : definition_.claims)
      table_.claims.push_back(test_claim(claim, groups_, goal_of(claim.of)));
    table_.published = published_rows(reader_, definition_, groups_);
    add_general_notes();
    for (const Run& run : groups_.runs()) table_.jobs.push_back(run.key);
    table_.footnotes = notes_.take();
    return std::move(table_);
  }

 private:
  // What means, differences, claims and choices are of must be columns of `runs`.
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

  void add_row(const RunGroup& group) {
    std::vector<std::string> values;
    for (const Json& value : group.section) values.push_back(cell_text(value));
    const std::string section = fmt::to_string(fmt::join(values, ", "));
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
          notes_.mark(fmt::format("The best of {} configurations by {}, the mean over held-out "
                                  "training images; its runs and hours are those of all of them.",
                                  group.configurations, group.row->best_of)));
    }
    if (!group.trials.empty()) {
      cell.marks.push_back(notes_.mark(
          fmt::format("Its strength was searched for: {} more run{} at one seed, counted among its "
                      "runs and hours.",
                      group.trials.size(), group.trials.size() == 1 ? "" : "s")));
    }
    return cell;
  }

  Cell axis_of(const RunGroup& group, const ColumnDefinition& column) const {
    Cell cell;
    const std::string& axis = column.of.front();
    std::set<std::string> texts;
    for (const Run* run : group.runs) texts.insert(cell_text(run->parameters.value(axis, Json())));
    cell.text = fmt::format("{}", fmt::join(texts, ", "));
    return cell;
  }

  Cell mean_of(const RunGroup& group, const ColumnDefinition& column) {
    Cell cell;
    std::vector<const Run*> runs = group.good();
    // Bits of a row that kept its budget in no seed are shown as what was missed; its accuracy is
    // not.
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

  // Runs that finished without a finite number, though others of their row have one.
  void mark_without(const std::vector<const Run*>& runs, const std::string& column, Cell& cell) {
    std::vector<std::string> seeds;
    for (const Run* run : runs) {
      if (!run->number(column)) seeds.push_back(cell_text(run->seed));
    }
    if (seeds.empty() || cell.n == 0) return;
    cell.marks.push_back(notes_.mark(
        fmt::format("No finite {} at seed {}: not in this mean.", column, fmt::join(seeds, ", "))));
  }

  // Never silently an average over fewer seeds.
  void mark_missing(const RunGroup& group, Cell& cell) {
    std::vector<const Run*> absent;
    for (const Run* run : group.runs) {
      if (!run->is_finished()) absent.push_back(run);
    }
    if (!absent.empty()) {
      cell.marks.push_back(notes_.mark(fmt::format("{} of {} seeds missing: {}.", absent.size(),
                                                   group.runs.size(), seeds_text(absent))));
    }
    const auto missed = group.missed();
    if (missed.empty()) return;
    std::vector<std::string> seeds;
    for (const Run* run : missed) seeds.push_back(cell_text(run->seed));
    cell.marks.push_back(notes_.mark(fmt::format(
        "Above its budget at seed {}: shown as missed, in no mean, comparison or bold face.",
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
      cell.marks.push_back(notes_.mark(
          fmt::format("Over the {} of {} seeds that both have.", cell.n, group.good().size())));
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

  // At each budget, if every row has enough seeds.
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

  // All that print alike.
  void embolden(const std::vector<Cell*>& rivals, const ColumnDefinition& column) {
    if (rivals.size() < 2) return;
    const bool are_enough = std::all_of(rivals.begin(), rivals.end(),
                                        [](const Cell* cell) { return cell->n >= kSeedsForBold; });
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
    has_bold_ = true;
  }

  bool shows(Show show) const {
    return std::any_of(table_.columns.begin(), table_.columns.end(),
                       [&](const ColumnDefinition& column) { return column.show == show; });
  }

  void add_general_notes() {
    note_missing_rows();
    const bool has_deviation =
        std::any_of(table_.columns.begin(), table_.columns.end(),
                    [](const ColumnDefinition& column) { return column.deviation; });
    if (has_deviation) notes_.add("±: standard deviation over n seeds (n − 1).");
    if (shows(Show::kDifference)) {
      std::vector<std::string> texts;
      for (const ColumnDefinition& column : table_.columns) {
        if (column.show != Show::kDifference) continue;
        texts.push_back(fmt::format("“{}” is the mean difference to “{}”", column.title,
                                    definition_.find_row(column.to)->label));
      }
      notes_.add(fmt::to_string(fmt::join(texts, "; ")) +
                 ", paired by seed, at the same budget where that has one, with its 95% t "
                 "interval in brackets.");
    }
    const bool asks_for_best =
        std::any_of(table_.columns.begin(), table_.columns.end(),
                    [](const ColumnDefinition& column) { return !column.best.empty(); });
    if (asks_for_best) {
      notes_.add(fmt::format(
          "Bold: the best mean of the quantized rows at a budget, and what prints alike, "
          "where each of them has at least {} seeds{}.",
          kSeedsForBold, has_bold_ ? "" : "; here none has"));
    }
    if (shows(Show::kRuns) || shows(Show::kHours)) {
      notes_.add(
          "Runs and hours are what a row needs: its own runs and those they start from, the "
          "shared ones counted in every row.");
    }
    note_checkpoints();
    note_versions();
    for (const std::string& note : definition_.notes) notes_.add(note);
  }

  void note_missing_rows() {
    std::string missing;
    for (const RowDefinition& row : definition_.rows) {
      const bool has_runs =
          std::any_of(groups_.groups().begin(), groups_.groups().end(),
                      [&](const RunGroup& group) { return group.row->id == row.id; });
      if (!has_runs) missing += (missing.empty() ? "“" : ", “") + row.label + "”";
    }
    if (!missing.empty())
      notes_.add(fmt::format("Rows without any run in this sweep: {}.", missing));
  }

  void note_checkpoints() {
    const std::vector<const Run*> shared = groups_.shared_checkpoints();
    if (shared.empty()) return;
    std::vector<std::string> jobs;
    std::set<std::string> seeds;
    for (const Run* run : shared) {
      jobs.push_back(short_key(run->key));
      seeds.insert(cell_text(run->seed));
    }
    notes_.add(fmt::format(
        "{} from one full-precision checkpoint, a single run at seed {} (job{} {}); seeds vary the "
        "order of the images, their augmentation and the calibration.",
        shared.size() == 1 ? "All rows start" : "Rows of the same network and recipe start",
        fmt::join(seeds, ", "), shared.size() == 1 ? "" : "s", fmt::join(jobs, ", ")));
  }

  void note_versions() {
    std::map<std::string, int> versions;
    for (const Run& run : groups_.runs()) {
      if (run.is_finished()) ++versions[version_of(run)];
    }
    if (versions.size() < 2) return;
    std::vector<std::string> texts;
    for (const auto& [version, count] : versions)
      texts.push_back(fmt::format("{} ({} run{})", version, count, count == 1 ? "" : "s"));
    notes_.add(fmt::format("The runs come from {} versions of the code: {}.", versions.size(),
                           fmt::join(texts, ", ")));
  }

  const Reader& reader_;
  const TableDefinition& definition_;
  const RunGroups groups_;
  Table table_;
  Footnotes notes_;
  const RunGroup* last_group_ = nullptr;
  bool has_bold_ = false;
};

// Of a sweep that is not there the usual one.
Objective metric_of(const Reader& reader, const std::string& sweep) {
  const Rows rows = reader.query("SELECT metric, goal FROM sweep WHERE name = ?", {sweep});
  if (rows.empty()) return {};
  return {.name = rows.rows[0][0], .goal = rows.rows[0][1]};
}

std::vector<std::string> texts_of(const Rows& rows) {
  std::vector<std::string> texts;
  for (const auto& row : rows.rows) texts.push_back(row[0]);
  return texts;
}

}  // namespace

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

TableDefinition default_definition(const Reader& reader, const std::string& sweep) {
  const Rows jobs = reader.query(
      "SELECT case_name, other_cases, json_extract(job.parameters, '$.method') AS method, axes "
      "FROM "
      "sweep JOIN sweep_job ON sweep_job.sweep_id = sweep.id JOIN job ON job.id = sweep_job.job_id"
      " WHERE sweep.name = ? AND NOT orphaned AND requested ORDER BY position",
      {sweep});
  if (jobs.empty()) {
    throw InputError(fmt::format(
        "{} in {}", unknown_name("sweep", sweep, texts_of(reader.query("SELECT name FROM sweep"))),
        reader.file().string()));
  }
  TableDefinition definition{.name = sweep, .title = sweep};
  definition.sweeps = {sweep};
  std::set<std::string> axes, named;
  bool has_cases = false;
  const auto add_row = [&](const std::string& what, const std::string& name) {
    if (!named.insert(name).second) return;
    std::string id = as_id(name);
    while (definition.find_row(id)) id += "_";  // "a b" beside "a_b"
    definition.rows.push_back({.id = id, .label = name});
    definition.rows.back().where = {{what, {name}}};
  };
  for (size_t i = 0; i < jobs.size(); ++i) {
    const bool has_case = jobs.at(i, "case_name") != "";
    has_cases |= has_case;
    add_row(has_case ? "case" : "method", jobs.at(i, has_case ? "case_name" : "method"));
    const Json others = Json::parse(jobs.at(i, "other_cases").get<std::string>());
    for (const Json& other : others) add_row("case", other);
    const Json of_job = Json::parse(jobs.at(i, "axes").get<std::string>());
    for (const auto& [axis, value] : of_job.items()) axes.insert(axis);
  }
  axes.erase("seed");
  if (!has_cases) axes.erase("method");  // each has its row
  // Budgets first, so that rows at one budget stand together.
  for (const std::string& budget : budget_parameters()) {
    if (axes.erase(budget)) definition.split_by.push_back(budget);
  }
  definition.split_by.insert(definition.split_by.end(), axes.begin(), axes.end());
  definition.columns = standard_columns(definition);
  return definition;
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
