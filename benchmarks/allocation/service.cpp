// Our side of compare.py: one JSON object per line in, one out. Peers speak the same
// (peers/serve.py).
//
//   {"export": FILE, "kind": 1, "quantizers": 500, "index": 3}
//     writes an instance as `qbitopt solve` reads it -> {"budget": "4.31", "kind": "convex, ..."}
//   {"file": FILE, "budget": "4.31", "solver": "exact", "time_limit": 10}
//     -> {"seconds", "cpu", "bits": [...], "bound"}
#include <ctime>
#include <iostream>
#include <iterator>

#include "benchmarks/allocation/instances.h"
#include "benchmarks/report.h"
#include "qbitopt/allocation/budget_arguments.h"
#include "qbitopt/allocation/solver.h"
#include "qbitopt/core/text_file.h"

namespace qbitopt::bench {
namespace {

Json export_instance(const Json& request) {
  const InstanceKind& kind = kInstanceKinds.at(request.at("kind"));
  const Problem problem = make_instance(kind, request.at("quantizers"), request.at("index"));
  const std::string name = request.at("export");
  std::FILE* const file = std::fopen(name.c_str(), "w");
  if (file == nullptr) throw InputError({name}, "cannot be written");
  std::fprintf(file, "quantizer,group,weight,bits,cost\n");
  for (const AllocationQuantizer& quantizer : problem.quantizers) {
    for (size_t i = 0; i < quantizer.bits.size(); ++i) {
      std::fprintf(file, "%s,W,%lld,%d,%.17g\n", quantizer.name.c_str(),
                   static_cast<long long>(quantizer.weight), quantizer.bits[i], quantizer.costs[i]);
    }
  }
  std::fclose(file);
  return {{"budget", problem.budgets.front().average_bits.text()}, {"kind", kind.name}};
}

double cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

Json solve(const Json& request, SolverRegistry& solvers) {
  const std::string file = request.at("file");
  const std::string csv = read_bytes(file);
  const Problem problem = make_problem(AllocationTable::parse(csv, file),
                                       {{"W=" + request.at("budget").get<std::string>()}, {}, {}});
  SolveOptions options;
  options.time_limit_seconds = request.at("time_limit").get<double>();
  const auto solver = solvers.make(request.at("solver"), Parameters());
  std::vector<double> wall, cpu;
  Solution solution;
  for (double total = 0; wall.size() < 5 && total < 0.2; total += wall.back()) {
    const double before = cpu_seconds();
    wall.push_back(seconds([&] { solution = solver->solve(problem, options); }));
    cpu.push_back(cpu_seconds() - before);
  }
  return {{"seconds", summarize(wall).median},
          {"cpu", summarize(cpu).median},
          {"bits", solution.bits},
          {"bound", solution.bound}};
}

void serve() {
  SolverRegistry solvers("solver");
  register_solvers(solvers);
  for (std::string line; std::getline(std::cin, line);) {
    const Json request = Json::parse(line);
    const Json answer =
        request.contains("export") ? export_instance(request) : solve(request, solvers);
    std::cout << answer.dump() << std::endl;
  }
}

}  // namespace
}  // namespace qbitopt::bench

int main() { qbitopt::bench::serve(); }
