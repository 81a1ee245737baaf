#include "qbitopt/methods/budget_problem.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <set>

#include "qbitopt/allocation/budget_check.h"
#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

constexpr const char* kElements = "elements";

int64_t weight_of(const QuantizerSpec& spec, const std::string& weighting) {
  if (weighting == "tensors") return 1;
  return weighting == "macs" ? spec.macs : spec.elements;
}

// What the job allows of a kind; null: it has no such budget.
Json limit_of(const BudgetKind& kind, const Parameters& parameters) {
  for (const std::string& name : kind.parameters) {
    if (parameters.has(name)) return parameters.get<Json>(name);
  }
  return {};
}

std::vector<int> members_of(const BudgetKind& kind, const std::vector<QuantizerSpec>& specs) {
  std::vector<int> members;
  for (size_t i = 0; i < specs.size(); ++i) {
    const bool is_bound =
        specs[i].kind == TensorKind::kWeight ? kind.binds_weights : kind.binds_activations;
    if (is_bound && specs[i].counted) members.push_back(static_cast<int>(i));
  }
  return members;
}

std::vector<BopsBudget::Pair> layers_of(const std::vector<QuantizerSpec>& specs) {
  std::map<std::string, int> places;
  for (const QuantizerSpec& spec : specs) places.emplace(spec.name, places.size());
  std::vector<BopsBudget::Pair> layers;
  for (const QuantizerSpec& spec : specs) {
    if (spec.kind != TensorKind::kWeight || !spec.counted || spec.input.empty()) continue;
    layers.push_back({places.at(spec.name), places.at(spec.input), spec.macs});
  }
  return layers;
}

void add_budget(Problem& problem, const BudgetKind& kind, const std::vector<QuantizerSpec>& specs,
                const Json& limit) {
  if (kind.unit == BudgetUnit::kBitOperations) {
    problem.bops.push_back({kind.name, layers_of(specs), limit.get<int64_t>()});
    return;
  }
  Budget budget{.name = kind.name, .members = members_of(kind, specs), .average_bits = {}};
  if (kind.unit == BudgetUnit::kBytes) {
    budget.bytes = limit.get<int64_t>();
  } else {
    budget.average_bits = Decimal::from_double(limit.get<double>());
  }
  problem.budgets.push_back(std::move(budget));
}

Problem problem_without_budgets(const std::vector<QuantizerSpec>& specs,
                                const std::string& weighting) {
  Problem problem;
  for (const QuantizerSpec& spec : specs) {
    const std::vector<int> bits =
        spec.pinned_bits ? std::vector<int>{*spec.pinned_bits} : spec.candidate_bits;
    problem.quantizers.push_back({.name = spec.name,
                                  .weight = weight_of(spec, weighting),
                                  .bits = bits,
                                  .costs = std::vector<double>(bits.size(), 0.0)});
  }
  return problem;
}

void expect_feasible(const Problem& problem) {
  std::vector<int> smallest;
  for (const AllocationQuantizer& quantizer : problem.quantizers) {
    smallest.push_back(quantizer.bits.front());
  }
  for (const BudgetCheck& check : check_budgets(problem, smallest)) {
    if (check.is_met) continue;
    const BudgetKind& kind = budget_kind(check.name);
    throw InputError(fmt::format(
        "the {} budget of {} cannot be met: with every tensor at its smallest candidate {} {}; "
        "give a budget of at least that, or smaller quantizers.candidate_bits",
        kind.name, kind.amount(check.limit), kind.is_average() ? "the average is" : "it takes",
        kind.is_average() ? fmt::format("{:.6g}", check.achieved) : kind.amount(check.achieved)));
  }
}

// The largest candidate up to `most`, or else the smallest.
int candidate_up_to(const AllocationQuantizer& quantizer, int64_t most) {
  const auto above = std::find_if(quantizer.bits.begin(), quantizer.bits.end(),
                                  [&](int bits) { return bits > most; });
  return above == quantizer.bits.begin() ? quantizer.bits.front() : *std::prev(above);
}

}  // namespace

int64_t budget_weight(const QuantizerSpec& spec, const Parameters& parameters) {
  return weight_of(spec, parameters.get_or<std::string>("budget.weighting", kElements));
}

Problem budget_problem(const std::vector<QuantizerSpec>& specs, const Parameters& parameters) {
  const auto weighting = parameters.get_or<std::string>("budget.weighting", kElements);
  Problem problem = problem_without_budgets(specs, weighting);
  for (const BudgetKind& kind : budget_kinds()) {
    const Json limit = limit_of(kind, parameters);
    if (limit.is_null()) continue;
    if (kind.unit == BudgetUnit::kBytes && weighting != kElements) {
      throw InputError(fmt::format(
          "a budget in bytes counts elements, but budget.weighting is '{}'; leave out one of the "
          "two",
          weighting));
    }
    add_budget(problem, kind, specs, limit);
  }
  if (problem.budgets.empty() && problem.bops.empty()) {
    throw InputError(
        fmt::format("the job has no budget; set one of {}", fmt::join(budget_parameters(), ", ")));
  }
  validate(problem);
  expect_feasible(problem);
  return problem;
}

double budget_use(const BudgetKind& kind, const std::vector<QuantizerSpec>& specs,
                  const Parameters& parameters, const std::vector<int>& bits) {
  const bool is_average = kind.is_average();
  Problem problem = problem_without_budgets(
      specs,
      is_average ? parameters.get_or<std::string>("budget.weighting", kElements) : kElements);
  add_budget(problem, kind, specs, /*limit=*/0);
  return check_budgets(problem, bits).front().achieved;
}

double budget_bits(TensorKind kind, const Parameters& parameters) {
  double tightest = std::numeric_limits<double>::infinity();
  for (const BudgetKind& budget : budget_kinds()) {
    const bool binds =
        kind == TensorKind::kWeight ? budget.binds_weights : budget.binds_activations;
    const Json limit = binds && budget.is_average() ? limit_of(budget, parameters) : Json();
    if (!limit.is_null()) tightest = std::min(tightest, limit.get<double>());
  }
  return tightest;
}

std::vector<int> uniform_bits(const Problem& problem) {
  std::vector<int64_t> limits(problem.quantizers.size(), std::numeric_limits<int64_t>::max());
  for (const Budget& budget : problem.budgets) {
    int64_t left = capacity(budget, problem);
    int64_t free = 0;
    for (const int member : budget.members) {
      const AllocationQuantizer& quantizer = problem.quantizers[member];
      const bool is_pinned = quantizer.bits.size() == 1;
      (is_pinned ? left : free) += quantizer.weight * (is_pinned ? -quantizer.bits.front() : 1);
    }
    if (free == 0) continue;
    for (const int member : budget.members) limits[member] = std::min(limits[member], left / free);
  }
  std::set<int, std::greater<>> widths;
  for (const AllocationQuantizer& quantizer : problem.quantizers) {
    widths.insert(quantizer.bits.begin(), quantizer.bits.end());
  }
  // Bit operations fall with every bit: the widest that all may have.
  const Problem operations{.quantizers = problem.quantizers, .budgets = {}, .bops = problem.bops};
  std::vector<int> bits(limits.size());
  for (const int width : widths) {
    for (size_t i = 0; i < limits.size(); ++i) {
      bits[i] = candidate_up_to(problem.quantizers[i], std::min<int64_t>(limits[i], width));
    }
    if (is_within_budgets(operations, bits)) break;
  }
  return bits;
}

std::vector<int> uniform_bits(const Problem& problem, int bits) {
  std::vector<int> all;
  for (const AllocationQuantizer& quantizer : problem.quantizers)
    all.push_back(candidate_up_to(quantizer, bits));
  return all;
}

}  // namespace qbitopt
