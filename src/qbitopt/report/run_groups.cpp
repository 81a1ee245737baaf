#include "qbitopt/report/run_groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"
#include "qbitopt/job/budget_kinds.h"
#include "qbitopt/job/known_metrics.h"
#include "qbitopt/report/rows_format.h"
#include "qbitopt/report/statistics.h"
#include "qbitopt/runlog/queries.h"

namespace qbitopt {
namespace {

// 3 and 3.0 are the same value, and so is the text "3".
bool is_same(const Json& a, const Json& b) { return a == b || cell_text(a) == cell_text(b); }

bool fulfils(const Run& run, const Conditions& conditions) {
  for (const auto& [name, accepted] : conditions) {
    std::vector<Json> values = {run.parameters.value(name, Json())};
    if (name == "case") values.assign(run.cases.begin(), run.cases.end());
    const bool is_accepted =
        std::any_of(values.begin(), values.end(), [&accepted = accepted](const Json& value) {
          return std::any_of(accepted.begin(), accepted.end(),
                             [&](const Json& other) { return is_same(value, other); });
        });
    if (!is_accepted) return false;
  }
  return true;
}

// `renamed`: axes whose values come from another parameter.
std::vector<Json> values_at(const Run& run, const std::vector<std::string>& axes,
                            const std::map<std::string, std::string>& renamed = {}) {
  std::vector<Json> values;
  for (const std::string& axis : axes) {
    const auto other = renamed.find(axis);
    values.push_back(run.parameters.value(other == renamed.end() ? axis : other->second, Json()));
  }
  return values;
}

// Also for decimals stored as text, so that 2.5 is exact.
std::optional<double> number_of(const Json& value) {
  if (value.is_number()) return value.get<double>();
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  return !text.empty() && *end == '\0' ? std::optional(number) : std::nullopt;
}

// Values that do not apply come first, then numbers in descending order, then texts, which are
// equivalent.
bool is_before(const Json& a, const Json& b) {
  if (a.is_null() != b.is_null()) return a.is_null();
  const auto x = number_of(a);
  const auto y = number_of(b);
  return x && (!y || *x > *y);
}

bool is_before(const std::vector<Json>& a, const std::vector<Json>& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (is_before(a[i], b[i]) || is_before(b[i], a[i])) return is_before(a[i], b[i]);
  }
  return false;
}

// The values that may distinguish groups of one row in a section.
std::vector<Json> limits_of(const RunGroup& group) {
  std::vector<Json> values = group.split;
  values.insert(values.end(), group.budget.begin(), group.budget.end());
  return values;
}

// The section of a group and the values of limits_of() that `has` marks. A reference that has only
// those values must have the same ones.
std::vector<std::string> reference_texts(const RunGroup& group, const std::vector<bool>& has) {
  std::vector<std::string> texts;
  for (const Json& value : group.section) texts.push_back(cell_text(value));
  const std::vector<Json> values = limits_of(group);
  for (size_t i = 0; i < values.size(); ++i) {
    if (has[i]) texts.push_back(cell_text(values[i]));
  }
  return texts;
}

// The columns of `runs` and the parameters that a table uses. Others are not kept, because a sweep
// may have a hundred thousand runs.
std::set<std::string> columns_of(const TableDefinition& definition) {
  std::set<std::string> names = {"state",      "error_class", "commit_hash",
                                 "budget_met", "counts",      "weight_bits",
                                 "seconds",    "seed",        "top1"};
  for (const ColumnDefinition& column : definition.columns)
    names.insert(column.of.begin(), column.of.end());
  for (const RowDefinition& row : definition.rows) names.insert(row.best_of);
  for (const ClaimDefinition& claim : definition.claims) names.insert(claim.of);
  return names;
}

std::set<std::string> parameters_of(const TableDefinition& definition) {
  std::set<std::string> names(budget_parameters().begin(), budget_parameters().end());
  names.insert("seed");
  names.insert(definition.section_by.begin(), definition.section_by.end());
  names.insert(definition.split_by.begin(), definition.split_by.end());
  for (const ColumnDefinition& column : definition.columns)
    names.insert(column.of.begin(), column.of.end());
  for (const RowDefinition& row : definition.rows) {
    for (const auto& [name, values] : row.where) names.insert(name);
    for (const auto& [axis, name] : row.axes) names.insert(name);
  }
  return names;
}

// All parameters of the first of these runs.
std::vector<Json> parameters_of(const Reader& reader, const std::vector<const Run*>& runs) {
  constexpr size_t kMost = 1000;
  std::vector<Json> all;
  for (size_t i = 0; i < std::min(runs.size(), kMost); ++i)
    all.push_back(stored_job(reader, runs[i]->key).parameters);
  return all;
}

// "reallocation.tau (20, 40)": the parameters in which runs of one row differ.
std::string differences(const std::vector<Json>& runs) {
  std::map<std::string, std::set<std::string>> values;
  std::set<std::string> names;
  for (const Json& parameters : runs) {
    for (const auto& [name, value] : parameters.items()) names.insert(name);
  }
  for (const std::string& name : names) {
    if (name == "seed") continue;
    for (const Json& parameters : runs)
      values[name].insert(cell_text(parameters.value(name, Json("none"))));
  }
  std::vector<std::string> differing;
  for (const auto& [name, set] : values) {
    if (set.size() > 1) differing.push_back(fmt::format("{} ({})", name, fmt::join(set, ", ")));
  }
  if (differing.empty()) return "the version of a part or in the data only (`qbitopt show KEY`)";
  return fmt::to_string(fmt::join(differing, ", "));
}

using ByConfiguration = std::map<std::string, std::vector<const Run*>>;

const std::vector<const Run*>& best_of(const ByConfiguration& configurations,
                                       const std::string& column) {
  const bool smaller_is_better = goal_of(column) == "min";
  std::map<std::string, std::vector<double>> values_by_key;  // of runs within their budget
  size_t most = 0;
  for (const auto& [key, runs] : configurations) {
    std::vector<const Run*> good;
    std::copy_if(runs.begin(), runs.end(), std::back_inserter(good),
                 [](const Run* run) { return run->is_good; });
    values_by_key[key] = values_of(good, column);
    most = std::max(most, values_by_key[key].size());
  }
  const std::vector<const Run*>* best = &configurations.begin()->second;
  std::optional<double> best_value;
  for (const auto& [key, runs] : configurations) {
    const std::vector<double>& values = values_by_key[key];
    // a configuration that lost runs cannot win
    if (values.empty() || values.size() < most) continue;
    const double value = smaller_is_better ? -mean(values) : mean(values);
    if (best_value && value <= *best_value) continue;
    best_value = value;
    best = &runs;
  }
  return *best;
}

}  // namespace

const Json& Run::column(const std::string& name) const {
  static const Json null;
  if (column_names == nullptr) return null;
  const auto found = std::lower_bound(column_names->begin(), column_names->end(), name);
  if (found == column_names->end() || *found != name) return null;
  return columns[found - column_names->begin()];
}

std::optional<double> Run::number(const std::string& name) const {
  const Json& value = column(name);
  if (!value.is_number()) return std::nullopt;
  // Runs without quantizers report no bytes.
  if (is_full_precision && name == "weight_bytes") return std::nullopt;
  return value.get<double>();
}

std::vector<const Run*> RunGroup::good() const {
  std::vector<const Run*> chosen;
  std::copy_if(runs.begin(), runs.end(), std::back_inserter(chosen),
               [](const Run* run) { return run->is_good; });
  return chosen;
}

std::vector<const Run*> RunGroup::missed() const {
  std::vector<const Run*> chosen;
  std::copy_if(runs.begin(), runs.end(), std::back_inserter(chosen),
               [](const Run* run) { return run->is_missed; });
  return chosen;
}

bool RunGroup::is_full_precision() const {
  return std::any_of(runs.begin(), runs.end(),
                     [](const Run* run) { return run->is_full_precision; });
}

std::string RunGroup::address() const {
  std::string text;
  for (const Json& value : section) text += cell_text(value) + "/";
  text += row->id;
  const char* separator = "@";
  for (const Json& value : split) {
    if (value.is_null()) continue;
    text += separator + cell_text(value);
    separator = ",";
  }
  return text;
}

std::vector<double> values_of(const std::vector<const Run*>& runs, const std::string& column) {
  std::vector<double> values;
  for (const Run* run : runs) {
    if (const auto value = run->number(column)) values.push_back(*value);
  }
  return values;
}

std::vector<Pair> pairs_of(const RunGroup& group, const RunGroup& reference,
                           const std::string& column) {
  std::vector<Pair> pairs;
  for (const Run* run : group.good()) {
    for (const Run* other : reference.good()) {
      if (!is_same(run->seed, other->seed)) continue;
      const auto ours = run->number(column);
      const auto theirs = other->number(column);
      if (ours && theirs) pairs.push_back({run, other, *ours - *theirs});
    }
  }
  return pairs;
}

namespace {

// `text` within marks, which are doubled in it.
std::string marked(const std::string& text, char mark) {
  std::string out(1, mark);
  for (const char c : text) out += std::string(c == mark ? 2 : 1, c);
  return out + mark;
}

std::string runs_of_sweep(const std::string& sweep, const std::string& columns) {
  return fmt::format(
      "SELECT {}\n"
      "FROM sweep\n"
      "JOIN sweep_job ON sweep_job.sweep_id = sweep.id AND NOT sweep_job.orphaned\n"
      "JOIN job ON job.id = sweep_job.job_id\n"
      "JOIN runs ON runs.key = job.key\n"
      "WHERE sweep.name = {}\n"
      "ORDER BY sweep_job.position",
      columns, marked(sweep, '\''));
}

// A JSON list of the values of these parameters (two or more), null where a job has none. SQLite
// takes them out of the parameters faster than all of those are read as JSON.
std::string list_of_values(const std::vector<std::string>& parameters) {
  std::string paths;
  for (const std::string& name : parameters) paths += ", " + marked("$.\"" + name + "\"", '\'');
  return "json_extract(job.parameters" + paths + ")";
}

}  // namespace

std::string runs_of_sweep(const std::string& sweep) {
  return runs_of_sweep(sweep,
                       "job.parameters AS all_parameters, sweep_job.case_name, sweep_job.trial, "
                       "sweep_job.other_cases, runs.*");
}

RunGroups::RunGroups(const Reader& reader, const TableDefinition& definition) {
  load(reader, definition);
  load_needs(reader);
  put_into_rows(definition,
                [&](const std::vector<const Run*>& runs) { return parameters_of(reader, runs); });
}

RunGroups::RunGroups(std::vector<Run> runs, const TableDefinition& definition)
    : runs_(std::move(runs)) {
  for (size_t i = 0; i < runs_.size(); ++i) index_.emplace(runs_[i].key, i);
  put_into_rows(definition, [](const std::vector<const Run*>& runs) {
    std::vector<Json> all;
    for (const Run* run : runs) all.push_back(run->parameters);
    return all;
  });
}

void RunGroups::put_into_rows(const TableDefinition& definition,
                              const ParametersOf& parameters_of) {
  for (const RowDefinition& row : definition.rows) add_groups(row, definition, parameters_of);
  std::vector<std::vector<Json>> sections;
  for (const Run& run : runs_) {
    const auto section = values_at(run, definition.section_by);
    if (std::find(sections.begin(), sections.end(), section) == sections.end())
      sections.push_back(section);
  }
  const auto place = [&](const RunGroup& group) {
    return std::find(sections.begin(), sections.end(), group.section) - sections.begin();
  };
  std::stable_sort(groups_.begin(), groups_.end(), [&](const RunGroup& a, const RunGroup& b) {
    if (place(a) != place(b)) return place(a) < place(b);
    if (is_before(a.budget, b.budget) || is_before(b.budget, a.budget))
      return is_before(a.budget, b.budget);
    return a.row != b.row ? a.row < b.row : is_before(a.split, b.split);
  });
  for (size_t i = 0; i < groups_.size(); ++i) addresses_.emplace(groups_[i].address(), i);
  index_references();
}

void RunGroups::load(const Reader& reader, const TableDefinition& definition) {
  columns_ = reader.query("SELECT * FROM runs LIMIT 0").columns;
  std::string selected =
      "runs.key, runs.config_key, sweep_job.case_name, sweep_job.other_cases, sweep_job.trial";
  RowContent content;
  for (const std::string& name : parameters_of(definition)) {
    if (name.find('"') == std::string::npos) content.parameters.push_back(name);
  }
  selected += ", " + list_of_values(content.parameters);
  std::vector<std::string> chosen;
  const std::set<std::string> known(columns_.begin(), columns_.end());
  for (const std::string& name : columns_of(definition)) {
    if (!known.contains(name)) continue;
    chosen.push_back(name);
    selected += ", runs." + marked(name, '"');
  }
  content.columns = std::make_shared<const std::vector<std::string>>(std::move(chosen));
  for (const std::string& sweep : definition.sweeps) {
    size_t count = 0;
    reader.for_each(
        runs_of_sweep(sweep, selected), [](const auto&) {},
        [&](const auto& row) {
          ++count;
          add_run(row, content);
        });
    if (count == 0) {
      std::vector<std::string> known;
      for (const auto& row : reader.query("SELECT name FROM sweep").rows) known.push_back(row[0]);
      throw InputError(fmt::format("table {}: {} in {}; run the sweep with `qbitopt run {}`",
                                   definition.name, unknown_name("sweep", sweep, known),
                                   reader.file().string(), sweep));
    }
  }
}

void RunGroups::add_run(const std::vector<Json>& row, const RowContent& content) {
  Run run;
  run.key = row[0];
  if (!index_.try_emplace(run.key, runs_.size()).second) return;
  run.config_key = row[1];
  if (row[2] != "") run.cases.push_back(row[2]);
  if (row[3] != "[]") {
    for (const Json& other : Json::parse(row[3].get_ref<const std::string&>()))
      run.cases.push_back(other);
  }
  run.is_trial = row[4] > 0;
  Json values = Json::parse(row[5].get_ref<const std::string&>());
  for (size_t i = 0; i < content.parameters.size(); ++i) {
    if (!values[i].is_null()) run.parameters[content.parameters[i]] = std::move(values[i]);
  }
  run.column_names = content.columns;
  run.columns.assign(row.begin() + 6, row.end());
  run.state = run.column("state");
  run.seed = run.parameters.value("seed", Json());
  run.is_full_precision = run.column("weight_bits") == 32.0;
  run.is_missed = run.is_finished() && !run.is_full_precision && run.column("budget_met") == 0;
  run.is_good = run.is_finished() && run.column("counts") == 1;
  runs_.push_back(std::move(run));
}

void RunGroups::load_needs(const Reader& reader) {
  const Rows rows = reader.query(
      "SELECT job.key, need, needed.key FROM job_dependency JOIN job ON job.id = job_id"
      " JOIN job AS needed ON needed.id = needed_job_id");
  const auto place = [&](const Json& key) {
    return index_.try_emplace(key.get<std::string>(), index_.size()).first->second;
  };
  for (const auto& row : rows.rows) {
    const size_t job = place(row[0]), needed = place(row[2]);
    needs_.resize(index_.size());
    needs_[job].emplace_back(row[1], needed);
  }
  needs_.resize(index_.size());
}

void RunGroups::add_groups(const RowDefinition& row, const TableDefinition& definition,
                           const ParametersOf& parameters_of) {
  const size_t first = groups_.size();
  std::map<std::vector<std::string>, size_t> places;  // section and split as text -> its group
  for (const Run& run : runs_) {
    if (!fulfils(run, row.where)) continue;
    const auto section = values_at(run, definition.section_by, row.axes);
    const auto split = values_at(run, definition.split_by, row.axes);
    std::vector<std::string> texts;
    for (const Json& value : section) texts.push_back(cell_text(value));
    for (const Json& value : split) texts.push_back(cell_text(value));
    const auto [place, is_new] = places.emplace(std::move(texts), groups_.size());
    if (is_new) {
      RunGroup& made = groups_.emplace_back();
      made.row = &row;
      made.section = section;
      made.split = split;
      made.budget = values_at(run, budget_parameters(), row.axes);
    }
    RunGroup& group = groups_[place->second];
    (run.is_trial ? group.trials : group.candidates).push_back(&run);
  }
  for (size_t i = first; i < groups_.size(); ++i) {
    RunGroup& group = groups_[i];
    ByConfiguration configurations;
    if (group.candidates.empty()) continue;  // its search has not ended
    for (const Run* run : group.candidates) configurations[run->config_key].push_back(run);
    group.configurations = configurations.size();
    if (configurations.size() > 1 && row.best_of.empty()) {
      throw InputError(
          fmt::format("table {}: row '{}' selects {} configurations, which differ in {}, but a row "
                      "shows only one; narrow its `where`, add the axis to split_by, or choose "
                      "with `best_of: validation_top1`",
                      definition.name, group.address(), configurations.size(),
                      differences(parameters_of(group.candidates))));
    }
    group.runs = row.best_of.empty() ? group.candidates : best_of(configurations, row.best_of);
    const auto by_seed = [](const Run* a, const Run* b) { return a->seed < b->seed; };
    std::stable_sort(group.runs.begin(), group.runs.end(), by_seed);
  }
}

void RunGroups::index_references() {
  for (size_t i = 0; i < groups_.size(); ++i) {
    const RunGroup& group = groups_[i];
    std::vector<bool> has;
    for (const Json& value : limits_of(group)) has.push_back(!value.is_null());
    std::vector<References>& kinds = references_[group.row->id];
    auto kind = std::find_if(kinds.begin(), kinds.end(),
                             [&](const References& references) { return references.has == has; });
    if (kind == kinds.end()) kind = kinds.insert(kind, {has, {}});
    kind->groups.emplace(reference_texts(group, has), i);
  }
}

const RunGroup* RunGroups::beside(const RunGroup& group, const std::string& id) const {
  const auto kinds = references_.find(id);
  if (kinds == references_.end()) return nullptr;
  size_t first = groups_.size();
  for (const References& kind : kinds->second) {
    const auto found = kind.groups.find(reference_texts(group, kind.has));
    if (found != kind.groups.end()) first = std::min(first, found->second);
  }
  return first < groups_.size() ? &groups_[first] : nullptr;
}

const RunGroup* RunGroups::find(const std::string& address) const {
  const auto found = addresses_.find(address);
  return found == addresses_.end() ? nullptr : &groups_[found->second];
}

std::vector<const Run*> RunGroups::with_needed(const std::vector<const Run*>& runs) const {
  std::vector<const Run*> all;
  std::vector<bool> is_seen(index_.size());
  std::vector<size_t> waiting;
  for (const Run* run : runs) waiting.push_back(run - runs_.data());
  while (!waiting.empty()) {
    const size_t place = waiting.back();
    waiting.pop_back();
    if (is_seen[place]) continue;
    is_seen[place] = true;
    if (place < runs_.size()) all.push_back(&runs_[place]);
    if (place >= needs_.size()) continue;
    for (const auto& [need, needed] : needs_[place]) waiting.push_back(needed);
  }
  return all;
}

std::vector<const Run*> RunGroups::shared_checkpoints() const {
  std::vector<int> users(index_.size());
  for (size_t i = 0; i < std::min(runs_.size(), needs_.size()); ++i) {
    for (const auto& [need, needed] : needs_[i]) users[needed] += need == "fp32_checkpoint";
  }
  std::vector<const Run*> shared;
  for (size_t i = 0; i < runs_.size(); ++i) {
    if (users[i] > 1) shared.push_back(&runs_[i]);
  }
  return shared;
}

}  // namespace qbitopt
