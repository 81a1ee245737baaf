#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace qbitopt {

// What a limit of a budget counts.
enum class BudgetUnit {
  kAverageBits,    // the average bits of the counted tensors, weighted by `budget.weighting`
  kBytes,          // the size of the counted tensors
  kBitOperations,  // over the layers whose weight is counted: MACs * weight bits * input bits
};

// A kind of budget that a job may have. The list below is the only one: problems, events, the run
// log's columns, checks of a plan and tables follow it.
struct BudgetKind {
  std::string name;  // in problems, events and the database: "weight"
  // Those of a job that set the limit; the first that is there overrides the others.
  std::vector<std::string> parameters;
  BudgetUnit unit = BudgetUnit::kAverageBits;
  bool binds_weights = true;
  bool binds_activations = true;
  // Of the view `runs`, with what they mean.
  std::string limit_column, limit_meaning;
  std::string achieved_column, achieved_meaning;

  bool is_average() const { return unit == BudgetUnit::kAverageBits; }
  // "bits", "bytes" or "bit operations".
  std::string unit_name() const;
  // "2.5 bits", "65536 bytes".
  std::string amount(double value) const;
};

const std::vector<BudgetKind>& budget_kinds();
// Throws std::out_of_range if there is no such kind.
const BudgetKind& budget_kind(std::string_view name);

// Every parameter that sets a limit, once: "budget.average_bits", "budget.weights", ...
const std::vector<std::string>& budget_parameters();

}  // namespace qbitopt
