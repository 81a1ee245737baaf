#include "qbitopt/allocation/budget_arguments.h"

#include <algorithm>
#include <numeric>

#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"
#include "qbitopt/core/quantities.h"

namespace qbitopt {
namespace {

constexpr int64_t kMostBytes = int64_t{1} << 59;

int64_t count(const std::string& option, const std::string& text, int64_t most) {
  const auto value = parse_whole(text);
  if (!value || *value < 0 || *value > most) {
    throw InputError(option + ": '" + text + "' is not a whole number from 0 to " +
                     std::to_string(most));
  }
  return *value;
}

std::vector<int> members(const AllocationTable& table, const std::string& name) {
  if (name == "all") {
    std::vector<int> all(table.quantizers.size());
    std::iota(all.begin(), all.end(), 0);
    return all;
  }
  std::vector<std::string> known = {"all"};
  for (const AllocationTable::Group& group : table.groups) {
    if (group.name == name) return group.members;
    known.push_back(group.name);
  }
  throw InputError(unknown_name("group", name, known));
}

// "W=4" as a budget named W, and the text after the sign.
std::pair<Budget, std::string> read_word(const AllocationTable& table, const std::string& option,
                                         const std::string& word, const std::string& example) {
  const size_t sign = word.rfind('=');  // a group's name may hold one
  if (sign == std::string::npos || sign == 0) {
    throw InputError(option + " '" + word + "': expected a group and a number, as in " + example);
  }
  Budget budget{word.substr(0, sign), {}, {}};
  budget.members = members(table, budget.name);
  return {budget, word.substr(sign + 1)};
}

bool has_budget(const Problem& problem, const std::string& name) {
  return std::any_of(problem.budgets.begin(), problem.budgets.end(),
                     [&](const Budget& budget) { return budget.name == name; });
}

void add(Problem& problem, const std::string& option, Budget budget) {
  if (has_budget(problem, budget.name)) {
    throw InputError(option + ": group '" + budget.name + "' is given twice");
  }
  problem.budgets.push_back(std::move(budget));
}

}  // namespace

Problem make_problem(AllocationTable table, const BudgetArguments& arguments) {
  Problem problem;
  for (const std::string& word : arguments.averages) {
    auto [budget, text] = read_word(table, "--budget", word, "W=4");
    try {
      budget.average_bits = Decimal::parse(text);
    } catch (const InputError& error) {
      throw InputError("--budget '" + word + "': " + error.what());
    }
    add(problem, "--budget", std::move(budget));
  }
  const Problem averages = problem;
  for (const std::string& word : arguments.bytes) {
    auto [budget, text] = read_word(table, "--bytes", word, "W=500000");
    budget.bytes = count("--bytes", text, kMostBytes);
    if (has_budget(averages, budget.name)) budget.name += " bytes";
    add(problem, "--bytes", std::move(budget));
  }
  if (arguments.bops.size() > 1) throw InputError("--bops is given twice");
  for (const std::string& word : arguments.bops) {
    if (!table.has_layers) {
      throw InputError(
          "--bops needs the columns 'layer' (which pairs a layer's two quantizers) and 'macs'");
    }
    if (has_budget(problem, "bops")) {
      throw InputError("--bops: a group with a budget is called 'bops' as well; rename it");
    }
    problem.bops.push_back({"bops", table.layers, count("--bops", word, int64_t{1} << 62)});
  }
  problem.quantizers = std::move(table.quantizers);
  return problem;
}

}  // namespace qbitopt
