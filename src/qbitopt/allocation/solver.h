#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "qbitopt/allocation/problem.h"
#include "qbitopt/allocation/solution.h"
#include "qbitopt/core/parameters.h"
#include "qbitopt/core/registry.h"

namespace qbitopt {

struct SolveOptions {
  double time_limit_seconds = 10;  // solvers that search; afterwards the best so far with its gap
  std::vector<int> start_bits =
      {};             // an earlier allocation to start from; empty: none. Never changes what is
                      // proven, only how soon; an answer is never worse than a start that fits
  uint64_t seed = 0;  // of `random`
};

// Chooses bits. One object may solve many problems, one after another (it keeps its memory); two
// threads need two objects. The same problem and options give the same bits, ties included, as long
// as no time limit strikes.
class Solver {
 public:
  virtual ~Solver() = default;

  virtual std::string name() const = 0;

  // An unreachable budget is an answer: see Solution::status. Throws InputError on an invalid
  // problem (see validate) and on one that this solver does not take; the message says which
  // solvers do.
  Solution solve(const Problem& problem, const SolveOptions& options = {});

 protected:
  struct Answer {
    std::vector<int> choice;  // per quantiser: index into its candidates, none of them forbidden
    double bound;             // -infinity: unknown
    bool optimal = false;  // proven by search; a bound within 1e-12 of the objective counts as well
    std::string note = {};
  };
  // `problem` is valid and feasible.
  virtual Answer choose(const Problem& problem, const SolveOptions& options) = 0;
};

// Arguments: the job's parameters ("exact.time_limit" and so on; absent ones take the manifests'
// defaults).
using SolverRegistry = Registry<Solver, const Parameters&>;
void register_solvers(SolverRegistry& registry);

}  // namespace qbitopt
