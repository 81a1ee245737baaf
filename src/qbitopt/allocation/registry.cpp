#include "qbitopt/allocation/exact.h"
#include "qbitopt/allocation/relax_greedy.h"
#include "qbitopt/allocation/solver.h"

namespace qbitopt {

void register_solvers(SolverRegistry& registry) {
  registry.add("exact", [](const Parameters& parameters) {
    return std::make_unique<Exact>(parameters.get_or("exact.time_limit", Exact::kTimeLimitSeconds));
  });
  registry.add("relax_greedy", [](const Parameters&) { return std::make_unique<RelaxGreedy>(); });
}

}  // namespace qbitopt
