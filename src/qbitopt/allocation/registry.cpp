#include "qbitopt/allocation/relax_greedy.h"
#include "qbitopt/allocation/solver.h"

namespace qbitopt {

void register_solvers(SolverRegistry& registry) {
  registry.add("relax_greedy", [](const Parameters&) { return std::make_unique<RelaxGreedy>(); });
}

}  // namespace qbitopt
