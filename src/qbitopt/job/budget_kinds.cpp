#include "qbitopt/job/budget_kinds.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace qbitopt {

std::string BudgetKind::unit_name() const {
  switch (unit) {
    case BudgetUnit::kAverageBits:
      return "bits";
    case BudgetUnit::kBytes:
      return "bytes";
    case BudgetUnit::kBitOperations:
      break;
  }
  return "bit operations";
}

std::string BudgetKind::amount(double value) const {
  const std::string number =
      is_average() ? fmt::format("{:.6g}", value) : fmt::format("{:.15g}", value);
  return number + " " + unit_name();
}

const std::vector<BudgetKind>& budget_kinds() {
  static const std::vector<BudgetKind> kinds = {
      {.name = "weight",
       .parameters = {"budget.weights", "budget.average_bits"},
       .binds_activations = false,
       .limit_column = "weight_limit_bits",
       .limit_meaning = "budget of the weights; NULL: none",
       .achieved_column = "weight_bits",
       .achieved_meaning = "average over the counted weights; 32 in full precision"},
      {.name = "activation",
       .parameters = {"budget.activations", "budget.average_bits"},
       .binds_weights = false,
       .limit_column = "activation_limit_bits",
       .limit_meaning = "budget of the activations; NULL: none",
       .achieved_column = "activation_bits",
       .achieved_meaning = "average over the counted activations; 32 in full precision"},
      {.name = "joint",
       .parameters = {"budget.joint"},
       .limit_column = "joint_limit_bits",
       .limit_meaning = "budget of both together; NULL: none",
       .achieved_column = "joint_bits",
       .achieved_meaning = "average over both; 32 in full precision"},
      {.name = "weight_bytes",
       .parameters = {"budget.weight_bytes"},
       .unit = BudgetUnit::kBytes,
       .binds_activations = false,
       .limit_column = "weight_limit_bytes",
       .limit_meaning = "budget of the counted weights' size; NULL: none",
       .achieved_column = "counted_weight_bytes",
       .achieved_meaning = "size of the counted weights; NULL in full precision"},
      {.name = "bops",
       .parameters = {"budget.bops"},
       .unit = BudgetUnit::kBitOperations,
       .limit_column = "limit_bops",
       .limit_meaning = "budget of bit operations per image; NULL: none",
       .achieved_column = "bops",
       .achieved_meaning = "sum over the layers whose weight is counted of multiply-accumulates "
                           "per image * weight bits * input bits; NULL in full precision"}};
  return kinds;
}

const BudgetKind& budget_kind(std::string_view name) {
  for (const BudgetKind& kind : budget_kinds()) {
    if (kind.name == name) return kind;
  }
  throw std::out_of_range("no kind of budget is called '" + std::string(name) + "'");
}

const std::vector<std::string>& budget_parameters() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all = {"budget.average_bits"};  // what most jobs have
    for (const BudgetKind& kind : budget_kinds()) {
      for (const std::string& name : kind.parameters) {
        if (std::find(all.begin(), all.end(), name) == all.end()) all.push_back(name);
      }
    }
    return all;
  }();
  return names;
}

}  // namespace qbitopt
