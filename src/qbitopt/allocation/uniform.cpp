#include "qbitopt/allocation/uniform.h"

#include <cmath>
#include <functional>
#include <limits>
#include <set>

#include "qbitopt/allocation/budget_check.h"

namespace qbitopt {
namespace {

// The largest allowed candidate of at most `most` bits, or else the smallest allowed one.
int choice_up_to(const AllocationQuantizer& quantizer, int most) {
  int choice = -1;
  for (size_t i = 0; i < quantizer.bits.size(); ++i) {
    if (std::isinf(quantizer.costs[i])) continue;
    if (choice < 0 || quantizer.bits[i] <= most) choice = static_cast<int>(i);
  }
  return choice;
}

}  // namespace

Solver::Answer Uniform::choose(const Problem& problem, const SolveOptions& options) {
  std::set<int, std::greater<>> widths;
  for (const AllocationQuantizer& quantizer : problem.quantizers) {
    widths.insert(quantizer.bits.begin(), quantizer.bits.end());
  }
  std::vector<int> choice(problem.quantizers.size());
  std::vector<int> bits(problem.quantizers.size());
  for (const int width : widths) {
    for (size_t q = 0; q < choice.size(); ++q) {
      choice[q] = choice_up_to(problem.quantizers[q], width);
      bits[q] = problem.quantizers[q].bits[choice[q]];
    }
    if (is_within_budgets(problem, bits)) break;  // at the latest when all are at their smallest
  }
  return {std::move(choice), -std::numeric_limits<double>::infinity()};
}

}  // namespace qbitopt
