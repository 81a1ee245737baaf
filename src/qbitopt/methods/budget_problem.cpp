#include "qbitopt/methods/budget_problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "qbitopt/allocation/budget_check.h"
#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

// The first of these parameters that the job has.
std::optional<Decimal> limit_of(const Parameters& parameters,
                                std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (parameters.has(name)) return Decimal::from_double(parameters.get<double>(name));
  }
  return std::nullopt;
}

void add_budget(Problem& problem, const std::vector<QuantizerSpec>& specs, const std::string& name,
                const std::optional<Decimal>& limit) {
  if (!limit) return;
  Budget budget{.name = name, .members = {}, .average_bits = *limit};
  for (size_t i = 0; i < specs.size(); ++i) {
    const bool is_kind =
        name == "joint" || (specs[i].kind == TensorKind::kWeight) == (name == "weight");
    if (is_kind && specs[i].counted) budget.members.push_back(static_cast<int>(i));
  }
  problem.budgets.push_back(std::move(budget));
}

void expect_feasible(const Problem& problem) {
  std::vector<int> smallest;
  for (const AllocationQuantizer& quantizer : problem.quantizers) {
    smallest.push_back(quantizer.bits.front());
  }
  for (const BudgetCheck& check : check_budgets(problem, smallest)) {
    if (check.is_met) continue;
    throw InputError(fmt::format(
        "the {} budget of {:g} bits cannot be met: with every tensor at its smallest candidate the "
        "average is {:.6g}; give a budget of at least that, or smaller quantizers.candidate_bits",
        check.name, check.limit, check.achieved));
  }
}

}  // namespace

int64_t budget_weight(const QuantizerSpec& spec, const Parameters& parameters) {
  const auto weighting = parameters.get_or<std::string>("budget.weighting", "elements");
  if (weighting == "tensors") return 1;
  return weighting == "macs" ? spec.macs : spec.elements;
}

Problem budget_problem(const std::vector<QuantizerSpec>& specs, const Parameters& parameters) {
  Problem problem;
  for (const QuantizerSpec& spec : specs) {
    const std::vector<int> bits =
        spec.pinned_bits ? std::vector<int>{*spec.pinned_bits} : spec.candidate_bits;
    problem.quantizers.push_back({.name = spec.name,
                                  .weight = budget_weight(spec, parameters),
                                  .bits = bits,
                                  .costs = std::vector<double>(bits.size(), 0.0)});
  }
  add_budget(problem, specs, "weight",
             limit_of(parameters, {"budget.weights", "budget.average_bits"}));
  add_budget(problem, specs, "activation",
             limit_of(parameters, {"budget.activations", "budget.average_bits"}));
  add_budget(problem, specs, "joint", limit_of(parameters, {"budget.joint"}));
  if (problem.budgets.empty()) {
    throw InputError(
        "the job has no budget; set budget.average_bits (weights and activations, each by itself), "
        "budget.weights, budget.activations or budget.joint");
  }
  validate(problem);
  expect_feasible(problem);
  return problem;
}

double budget_bits(TensorKind kind, const Parameters& parameters) {
  const char* own = kind == TensorKind::kWeight ? "budget.weights" : "budget.activations";
  double tightest = std::numeric_limits<double>::infinity();
  for (const auto& limit : {limit_of(parameters, {own, "budget.average_bits"}),
                            limit_of(parameters, {"budget.joint"})}) {
    if (limit) tightest = std::min(tightest, limit->to_double());
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
  std::vector<int> bits;
  for (size_t i = 0; i < limits.size(); ++i) {
    const std::vector<int>& candidates = problem.quantizers[i].bits;
    const auto above =
        std::find_if(candidates.begin(), candidates.end(), [&](int b) { return b > limits[i]; });
    bits.push_back(above == candidates.begin() ? candidates.front() : *std::prev(above));
  }
  return bits;
}

}  // namespace qbitopt
