#pragma once

#include <optional>
#include <string>
#include <vector>

#include "qbitopt/report/statistics.h"
#include "qbitopt/report/table_definition.h"
#include "qbitopt/runlog/reader.h"

namespace qbitopt {

// A run behind a cell.
struct CellSource {
  std::string key;            // the run
  std::string reference_key;  // the run it is compared with; empty: none
  Json seed;
  std::optional<double> value;  // its contribution to the cell
  std::string state;            // "finished", "missed", "failed", "new", ...
};

struct Cell {
  std::vector<std::optional<double>> values;  // one for each of the column's `of`, scaled
  std::optional<double> deviation;            // standard deviation (n - 1), of a single value
  std::optional<Interval> interval;           // 95% t interval, of a difference
  int n = 0;                                  // number of values behind it
  std::string text;                           // of a cell that is not a number
  bool is_best = false;
  bool is_missed = false;          // from runs above their budget, which are in no comparison
  std::vector<std::string> marks;  // footnotes: "a"
  std::vector<CellSource> sources;
};

struct TableRow {
  std::string address;  // "qbitopt@2.5"
  std::string id;       // of the definition
  std::string label;
  bool begins_block = false;  // its budget differs from that of the row before
  std::vector<Cell> cells;    // one for each column
};

struct TableSection {
  std::string name;  // values of section_by; empty without
  std::vector<TableRow> rows;
};

struct Footnote {
  std::string mark;  // empty: of the table as a whole
  std::string text;
};

struct ClaimResult {
  ClaimDefinition claim;
  SignFlipTest test;
  double adjusted_p = 1;  // after Holm's correction for the table's claims that have runs
  int expected_pairs = 0;
  std::vector<std::string> absent;  // values of the claim's `at` that no row has
  std::string verdict;              // "holds", "not shown", "the opposite holds", "no runs yet"
  std::string text;                 // the result as a sentence
};

// A published number beside ours. A missing number, published or ours, is blank.
struct PublishedRow {
  std::string model, method, weight_bits, activation_bits, constraint;
  std::optional<double> top1;
  std::optional<double> fp32_top1;  // of the source's own network; blank if the source gives none
  std::optional<double> delta;      // top1 - fp32_top1
  std::string our_row;              // address; empty: none
  std::optional<double> our_top1;
  std::optional<double> our_delta;         // to our own fp32
  std::optional<double> delta_difference;  // our_delta - delta
  std::string source_title, source_url, quoted_from;
};

// The columns that every format shows of a published row, before its source.
struct PublishedColumn {
  const char* title;
  std::string (*text)(const PublishedRow&);  // null: a number
  std::optional<double> PublishedRow::*number = nullptr;
  bool is_difference = false;
};
const std::vector<PublishedColumn>& published_columns();

// A comparison as values, which every format writes in its own way.
struct Table {
  std::string name;
  std::string title;
  std::vector<std::string> sweeps;
  std::vector<ColumnDefinition> columns;
  std::vector<TableSection> sections;
  std::vector<ClaimResult> claims;
  std::vector<PublishedRow> published;
  std::vector<Footnote> footnotes;  // marked ones first
  std::vector<std::string> jobs;    // keys of the runs in it

  const TableRow* find_row(const std::string& address) const;
  // The cell at "ROW:COLUMN". Throws InputError that lists the known rows or columns.
  const Cell& cell(const std::string& address) const;
};

// Builds the table. Throws InputError if the sweep is not in the database, or if the definition
// does not fit its runs.
Table build_table(const Reader& reader, const TableDefinition& definition);

// A definition for a sweep that has none: a row for each case (without cases: for each method),
// split by the axes that vary within one. Throws InputError for an unknown sweep.
TableDefinition default_definition(const Reader& reader, const std::string& sweep);

// The expectations of the definition that are not met, one line each; empty: all are met.
std::vector<std::string> check_expectations(const Table& table, const TableDefinition& definition);

}  // namespace qbitopt
