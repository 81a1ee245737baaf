#pragma once

#include <string>
#include <vector>

#include "qbitopt/allocation/cost_table.h"
#include "qbitopt/allocation/problem.h"

namespace qbitopt {

// Budgets as words of a command line. A group is one of the table's or "all".
struct BudgetArguments {
  std::vector<std::string> averages;  // "W=4": the group's weighted average of bits is at most 4
  std::vector<std::string> bytes;     // "W=500000": its sum of weight * bits / 8 is at most that
  // "200000000": sum over layers of macs * bits * bits; at most one word
  std::vector<std::string> bops;
};

// The table under these budgets. A budget is named like its group ("W bytes" if the group has both
// kinds), the one for bit operations "bops". Throws InputError: not of this form, an unknown group,
// a group named twice, no layers.
Problem make_problem(AllocationTable table, const BudgetArguments& arguments);

}  // namespace qbitopt
