#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "qbitopt/allocation/problem.h"
#include "qbitopt/allocation/solution.h"
#include "qbitopt/core/parameters.h"
#include "qbitopt/core/registry.h"

namespace qbitopt {

struct SolveOptions {
  // An earlier allocation to start from; empty: none. An answer that looks at
  // costs is never worse than a start that fits.
  std::vector<int> start_bits = {};
  // Of solvers that search: afterwards the best so far counts, with its gap. Absent: the solver's
  // own.
  std::optional<double> time_limit_seconds = std::nullopt;
  std::optional<uint64_t> seed = std::nullopt;  // of solvers that draw. Absent: the solver's own
};

// Which budgets a solver takes together.
enum class BudgetSupport {
  kOnePerQuantizer,  // budgets on average bits or bytes that share no quantizer
  kNested,           // such budgets in each other, as weights in a joint one
  kAny,              // any combination, bit operations of layers that share inputs included
};

// Chooses bits. One object may solve many problems, one after another (it keeps its memory); two
// threads need two objects. The same problem and options give the same bits, ties included, as long
// as no time limit strikes.
class Solver {
 public:
  virtual ~Solver() = default;

  virtual std::string name() const = 0;
  // What every problem of that sort is safe to have; a solver may take more of some networks.
  virtual BudgetSupport budget_support() const = 0;
  // False for controls, whose answer must not give way to a cheaper one.
  virtual bool looks_at_costs() const { return true; }

  // An unreachable budget is an answer: see Solution::status. Throws InputError on an invalid
  // problem (see validate) and on one that this solver does not take; the message says which
  // solvers do.
  Solution solve(const Problem& problem, const SolveOptions& options = {});

 protected:
  struct Answer {
    std::vector<int> choice;  // per quantizer: index into its candidates, none of them forbidden
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
