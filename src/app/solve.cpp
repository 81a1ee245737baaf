// qbitopt solve: chooses bit-widths for a table of costs.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iostream>

#include "app/exit_codes.h"
#include "app/text.h"
#include "app/verbs.h"
#include "qbitopt/allocation/budget_arguments.h"
#include "qbitopt/allocation/budget_check.h"
#include "qbitopt/allocation/exact.h"
#include "qbitopt/allocation/solver.h"
#include "qbitopt/core/error.h"
#include "qbitopt/core/text_file.h"

namespace po = boost::program_options;

namespace qbitopt::app {
namespace {

AllocationTable read_table(const std::string& file) {
  if (file == "-")
    return AllocationTable::parse(read_text(std::cin, "<stdin>", kLargestData), "<stdin>");
  std::ifstream stream(file, std::ios::binary);
  if (!stream || std::filesystem::is_directory(file)) {
    throw InputError({file}, "cannot be read; expected a table of costs as CSV, or - for stdin");
  }
  return AllocationTable::parse(read_text(stream, file, kLargestData), file);
}

// Reads the output of `solve --json` for the same quantizers, possibly with other budgets or costs.
std::vector<int> read_start(const std::string& file, const Problem& problem, Console& console) {
  const Json json = read_json(file);
  if (!json.is_object() || !json.contains("bits") || !json["bits"].is_object()) {
    throw InputError({file}, "has no \"bits\"; expected the output of `qbitopt solve --json`");
  }
  std::vector<int> bits;
  for (const AllocationQuantizer& quantizer : problem.quantizers) {
    const Json& value = json["bits"].value(quantizer.name, Json());
    if (!value.is_number_integer()) {
      throw InputError({file}, fmt::format("has no bits for quantizer '{}'", quantizer.name));
    }
    bits.push_back(value.get<int>());
  }
  if (!is_within_budgets(problem, bits)) {
    console.warn(file + " exceeds a budget, so it is not used as a start");
  }
  return bits;
}

std::string readable(double value) {
  return std::isfinite(value) ? fmt::format("{:.12g}", value) : "?";
}

std::string budget_table(const Solution& solution, const Problem& problem) {
  const bool found = solution.status != SolutionStatus::kInfeasible;
  std::vector<std::vector<std::string>> rows = {
      {"budget", "unit", "limit", found ? "achieved" : "smallest reachable"}};
  for (size_t i = 0; i < solution.budgets.size(); ++i) {
    const BudgetUse& use = solution.budgets[i];
    const bool is_bops = i >= problem.budgets.size();
    const std::string unit = is_bops                    ? "bit operations"
                             : problem.budgets[i].bytes ? "bytes"
                                                        : "average bits";
    rows.push_back(
        {use.name, unit, fmt::format("{:.12g}", use.limit), fmt::format("{:.12g}", use.achieved)});
  }
  return columns(rows);
}

std::string bits_table(const Solution& solution, const Problem& problem) {
  std::vector<std::vector<std::string>> rows = {{"quantizer", "weight", "bits", "cost"}};
  for (size_t q = 0; q < problem.quantizers.size(); ++q) {
    const AllocationQuantizer& quantizer = problem.quantizers[q];
    const auto at = std::find(quantizer.bits.begin(), quantizer.bits.end(), solution.bits[q]);
    const double cost = quantizer.costs[at - quantizer.bits.begin()];
    rows.push_back({quantizer.name, std::to_string(quantizer.weight),
                    std::to_string(solution.bits[q]), fmt::format("{:.6g}", cost)});
  }
  return columns(rows);
}

std::string as_text(const Solution& solution, const Problem& problem) {
  std::string text = fmt::format("{}: {}, {:.3g} ms\n", solution.solver, to_string(solution.status),
                                 solution.microseconds / 1000);
  if (solution.status == SolutionStatus::kInfeasible) {
    return text + "\n" + budget_table(solution, problem);
  }
  text += fmt::format("cost {}, no allocation is below {}", readable(solution.objective),
                      readable(solution.bound));
  text += std::isfinite(solution.gap) ? fmt::format(" (gap {:.2g})\n", solution.gap) : "\n";
  return text + "\n" + budget_table(solution, problem) + "\n" + bits_table(solution, problem);
}

std::unique_ptr<Solver> make_solver(const CommandLine& line, const Problem& problem) {
  SolverRegistry solvers("solver");
  register_solvers(solvers);
  const std::string usual = Exact::takes(problem) ? "exact" : "milp";
  return solvers.make(line.get_or<std::string>("solver", usual), Parameters());
}

}  // namespace

int solve(const Invocation& invocation) {
  CommandLine line("solve TABLE.csv|- --budget GROUP=BITS [options]",
                   "Chooses the bit-widths of least cost under budgets. TABLE has the columns\n"
                   "quantizer,group,weight,bits,cost and one row per quantizer and candidate.\n"
                   "Exit status 3: the budgets are infeasible; prints the smallest feasible ones.");
  line.options()("budget", po::value<Words>()->value_name("GROUP=BITS"),
                 "limit for the weighted average bits of a group; group 'all': all quantizers")(
      "bytes", po::value<Words>()->value_name("GROUP=N"),
      "limit for the group's sum of weight * bits / 8")(
      "bops", po::value<Words>()->value_name("N"),
      "limit for the sum of macs * bits * bits over layers; needs the columns layer and macs")(
      "solver", po::value<std::string>()->value_name("NAME"),
      "solver (see `qbitopt solvers`; default: exact, or milp if budgets overlap)")(
      "start", po::value<FileName>()->value_name("FILE.json"),
      "start from an earlier --json result; the new one is not worse")(
      "time-limit", po::value<Seconds>()->value_name("TIME"),
      "exact, milp: stop at this time with the best solution and its gap")(
      "seed", po::value<Seed>()->value_name("N"), "seed of the solver random");
  line.add_json();
  line.add_positional("table", 1);
  if (!line.parse(invocation)) return kGood;
  if (!line.has("table")) throw UsageError("solve needs a table: a CSV file, or - for stdin");
  const BudgetArguments budgets{line.words("budget"), line.words("bytes"), line.words("bops")};
  if (budgets.averages.empty() && budgets.bytes.empty() && budgets.bops.empty()) {
    throw UsageError("solve needs a budget: --budget GROUP=BITS, --bytes GROUP=N or --bops N");
  }
  SolveOptions options;
  if (line.has("time-limit")) options.time_limit_seconds = line.get<Seconds>("time-limit").value;
  if (line.has("seed")) options.seed = line.get<Seed>("seed").value;

  const Problem problem = make_problem(read_table(line.words("table").front()), budgets);
  if (line.has("start")) {
    options.start_bits =
        read_start(line.get<FileName>("start").path.string(), problem, invocation.console);
  }
  const Solution solution = make_solver(line, problem)->solve(problem, options);
  invocation.console.print(
      line.json()
          ? to_json(solution, problem).dump(2, ' ', false, Json::error_handler_t::replace) + "\n"
          : as_text(solution, problem));
  if (!solution.note.empty()) invocation.console.say("note: " + solution.note);
  if (solution.status != SolutionStatus::kInfeasible) return kGood;
  invocation.console.error("no allocation meets the budgets");
  return kInfeasible;
}

}  // namespace qbitopt::app
