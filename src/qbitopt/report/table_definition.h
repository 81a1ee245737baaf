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

// What a comparison shows, as a file under results/ says:
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

// Which runs: parameter (or `case`, the sweep's) -> accepted values. null: the parameter is absent.
using Conditions = std::vector<std::pair<std::string, std::vector<Json>>>;

struct RowDefinition {
  std::string id;
  std::string label;  // default: the id
  Conditions where;
  // Runs of several configurations: take the one with the best mean of this column of `runs`, which
  // must come from held-out training images ("validation_top1"). Empty: several are an error.
  std::string best_of;
  // Axis of section_by or split_by -> the parameter that has its value in this row, where the runs
  // do not have the axis itself: {budget.average_bits: fp32_continued.beside}.
  std::map<std::string, std::string> axes;
};

struct ColumnDefinition {
  enum class Show {
    kLabel,       // the row's label
    kAxis,        // value of the axis `of`
    kMean,        // over the seeds, of columns of `runs`; with `deviation`
    kSeeds,       // how many seeds the means are made of
    kMet,         // was the budget kept: met, missed, or in how many seeds
    kDifference,  // mean of `of` less that of the row `to`, paired by seed, with a t interval
    kRuns,        // training runs needed: the row's own and those that they need, each once
    kHours        // hours that those took, one after another
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

// As the file says it: "mean".
std::string name_of(ColumnDefinition::Show show);

// A headline, fixed before the runs. Tested by sign flips over pairs of the same seed and the same
// values of the split axes.
struct ClaimDefinition {
  std::string say;
  std::string better;    // row's id
  std::string than;      // row's id
  std::vector<Json> at;  // values of the first split axis; empty: all
  std::string of;        // column of `runs`; empty: the sweep's metric
};

// Numbers of others beside a row of ours. Compared are the differences to each one's own fp32.
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
  // Whose runs. Empty where the file names none: whoever builds the table says which, so that
  // several sweeps can share a definition.
  std::vector<std::string> sweeps;
  std::vector<std::string> section_by;  // axes: a table of its own for each value
  std::vector<std::string> split_by;    // axes: within a section, a row for each value
  std::vector<RowDefinition> rows;
  std::vector<ColumnDefinition> columns;
  bool has_own_columns = false;  // the file names them; else they are standard_columns()
  std::vector<ClaimDefinition> claims;
  std::string fp32_row;  // row that is "our own fp32" beside published numbers
  std::vector<PublishedDefinition> published;
  std::vector<std::string> notes;
  std::vector<std::pair<std::string, Expectation>> expectations;  // "ROW:COLUMN" -> value
  // Where the file names parameters, and columns of `runs`: to check before there are runs.
  std::vector<std::pair<std::string, Place>> parameters;
  std::vector<std::pair<std::string, Place>> columns_of_runs;

  const RowDefinition* find_row(const std::string& id) const;
};

// Throws InputError with file:line:column for what is unknown or of the wrong kind.
TableDefinition read_table_definition(const std::filesystem::path& file);
TableDefinition parse_table_definition(const std::string& source_name, const std::string& text);

// The columns of a table whose definition names none: those of standard_columns.h, about this
// metric, without differences to rows that it does not have, and one for each axis of split_by
// besides the budget, so that no two rows read alike. A budget in bytes or bit operations among
// those axes has a second column, of what was used.
std::vector<ColumnDefinition> standard_columns(const TableDefinition& definition,
                                               const Objective& metric = {});

// `text` as an id of a row or column: addresses are "ROW@VALUE:COLUMN".
std::string as_id(std::string text);

}  // namespace qbitopt
