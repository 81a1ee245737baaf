#pragma once

// Internal to the report.

#include <string>
#include <vector>

#include "qbitopt/report/run_groups.h"
#include "qbitopt/report/table.h"

namespace qbitopt {

// The best mean is bold only if every compared row has this many seeds.
inline constexpr int kSeedsForBold = 5;

// Collects the footnotes of a table.
class Footnotes {
 public:
  // The mark ("a") of a footnote to a cell; equal texts share one.
  std::string mark(const std::string& text);
  // A footnote to the table as a whole.
  void add(const std::string& text) { general_.push_back({"", text}); }
  // All footnotes, marked ones first.
  std::vector<Footnote> take();

 private:
  std::vector<Footnote> marked_;
  std::vector<Footnote> general_;
};

// Whether the best means of a table are bold.
struct Bold {
  bool is_used = false;      // at some budget
  bool is_withheld = false;  // at some budget, because a row has too few seeds
};

// Adds the footnotes that explain the table as a whole: its columns, checkpoints and versions, and
// the notes of its definition.
void add_general_notes(const TableDefinition& definition, const RunGroups& groups, Bold bold,
                       Footnotes& notes);

}  // namespace qbitopt
