#include "qbitopt/allocation/milp_model.h"

#include <algorithm>
#include <cmath>

namespace qbitopt {
namespace {

// The power of two that brings `largest` between 500 and 1000.
double scale_for(double largest) {
  return largest > 0 ? std::exp2(std::floor(std::log2(1000 / largest))) : 1;
}

}  // namespace

MilpModel::MilpModel(const Problem& problem, const std::vector<int>& from,
                     const std::vector<std::vector<int>>& open)
    : problem_(problem), from_(from) {
  add_choices(open);
  for (const Budget& budget : problem.budgets) add_budget(budget);
  for (const BopsBudget& budget : problem.bops) add_bops(budget, open);

  double largest = 0;
  for (const double cost : program_.cost) largest = std::max(largest, std::abs(cost));
  const double scale = scale_for(largest);
  for (double& cost : program_.cost) cost *= scale;
  cost_unit_ = 1 / scale;
}

int MilpModel::column_of(int quantizer, int choice) const { return column_of_[quantizer][choice]; }

// A binary column per candidate other than `from`; of a quantizer's at most one.
void MilpModel::add_choices(const std::vector<std::vector<int>>& open) {
  column_of_.resize(open.size());
  for (size_t q = 0; q < open.size(); ++q) {
    const AllocationQuantizer& quantizer = problem_.quantizers[q];
    column_of_[q].assign(quantizer.bits.size(), -1);
    for (const int choice : open[q]) {
      if (choice == from_[q]) continue;
      const double cost = quantizer.costs[choice] - quantizer.costs[from_[q]];
      column_of_[q][choice] = program_.add_column(cost, 1, true);
      columns_.push_back({static_cast<int>(q), choice});
      program_.column.push_back(column_of_[q][choice]);
      program_.value.push_back(1);
    }
    if (open[q].size() > 1) program_.end_row(-kInfinity, 1);
  }
}

// Ends a budget's row, whose entries begin at `first`.
void MilpModel::end_budget(size_t first, double room) {
  double largest = 0;
  for (size_t i = first; i < program_.value.size(); ++i) {
    largest = std::max(largest, std::abs(program_.value[i]));
  }
  const double scale = scale_for(largest);
  for (size_t i = first; i < program_.value.size(); ++i) program_.value[i] *= scale;
  rooms_.push_back({static_cast<int>(program_.row_lower.size()), scale});
  program_.end_row(-kInfinity, room * scale);
}

void MilpModel::add_budget(const Budget& budget) {
  const size_t first = program_.value.size();
  int64_t room = capacity(budget, problem_);
  for (const int q : budget.members) {
    const int64_t weight = problem_.quantizers[q].weight;
    const int now = bits(q, from_[q]);
    room -= weight * now;
    for (size_t choice = 0; choice < column_of_[q].size(); ++choice) {
      if (column_of_[q][choice] < 0 || weight == 0) continue;
      program_.column.push_back(column_of_[q][choice]);
      program_.value.push_back(static_cast<double>(weight * (bits(q, choice) - now)));
    }
  }
  end_budget(first, static_cast<double>(room));
}

// A layer's product of bits: y_ij >= 0 for every pair of candidates with sum_j y_ij = x_i and sum_i
// y_ij = x_j, where the x of the `from` candidate is 1 less the others'. With binary x, y picks the
// pair.
void MilpModel::add_bops(const BopsBudget& budget, const std::vector<std::vector<int>>& open) {
  struct Entry {
    int column;
    double value;
  };
  std::vector<Entry> entries;
  int64_t room = budget.limit;
  for (const auto& [weight, activation, macs] : budget.pairs) {
    const int64_t now = int64_t{bits(weight, from_[weight])} * bits(activation, from_[activation]);
    room -= macs * now;
    if (weight == activation) {
      for (const int choice : open[weight]) {
        const int64_t then = int64_t{bits(weight, choice)} * bits(weight, choice);
        if (choice != from_[weight]) {
          entries.push_back({column_of(weight, choice), static_cast<double>(macs * (then - now))});
        }
      }
      continue;
    }
    const std::vector<int>& rows = open[weight];
    const std::vector<int>& columns = open[activation];
    std::vector<std::vector<int>> y(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      for (const int choice : columns) {
        const int64_t then = int64_t{bits(weight, rows[i])} * bits(activation, choice);
        y[i].push_back(program_.add_column(0, 1, false));
        entries.push_back({y[i].back(), static_cast<double>(macs * (then - now))});
      }
    }
    const auto link = [&](int quantizer, int choice, const std::vector<int>& sum) {
      const bool is_from = choice == from_[quantizer];
      for (const int column : sum) {
        program_.column.push_back(column);
        program_.value.push_back(1);
      }
      for (const int other : open[quantizer]) {
        if (other == from_[quantizer] || (!is_from && other != choice)) continue;
        program_.column.push_back(column_of(quantizer, other));
        program_.value.push_back(is_from ? 1 : -1);
      }
      program_.end_row(is_from ? 1 : 0, is_from ? 1 : 0);
    };
    for (size_t i = 0; i < rows.size(); ++i) link(weight, rows[i], y[i]);
    for (size_t j = 0; j < columns.size(); ++j) {
      std::vector<int> sum;
      for (const auto& row : y) sum.push_back(row[j]);
      link(activation, columns[j], sum);
    }
  }
  // One entry a column: a quantizer paired with itself in two layers names its columns twice.
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.column < b.column; });
  const size_t first = program_.value.size();
  for (const Entry& entry : entries) {
    if (program_.value.size() > first && program_.column.back() == entry.column) {
      program_.value.back() += entry.value;
    } else {
      program_.column.push_back(entry.column);
      program_.value.push_back(entry.value);
    }
  }
  end_budget(first, static_cast<double>(room));
}

std::vector<int> MilpModel::allocation(const std::vector<double>& x) const {
  std::vector<int> choices = from_;
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (x[i] > 0.5) choices[columns_[i].quantizer] = columns_[i].choice;
  }
  return choices;
}

void MilpModel::tighten(int64_t units) {
  for (const auto& [row, scale] : rooms_)
    program_.row_upper[row] -= static_cast<double>(units) * scale;
}

}  // namespace qbitopt
