#pragma once

#include <vector>

#include "qbitopt/allocation/highs.h"
#include "qbitopt/allocation/problem.h"

namespace qbitopt {

// The linear program of a problem, as changes from an allocation that fits: x = 0 is that one, with
// cost 0. Costs are scaled to a maximum of 1,000 (scaled to 1, HiGHS called points optimal that
// were 5e-4 off), rows to coefficients of about 1,000; both by powers of two.
class MilpModel {
 public:
  // `from`: candidate index per quantizer. `open`: per quantizer the candidates that may be chosen,
  // `from` among them.
  MilpModel(const Problem& problem, const std::vector<int>& from,
            const std::vector<std::vector<int>>& open);

  const LinearProgram& program() const { return program_; }
  // What a unit of the program's objective is worth.
  double cost_unit() const { return cost_unit_; }
  // Candidate indices.
  std::vector<int> allocation(const std::vector<double>& x) const;
  // Takes this many units of load off the room of every budget.
  void tighten(int64_t units);

 private:
  struct Column {
    int quantizer, choice;
  };
  int column_of(int quantizer, int choice) const;  // -1: the quantizer's `from`
  void add_choices(const std::vector<std::vector<int>>& open);
  void add_budget(const Budget& budget);
  void add_bops(const BopsBudget& budget, const std::vector<std::vector<int>>& open);
  void end_budget(size_t first, double room);
  int bits(int quantizer, int choice) const { return problem_.quantizers[quantizer].bits[choice]; }

  const Problem& problem_;
  const std::vector<int>& from_;
  LinearProgram program_;
  double cost_unit_ = 1;
  std::vector<Column> columns_;                // of candidates; pairs come after them
  std::vector<std::vector<int>> column_of_;    // [quantizer][choice]
  std::vector<std::pair<int, double>> rooms_;  // rows of budgets, and what they are scaled by
};

}  // namespace qbitopt
