#include "qbitopt/allocation/random_bits.h"

#include <limits>
#include <numeric>

#include "qbitopt/allocation/knapsack/budget_ledger.h"
#include "qbitopt/core/random.h"

namespace qbitopt {

Solver::Answer RandomBits::choose(const Problem& problem, const SolveOptions& options) {
  Random random(options.seed.value_or(seed_), "random allocation");
  BudgetLedger ledger(problem);
  std::vector<int> open(problem.quantizers.size());
  std::iota(open.begin(), open.end(), 0);
  while (!open.empty()) {
    int& drawn = open[random.below(open.size())];
    const int next = ledger.next_choice(drawn);
    if (next >= 0 && ledger.fits(drawn, next)) {
      ledger.set(drawn, next);
    } else {  // room only shrinks: it will never fit
      drawn = open.back();
      open.pop_back();
    }
  }
  return {ledger.choices(), -std::numeric_limits<double>::infinity()};
}

}  // namespace qbitopt
