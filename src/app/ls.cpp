// qbitopt ls: lists the jobs of a database, or its sweeps.
#include <fmt/format.h>

#include <algorithm>

#include "app/exit_codes.h"
#include "app/places.h"
#include "app/rows.h"
#include "app/verbs.h"
#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"
#include "qbitopt/runlog/reader.h"

namespace po = boost::program_options;

namespace qbitopt::app {
namespace {

constexpr const char* kJobs =
    "SELECT job, state, method, model, budget_average_bits AS bits, seed, top1, weight_bits, "
    "activation_bits,"
    " seconds, attempts, queue_id, error_class AS error, sweeps, tags, note FROM runs";

constexpr const char* kSweeps =
    "SELECT sweep, jobs, finished, running, interrupted, failed, new, percent, hours, hours_left, "
    "tags, "
    "note "
    "FROM progress"
    " ORDER BY sweep";

constexpr const char* kOfSweep = "key IN (SELECT key FROM sweep_runs WHERE sweep = ?{})";

const std::vector<std::string> kJobStates = {"new", "running", "interrupted", "finished", "failed"};

struct Selection {
  std::vector<std::string> conditions;
  std::vector<Json> arguments;
  void add(const std::string& condition, const std::string& argument) {
    arguments.push_back(argument);
    conditions.push_back(fmt::format(fmt::runtime(condition), arguments.size()));
  }
};

std::string where(const Selection& selection) {
  std::string text;
  for (const std::string& condition : selection.conditions)
    text += (text.empty() ? " WHERE " : " AND ") + condition;
  return text;
}

Rows jobs(const Reader& reader, const CommandLine& line) {
  Selection selection;
  if (line.has("state")) {
    const std::string state = line.get<std::string>("state");
    if (std::find(kJobStates.begin(), kJobStates.end(), state) == kJobStates.end())
      throw InputError(unknown_name("state", state, kJobStates));
    selection.add("state = ?{}", state);
  }
  if (line.has("sweep")) {
    check_sweep(reader, line.words("sweep").front());
    selection.add(kOfSweep, line.words("sweep").front());
  }
  if (line.has("where"))
    selection.conditions.push_back("(" + line.get<std::string>("where") + "\n)");
  return reader.query(kJobs + where(selection) + " ORDER BY method, model, bits, seed, job",
                      selection.arguments);
}

}  // namespace

int ls(const Invocation& invocation) {
  CommandLine line("ls [SWEEP] [options]", "Lists all jobs, or the jobs of one sweep.");
  line.options()("sweeps", po::bool_switch(), "list the sweeps and their progress instead")(
      "state", po::value<std::string>()->value_name("STATE"),
      "only jobs that are new, running, interrupted, finished or failed")(
      "where", po::value<std::string>()->value_name("SQL"),
      "only jobs that meet a condition on the view `runs`");
  line.add_database();
  line.add_json();
  line.add_positional("sweep", 1);
  if (!line.parse(invocation)) return kGood;
  if (line.is_on("sweeps") && (line.has("sweep") || line.has("state") || line.has("where")))
    throw UsageError("--sweeps lists all sweeps; leave out SWEEP, --state and --where");
  const Reader reader(line.database());
  const Rows rows = line.is_on("sweeps") ? reader.query(kSweeps) : jobs(reader, line);
  if (line.json()) {
    invocation.console.print_json(as_json(rows));
  } else {
    invocation.console.print(as_text(rows));
  }
  return kGood;
}

}  // namespace qbitopt::app
