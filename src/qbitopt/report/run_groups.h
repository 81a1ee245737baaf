#pragma once

// Internal to the report: assigns the runs of a table to its rows.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "qbitopt/report/table_definition.h"
#include "qbitopt/runlog/reader.h"

namespace qbitopt {

// A job of the table's sweeps.
struct Run {
  std::string key;
  std::string config_key;
  std::string state;               // of the job: "finished", ...
  std::vector<std::string> cases;  // the sweep's
  Json parameters;                 // dotted name -> value; only those that the table uses
  Json seed;
  bool is_trial = false;  // a run of a search that chose another strength
  bool is_full_precision = false;
  bool is_missed = false;  // finished above its budget; it is shown as missed and is in no mean
  bool is_good = false;    // part of means, as in the column `counts`
  // Names of columns of the view `runs`, sorted, and the values of the run; only those that the
  // table uses.
  std::shared_ptr<const std::vector<std::string>> column_names;
  std::vector<Json> columns;

  bool is_finished() const { return state == "finished"; }
  const Json& column(const std::string& name) const;  // null: not given
  std::optional<double> number(const std::string& name) const;
};

// The runs of one row: a configuration with several seeds.
struct RunGroup {
  const RowDefinition* row = nullptr;
  std::vector<Json> section;     // values of section_by
  std::vector<Json> split;       // values of split_by; null: does not apply
  std::vector<Json> budget;      // its limits: average_bits, weights, activations, joint
  std::vector<const Run*> runs;  // by seed
  // Runs of all configurations from which best_of chose; without best_of, the same as `runs`.
  std::vector<const Run*> candidates;
  std::vector<const Run*> trials;  // runs of the search for its strength that were not chosen
  size_t configurations = 1;

  std::vector<const Run*> good() const;
  std::vector<const Run*> missed() const;
  bool is_full_precision() const;
  // "resnet8/qbitopt@2.5": section, row and split values, those that apply.
  std::string address() const;
};

// Values of a column over the good runs, and the differences to another group's at equal seeds.
std::vector<double> values_of(const std::vector<const Run*>& runs, const std::string& column);
struct Pair {
  const Run* run;
  const Run* reference;
  double difference;
};
std::vector<Pair> pairs_of(const RunGroup& group, const RunGroup& reference,
                           const std::string& column);

// The SQL that gives the runs of a sweep to a table, its name filled in.
std::string runs_of_sweep(const std::string& sweep);

// Runs and rows of one table. Not copyable: groups point to runs.
class RunGroups {
 public:
  // Throws InputError if a sweep is not in the database, or if a row selects several configurations
  // without a rule to choose one.
  RunGroups(const Reader& reader, const TableDefinition& definition);
  // The same for runs that are not in a database yet, without the runs that they need.
  RunGroups(std::vector<Run> runs, const TableDefinition& definition);
  RunGroups(const RunGroups&) = delete;

  const std::vector<Run>& runs() const { return runs_; }
  // Names of all columns of the view `runs`.
  const std::vector<std::string>& columns() const { return columns_; }
  // In the order of the table: sections in the order of the sweeps; within a section, rows without
  // a budget, then descending budgets; within a budget, rows in the order of the definition, each
  // with its split values: numbers descending, texts in the order of the sweeps.
  const std::vector<RunGroup>& groups() const { return groups_; }
  // The group of row `id` with which `group` can be compared; null if there is none. Both are in
  // one section, and `group` has every split value and limit of the returned group: a row with a
  // budget can be compared with one without a budget, but not the reverse.
  const RunGroup* beside(const RunGroup& group, const std::string& id) const;
  const RunGroup* find(const std::string& address) const;

  // These runs and those that they need, directly or indirectly, each once.
  std::vector<const Run*> with_needed(const std::vector<const Run*>& runs) const;
  // Runs from whose model other runs start.
  std::vector<const Run*> shared_checkpoints() const;

 private:
  void load(const Reader& reader, const TableDefinition& definition);
  // All parameters of some runs, for a message.
  using ParametersOf = std::function<std::vector<Json>(const std::vector<const Run*>&)>;
  void put_into_rows(const TableDefinition& definition, const ParametersOf& parameters_of);
  void load_needs(const Reader& reader);
  void index_references();
  // What load() selects of a run: key, config_key, case, other cases, trial, a list of these
  // parameters, then these columns of `runs`.
  struct RowContent {
    std::vector<std::string> parameters;
    std::shared_ptr<const std::vector<std::string>> columns;
  };
  void add_run(const std::vector<Json>& row, const RowContent& content);
  void add_groups(const RowDefinition& row, const TableDefinition& definition,
                  const ParametersOf& parameters_of);

  std::vector<std::string> columns_;  // of `runs`
  std::vector<Run> runs_;
  std::map<std::string, size_t> index_;  // key -> position in runs_, or beyond its end
  // By such a position: need, position.
  std::vector<std::vector<std::pair<std::string, size_t>>> needs_;
  std::vector<RunGroup> groups_;
  std::map<std::string, size_t> addresses_;  // address -> position in groups_
  // The groups of one row for which the same split values and limits are given.
  struct References {
    std::vector<bool> has;  // split values, then limits
    // values -> index in groups_ of the first group
    std::map<std::vector<std::string>, size_t> groups;
  };
  std::map<std::string, std::vector<References>> references_;  // by the row's id
};

}  // namespace qbitopt
