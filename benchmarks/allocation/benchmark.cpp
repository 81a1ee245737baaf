// How long an allocation takes and how good it is: every solver, sizes and kinds of instances; the
// time is that of Solver::solve, checks of problem and answer included.
#include <algorithm>
#include <string>
#include <vector>

#include "benchmarks/allocation/instances.h"
#include "benchmarks/report.h"
#include "qbitopt/allocation/solver.h"

namespace qbitopt::bench {
namespace {

struct Case {
  std::string solver;
  int quantizers;
  int instances;
  double time_limit_seconds = 10;
};

std::unique_ptr<Solver> make_solver(const std::string& name) {
  SolverRegistry solvers("solver");
  register_solvers(solvers);
  return solvers.make(name, Parameters());
}

// Median of three: a solver that is called again and again has its memory.
Solution solve(Solver& solver, const Problem& problem, const SolveOptions& options) {
  std::vector<double> microseconds;
  Solution solution;
  for (int round = 0; round < 3; ++round) {
    solution = solver.solve(problem, options);
    microseconds.push_back(solution.microseconds);
    if (solution.microseconds > 1e5) break;
  }
  solution.microseconds = summarize(microseconds).median;
  return solution;
}

void measure(const Case& c, const InstanceKind& kind, Report& report) {
  const auto solver = make_solver(c.solver);
  SolveOptions options;
  options.time_limit_seconds = c.time_limit_seconds;
  // A gap has two parts: what the solver misses, and what no integer allocation can reach.
  const bool is_split = c.solver == "relax_greedy" && c.quantizers <= 5000;
  const auto exact = make_solver("exact");
  std::vector<double> milliseconds, gaps, missed, unreachable;
  for (int index = 0; index < c.instances; ++index) {
    const Problem problem = make_instance(kind, c.quantizers, index);
    const Solution solution = solve(*solver, problem, options);
    milliseconds.push_back(solution.microseconds / 1000);
    gaps.push_back(solution.gap);
    if (!is_split) continue;
    const double optimum = exact->solve(problem).objective;
    missed.push_back((solution.objective - optimum) / optimum);
    unreachable.push_back((optimum - solution.bound) / optimum);
  }
  const std::string name = std::to_string(c.quantizers) + " quantizers, " + kind.name;
  const auto add = [&](const std::string& what, double value, const std::string& unit,
                       double spread) {
    report.add({.name = c.solver + what,
                .case_ = name,
                .value = value,
                .unit = unit,
                .rounds = c.instances,
                .spread = spread});
  };
  const Summary time = summarize(milliseconds);
  const Summary gap = summarize(gaps);
  add("", time.median, "ms", time.spread);
  add(", slowest", *std::max_element(milliseconds.begin(), milliseconds.end()), "ms", 0);
  add(", gap", gap.median, "relative", gap.spread);
  add(", largest gap", *std::max_element(gaps.begin(), gaps.end()), "relative", 0);
  if (!is_split) return;
  const Summary miss = summarize(missed), rest = summarize(unreachable);
  add(", above the optimum", miss.median, "relative", miss.spread);
  add("'s bound, below the optimum", rest.median, "relative", rest.spread);
}

// What a run does every tau steps: ResNet-50's weights and their inputs, each under its own budget.
void measure_one_allocation(Report& report) {
  constexpr int kRounds = 1001;
  const InstanceKind& kind = kInstanceKinds[1];
  Problem problem = make_instance(kind, 53, 0);
  Problem activations = make_instance(kind, 53, 1);
  Budget budget{"A", {}, activations.budgets.front().average_bits};
  for (AllocationQuantizer& quantizer : activations.quantizers) {
    budget.members.push_back(static_cast<int>(problem.quantizers.size()));
    problem.quantizers.push_back(std::move(quantizer));
  }
  problem.budgets.push_back(std::move(budget));
  const auto solver = make_solver("relax_greedy");
  std::vector<double> milliseconds;
  for (int round = 0; round < kRounds; ++round) {
    milliseconds.push_back(solver->solve(problem).microseconds / 1000);
  }
  const Summary time = summarize(milliseconds);
  report.add({.name = "one allocation (relax_greedy)",
              .case_ = "ResNet-50, weights and activations, 106 quantizers",
              .value = time.median,
              .unit = "ms",
              .rounds = kRounds,
              .spread = time.spread});
}

void run() {
  const Case cases[] = {
      {"relax_greedy", 53, 100},    {"relax_greedy", 500, 100},     {"relax_greedy", 5000, 100},
      {"relax_greedy", 50'000, 10}, {"relax_greedy", 1'000'000, 3}, {"exact", 53, 100},
      {"exact", 500, 100},          {"exact", 5000, 100, 1}};
  Report report("allocation");
  measure_one_allocation(report);
  for (const Case& c : cases) {
    for (const InstanceKind& kind : kInstanceKinds) measure(c, kind, report);
  }
  report.finish();
}

}  // namespace
}  // namespace qbitopt::bench

int main() { qbitopt::bench::run(); }
