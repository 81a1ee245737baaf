#pragma once

#include "qbitopt/allocation/solver.h"

namespace qbitopt {

// A control: from the smallest bits, random quantizers go up by one candidate as long as any fits,
// so that the budgets are spent. Takes any budgets; looks at no costs, so the bound is unknown. The
// same seed gives the same bits.
class RandomBits : public Solver {
 public:
  explicit RandomBits(uint64_t seed) : seed_(seed) {}
  std::string name() const override { return "random"; }
  BudgetSupport budget_support() const override { return BudgetSupport::kAny; }
  bool looks_at_costs() const override { return false; }

 protected:
  Answer choose(const Problem& problem, const SolveOptions& options) override;

 private:
  uint64_t seed_;
};

}  // namespace qbitopt
