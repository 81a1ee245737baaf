#include "qbitopt/allocation/exact.h"
#include "qbitopt/allocation/milp.h"
#include "qbitopt/allocation/random_bits.h"
#include "qbitopt/allocation/relax_greedy.h"
#include "qbitopt/allocation/solver.h"
#include "qbitopt/allocation/uniform.h"

namespace qbitopt {

void register_solvers(SolverRegistry& registry) {
  registry.add("exact", [](const Parameters& parameters) {
    return std::make_unique<Exact>(parameters.get_or("exact.time_limit", Exact::kTimeLimitSeconds));
  });
  registry.add("milp", [](const Parameters& parameters) {
    return std::make_unique<Milp>(parameters.get_or("milp.time_limit", Milp::kTimeLimitSeconds));
  });
  registry.add("random", [](const Parameters& parameters) {
    return std::make_unique<RandomBits>(parameters.get_or("seed", uint64_t{0}));
  });
  registry.add("relax_greedy", [](const Parameters&) { return std::make_unique<RelaxGreedy>(); });
  registry.add("uniform", [](const Parameters&) { return std::make_unique<Uniform>(); });
}

}  // namespace qbitopt
