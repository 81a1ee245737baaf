#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "qbitopt/config/objective.h"
#include "qbitopt/config/yaml.h"
#include "qbitopt/core/json.h"

namespace qbitopt {

// The definition of a comparison, as a file under results/ writes it:
//
//   title: Fashion-MNIST at a few bits
//   sweep: quick                        # whose runs; default: see `sweeps`
//   split_by: [budget.average_bits]     # a row for each value of these axes
//   rows:                               # id: which runs
//     fixed:   {label: fixed precision, where: {method: fixed_precision}}
//     qbitopt: {label: QBitOpt, where: {method: qbitopt}}
//   columns:                            # default: standard_columns()
//     top1:    {show: mean, of: top1, digits: 2, deviation: true, best: max}
//     against: {show: difference, of: top1, to: fixed}
//   claims:
//     - {say: QBitOpt beats fixed precision at 3 bits, better: qbitopt, than: fixed, at: [3]}
//   notes: [free text]
//   expect:
//     qbitopt@3:top1: {value: 86.1, tolerance: 0.5}

// Selects runs: parameter (or `case` of the sweep) -> accepted values. null: the parameter is
// absent.
using Conditions = std::vector<std::pair<std::string, std::vector<Json>>>;

struct RowDefinition {
  std::string id;
  std::string label;  // default: the id
  Conditions where;
  // Of several configurations, the row shows the one with the best mean of this column of `runs`,
  // which must be measured on held-out training images ("validation_top1"). Empty: several
  // configurations are an error.
  std::string best_of;
  // Axis of section_by or split_by -> the parameter that has its value in this row, if the runs do
  // not have the axis itself: {budget.average_bits: fp32_continued.beside}.
  std::map<std::string, std::string> axes;
};

struct ColumnDefinition {
  enum class Show {
    kLabel,  // the row's label
    kAxis,   // value of the axis `of`
    kMean,   // over the seeds, of columns of `runs`; with `deviation`
    kSeeds,  // number of seeds in the means
    kMet,    // whether the budget was kept: met, missed, or in how many seeds
    // difference to the mean of `of` in the row `to`, paired by seed, with a t interval
    kDifference,
    kRuns,  // number of training runs: the row's own and those that they need, each once
    kHours  // total hours of these runs
  };
  std::string name;
  Show show = Show::kMean;
  std::string title;            // default: the name
  std::vector<std::string> of;  // several are shown as "a / b"
  std::string to;               // of kDifference: the row's id
  int digits = 2;
  double scale = 1;        // values are multiplied by it
  bool deviation = false;  // of kMean
  std::string best;        // "max" or "min": which mean is bold; empty: none
};

// The name of a kind of column in a file: "mean".
std::string name_of(ColumnDefinition::Show show);

// A claim that is stated before the runs. It is tested by sign flips over pairs with the same seed
// and the same values of the split axes.
struct ClaimDefinition {
  std::string say;
  std::string better;    // row's id
  std::string than;      // row's id
  std::vector<Json> at;  // values of the first split axis; empty: all
  std::string of;        // column of `runs`; empty: the sweep's metric
};

// Published numbers beside one of our rows. Each is compared by its difference to its own fp32
// network.
struct PublishedDefinition {
  std::string row;  // address of ours: "fixed@4"; empty: only theirs. Left out where the table's
                    // runs have no such section ("resnet50/fixed@4")
  std::map<std::string, std::vector<Json>> where;  // columns of the view `published`
};

struct Expectation {
  double value = 0;
  double tolerance = 0;
};

struct TableDefinition {
  std::string name;   // the file's, without .yaml
  std::string title;  // default: the name
  std::string text;   // of the file, verbatim
  // Sweeps whose runs the table shows. Empty if the file names none: the caller chooses them, so
  // that several sweeps can share a definition.
  std::vector<std::string> sweeps;
  std::vector<std::string> section_by;  // axes with a table for each value
  std::vector<std::string> split_by;    // axes with a row for each value within a section
  std::vector<RowDefinition> rows;
  std::vector<ColumnDefinition> columns;
  bool has_own_columns = false;  // true: from the file; false: standard_columns()
  std::vector<ClaimDefinition> claims;
  std::string fp32_row;  // row that is "our own fp32" beside published numbers
  std::vector<PublishedDefinition> published;
  std::vector<std::string> notes;
  std::vector<std::pair<std::string, Expectation>> expectations;  // "ROW:COLUMN" -> value
  // Places where the file names parameters and columns of `runs`, for a check before the runs.
  std::vector<std::pair<std::string, Place>> parameters;
  std::vector<std::pair<std::string, Place>> columns_of_runs;

  const RowDefinition* find_row(const std::string& id) const;
};

// Throws InputError with file:line:column for unknown keys and values of the wrong kind.
TableDefinition read_table_definition(const std::filesystem::path& file);
TableDefinition parse_table_definition(const std::string& source_name, const std::string& text);

// The columns of a table whose definition names none: those of standard_columns.h for this metric,
// without differences to rows that the table does not have, and one for each axis of split_by
// except the budget, so that no two rows look the same. A budget in bytes or bit operations among
// those axes has a second column with the amount that was used.
std::vector<ColumnDefinition> standard_columns(const TableDefinition& definition,
                                               const Objective& metric = {});

// `text` as the id of a row or column, which may not contain the separators of addresses
// ("ROW@VALUE:COLUMN").
std::string as_id(std::string text);

}  // namespace qbitopt
