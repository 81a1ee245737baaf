#pragma once

#include <cstdint>
#include <vector>

#include "qbitopt/allocation/problem.h"

namespace qbitopt {

// What is left of every budget, bops included, while an allocation grows one quantizer at a time;
// exact integers. For solvers that take any combination of budgets.
class BudgetLedger {
 public:
  // Every quantizer at its smallest allowed candidate, which must fit. `problem` is valid and
  // outlives this.
  explicit BudgetLedger(const Problem& problem);

  // Per quantizer: index of its candidate.
  const std::vector<int>& choices() const { return choices_; }
  // The next larger candidate that is not forbidden; -1: none.
  int next_choice(int quantizer) const;
  // The largest part of what is left of any budget that the change would take: above 1 it does not
  // fit.
  double share(int quantizer, int choice) const;
  bool fits(int quantizer, int choice) const;
  void set(int quantizer, int choice);

 private:
  // Takes factor * bits of a budget, times the partner's bits if there is one (-1: none).
  struct Use {
    int budget;
    int64_t factor;
    int partner;
  };
  int64_t load(int quantizer, int choice, const Use& use) const;
  int bits(int quantizer) const { return problem_.quantizers[quantizer].bits[choices_[quantizer]]; }

  const Problem& problem_;
  std::vector<int> choices_;
  std::vector<int64_t> left_;           // per budget
  std::vector<std::vector<Use>> uses_;  // per quantizer
};

// Takes, again and again, the step to a quantizer's next candidate that saves most for its share of
// what is left, until nothing fits. Any budgets, any costs; candidate indices.
std::vector<int> greedy_by_share(const Problem& problem);

}  // namespace qbitopt
