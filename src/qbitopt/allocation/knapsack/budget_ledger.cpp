#include "qbitopt/allocation/knapsack/budget_ledger.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <queue>

namespace qbitopt {

BudgetLedger::BudgetLedger(const Problem& problem)
    : problem_(problem), uses_(problem.quantizers.size()) {
  for (const AllocationQuantizer& quantizer : problem.quantizers) {
    int smallest = 0;
    while (std::isinf(quantizer.costs[smallest])) ++smallest;
    choices_.push_back(smallest);
  }
  for (const Budget& budget : problem.budgets) {
    const int index = static_cast<int>(left_.size());
    left_.push_back(capacity(budget, problem));
    for (const int member : budget.members) {
      const int64_t weight = problem.quantizers[member].weight;
      left_.back() -= weight * bits(member);
      uses_[member].push_back({index, weight, -1});
    }
  }
  for (const BopsBudget& budget : problem.bops) {
    const int index = static_cast<int>(left_.size());
    left_.push_back(budget.limit);
    for (const auto& [weight, activation, macs] : budget.pairs) {
      left_.back() -= macs * bits(weight) * bits(activation);
      uses_[weight].push_back({index, macs, activation});
      if (activation != weight) uses_[activation].push_back({index, macs, weight});
    }
  }
}

int BudgetLedger::next_choice(int quantizer) const {
  const std::vector<double>& costs = problem_.quantizers[quantizer].costs;
  for (size_t i = choices_[quantizer] + 1; i < costs.size(); ++i) {
    if (!std::isinf(costs[i])) return static_cast<int>(i);
  }
  return -1;
}

int64_t BudgetLedger::load(int quantizer, int choice, const Use& use) const {
  const int64_t now = bits(quantizer);
  const int64_t then = problem_.quantizers[quantizer].bits[choice];
  if (use.partner < 0) return use.factor * (then - now);
  if (use.partner == quantizer) return use.factor * (then * then - now * now);
  return use.factor * (then - now) * bits(use.partner);
}

// Several uses of one budget (an activation that feeds several layers) count together.
double BudgetLedger::share(int quantizer, int choice) const {
  double largest = 0;
  const std::vector<Use>& uses = uses_[quantizer];
  for (size_t i = 0; i < uses.size();) {
    const int budget = uses[i].budget;
    int64_t total = 0;
    for (; i < uses.size() && uses[i].budget == budget; ++i)
      total += load(quantizer, choice, uses[i]);
    if (total <= 0) continue;
    if (total > left_[budget]) return std::numeric_limits<double>::infinity();
    largest = std::max(largest, static_cast<double>(total) / static_cast<double>(left_[budget]));
  }
  return largest;
}

bool BudgetLedger::fits(int quantizer, int choice) const { return share(quantizer, choice) <= 1; }

void BudgetLedger::set(int quantizer, int choice) {
  for (const Use& use : uses_[quantizer]) left_[use.budget] -= load(quantizer, choice, use);
  choices_[quantizer] = choice;
}

std::vector<int> greedy_by_share(const Problem& problem) {
  struct Step {
    double worth;
    int quantizer, choice;
    bool operator<(const Step& other) const {
      return worth != other.worth ? worth < other.worth : quantizer > other.quantizer;
    }
  };
  BudgetLedger ledger(problem);
  // Not only the next candidate: one further on may save more for its share.
  const auto best_step = [&](int quantizer) {
    const std::vector<double>& costs = problem.quantizers[quantizer].costs;
    const int now = ledger.choices()[quantizer];
    Step best{0, quantizer, -1};
    for (int choice = now + 1; choice < static_cast<int>(costs.size()); ++choice) {
      const double saved = costs[now] - costs[choice];
      if (!(saved > 0) || !ledger.fits(quantizer, choice)) continue;
      const double worth = saved / ledger.share(quantizer, choice);
      if (worth > best.worth) best = {worth, quantizer, choice};
    }
    return best;
  };
  std::priority_queue<Step> queue;
  const auto offer = [&](const Step& step) {
    if (step.choice >= 0) queue.push(step);
  };
  for (size_t q = 0; q < problem.quantizers.size(); ++q) offer(best_step(static_cast<int>(q)));
  while (!queue.empty()) {
    // What is left has shrunk since the step was offered, so it may be worth less by now.
    const Step step = best_step(queue.top().quantizer);
    queue.pop();
    if (step.choice >= 0 && (queue.empty() || !(step < queue.top()))) {
      ledger.set(step.quantizer, step.choice);
      offer(best_step(step.quantizer));
    } else {
      offer(step);
    }
  }
  return ledger.choices();
}

}  // namespace qbitopt
