// qbitopt plan: shows the jobs of a sweep. Writes nothing.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <unordered_map>

#include "app/executor_choice.h"
#include "app/exit_codes.h"
#include "app/job_choice.h"
#include "app/known_parts.h"
#include "app/places.h"
#include "app/plan_lists.h"
#include "app/same_name.h"
#include "app/sweep_tables.h"
#include "app/text.h"
#include "app/verbs.h"
#include "qbitopt/report/rows_format.h"
#include "qbitopt/runlog/database.h"
#include "qbitopt/runlog/expected_seconds.h"
#include "qbitopt/runlog/maintenance.h"
#include "qbitopt/runlog/queries.h"
#include "qbitopt/schedule/executors/cores.h"
#include "qbitopt/schedule/job_queue.h"
#include "qbitopt/sweep/job_size.h"
#include "qbitopt/sweep/sweep_file.h"
#include "qbitopt/sweep/sweep_plugins.h"

namespace po = boost::program_options;

namespace qbitopt::app {
namespace {

// Number of jobs in each state.
using Counts = std::map<std::string, size_t>;
constexpr const char* kStates[] = {"finished", "new", "interrupted", "running", "failed"};

// The database's record of the plan's jobs.
struct Known {
  std::map<std::string, std::string> states;  // by key, of those that are stored
  std::vector<std::string> stored_keys;       // of the sweep, as it was last run
};

Known ask(const std::optional<Reader>& reader, const Plan& plan) {
  Known known;
  if (!reader) return known;
  known.states = job_states(*reader);
  known.stored_keys = stored_keys(*reader, plan.sweep_name);
  return known;
}

std::string state_of(const Known& known, const PlannedJob& job) {
  const auto found = known.states.find(job.key);
  return found == known.states.end() ? "new" : found->second;
}

constexpr const char* kAssumption =
    "assuming one NVIDIA H100, the speed of QBitOpt in float32 for every method, "
    "training.deterministic: false (resnet18 and mobilenet_v2 as measured, other networks scaled "
    "by MACs, other sizes by pixels) and epochs of the published data; without evaluation";

// Estimate for the unfinished jobs, from finished jobs of the same kind or, on GPUs, from the
// assumption.
struct Estimate {
  double seconds = 0;      // until all jobs are finished, on all cores
  double gpu_seconds = 0;  // total of jobs on GPUs
  double assumed_gpu_seconds = 0;
  size_t known_jobs = 0;
  size_t assumed_jobs = 0;
  size_t unknown_jobs = 0;
  int64_t bytes = 0;  // of checkpoints that are kept
};

Estimate estimate(const std::optional<Reader>& reader, const Plan& plan, const Known& known,
                  const Catalog& catalog) {
  Estimate estimate;
  std::optional<ExpectedSeconds> expected;
  if (reader) expected.emplace(*reader);
  const double cores = available_cores();
  // Of a job; jobs that differ in their seed alone need the same.
  struct Cost {
    JobSize size;
    std::optional<double> seconds;
    double share = 1;  // of the cores
    bool is_on_gpu = false;
  };
  Cost cost;
  JobCursor cursor;
  std::string_view config_key;  // that `cost` is for
  for (const PlannedJob& planned : plan.jobs) {
    if (state_of(known, planned) == "finished") continue;
    if (config_key != *planned.config_key) {
      config_key = *planned.config_key;
      const Job& job = cursor.at(planned);
      cost.size = size_of(job, catalog);
      cost.seconds = expected ? expected->of(job, cost.size.images) : std::nullopt;
      cost.share = std::min<double>(threads_of(job), cores) / cores;
      cost.is_on_gpu = job.parameters.value("device", "cpu") == "cuda";
    }
    estimate.bytes += cost.size.checkpoint_bytes;
    if (!cost.seconds) {
      ++(cost.size.h100_seconds ? estimate.assumed_jobs : estimate.unknown_jobs);
      estimate.assumed_gpu_seconds += cost.size.h100_seconds.value_or(0);
      continue;
    }
    ++estimate.known_jobs;
    if (cost.is_on_gpu) {
      estimate.gpu_seconds += *cost.seconds;
    } else {
      estimate.seconds += *cost.seconds * cost.share;
    }
  }
  return estimate;
}

std::string describe(const Estimate& estimate) {
  if (estimate.known_jobs + estimate.assumed_jobs + estimate.unknown_jobs == 0)
    return "all jobs are finished";
  std::string text;
  if (estimate.known_jobs + estimate.assumed_jobs == 0) {
    text =
        "no estimate, because no job of these kinds has finished yet; run a few steps first "
        "(training.epochs=0 training.steps=50)";
  } else {
    std::vector<std::string> parts;
    if (estimate.seconds > 0)
      parts.push_back(
          fmt::format("about {} on {} cores", duration(estimate.seconds), available_cores()));
    if (estimate.gpu_seconds > 0)
      parts.push_back(fmt::format("about {:.1f} GPU-hours", estimate.gpu_seconds / 3600));
    if (estimate.assumed_jobs > 0)
      parts.push_back(
          fmt::format("about {:.1f} GPU-hours for {} of kinds that were never run, {}; a few steps "
                      "of each kind would replace this by a measured speed",
                      estimate.assumed_gpu_seconds / 3600, estimate.assumed_jobs, kAssumption));
    if (estimate.unknown_jobs > 0)
      parts.push_back(fmt::format("{} jobs of kinds that were never run", estimate.unknown_jobs));
    text = fmt::format("{}", fmt::join(parts, ", "));
  }
  if (estimate.bytes > 0)
    text += fmt::format("; checkpoints: {:.3g} GB", static_cast<double>(estimate.bytes) / 1e9);
  return text;
}

std::string table_of_cases(const Plan& plan, const Known& known) {
  std::vector<std::string> order;
  std::map<std::string, Counts> counts;
  for (const PlannedJob& job : plan.jobs) {
    std::vector<std::string> names = job.cases();
    if (!job.requested) names = {"(needed by others)"};
    if (names.empty()) names = {"all"};
    for (const std::string& name : names) {
      if (!counts.count(name)) order.push_back(name);
      ++counts[name][state_of(known, job)];
      ++counts[name]["jobs"];
    }
  }
  std::vector<std::vector<std::string>> rows = {
      {"case", "jobs", "cached", "new", "interrupted", "running", "failed"}};
  const bool has_stopped = std::any_of(counts.begin(), counts.end(),
                                       [](auto& entry) { return entry.second["stopped"] > 0; });
  if (has_stopped) rows[0].push_back("stopped");
  for (const std::string& name : order) {
    rows.push_back({name, std::to_string(counts[name]["jobs"])});
    for (const char* state : kStates) rows.back().push_back(std::to_string(counts[name][state]));
    if (has_stopped) rows.back().push_back(std::to_string(counts[name]["stopped"]));
  }
  return columns(rows);
}

// "budget.average_bits  2.5: 9, 3: 12, 4: 9"
std::string table_of_axes(const Plan& plan) {
  constexpr size_t kMostListed = 20;
  struct Axis {
    std::vector<std::pair<std::string, size_t>> values;  // with their jobs, in order
    std::unordered_map<std::string, size_t> places;
    Json last;  // value, and its place: the outer axes change seldom
    size_t last_place = 0;
  };
  std::map<std::string, Axis> axes;
  for (const PlannedJob& job : plan.jobs) {
    if (!job.requested) continue;
    for (const std::string& name : job.shape->axes) {
      const Json& value = job.value(name);
      if (value.is_null()) continue;
      Axis& axis = axes[name];
      if (axis.last.is_null() || axis.last != value) {
        const std::string text = plain(value);
        const auto [place, is_new] = axis.places.emplace(text, axis.values.size());
        if (is_new) axis.values.emplace_back(text, 0);
        axis.last = value;
        axis.last_place = place->second;
      }
      ++axis.values[axis.last_place].second;
    }
  }
  std::vector<std::vector<std::string>> rows = {{"axis", "value: jobs"}};
  for (const auto& [axis, found] : axes) {
    std::vector<std::string> list;
    const size_t listed = std::min(found.values.size(), kMostListed);
    for (size_t i = 0; i < listed; ++i) {
      const auto& [value, count] = found.values[i];
      list.push_back(fmt::format("{}: {}", value, count));
    }
    if (found.values.size() > listed)
      list.push_back(fmt::format("and {} more values", found.values.size() - listed));
    rows.push_back({axis, fmt::to_string(fmt::join(list, ", "))});
  }
  return rows.size() > 1 ? columns(rows) : "";
}

// What would be submitted to the cluster for the jobs that are not finished.
std::string scripts(const Plan& plan, const Known& known, const std::optional<Reader>& reader,
                    const CommandLine& line) {
  const ExecutorChoice choice = executor_of(plan, line);
  std::optional<ExpectedSeconds> expected;
  if (reader) expected.emplace(*reader);
  ExecutorOptions options;
  options.worker = worker_program();
  options.runs_folder = runs_folder(line.database());
  options.settings = choice.settings;
  options.estimate = [&](const Job& job) {
    return expected ? JobEstimate{expected->of(job), expected->memory_bytes_of(job)}
                    : JobEstimate{};
  };
  std::vector<Job> jobs;
  for (const PlannedJob& job : plan.jobs) {
    if (state_of(known, job) != "finished") jobs.push_back(job.job());
  }
  return make_executor(choice.name, options)->preview(jobs);
}

Json plan_json(const Plan& plan, const Known& known, const Estimate& estimate,
               const std::vector<std::string>& plugins) {
  Json json = to_json(plan);
  Counts counts;
  for (const PlannedJob& job : plan.jobs) ++counts[state_of(known, job)];
  json["counts"]["states"] = counts;
  json["plugins"] = plugins;
  json["estimated_hours"] = estimate.known_jobs > 0 ? Json(estimate.seconds / 3600) : Json();
  json["estimated_gpu_hours"] =
      estimate.known_jobs > 0 ? Json(estimate.gpu_seconds / 3600) : Json();
  json["assumed_gpu_hours"] =
      estimate.assumed_jobs > 0 ? Json(estimate.assumed_gpu_seconds / 3600) : Json();
  if (estimate.assumed_jobs > 0) json["assumption"] = kAssumption;
  json["checkpoint_bytes"] = estimate.bytes;
  json["jobs_without_estimate"] = estimate.unknown_jobs;
  return json;
}

// Prints the jobs one by one at the end, because in one value each would take 20 kB of memory.
void print_json(const Json& head, const Plan& plan, const Known& known, Console& console) {
  const auto text = [](const Json& json) {
    return json.dump(2, ' ', false, Json::error_handler_t::replace);
  };
  std::string open = text(head);
  open.erase(open.rfind("\n}"));
  console.print(open + ",\n  \"jobs\": [");
  for (const PlannedJob& planned : plan.jobs) {
    Json job = to_json(planned);
    job["state"] = state_of(known, planned);
    std::string lines = "\n" + text(job);
    for (size_t at = 0; (at = lines.find('\n', at)) != std::string::npos; at += 5)
      lines.insert(at + 1, "    ");
    console.print((&planned == &plan.jobs.front() ? "" : ",") + lines);
  }
  console.print("\n  ]\n}\n");
}

// "sweep quick: 39 jobs, and 1 that they need"; with a search that is not over "sweep searched: 15
// to 23 jobs; 5 are planned now, the others follow from the results of the searches".
std::string headline(const Plan& plan) {
  const size_t jobs = plan.jobs.size();
  if (plan.least_jobs > jobs || plan.most_jobs > jobs) {
    const std::string all = plan.least_jobs == plan.most_jobs
                                ? std::to_string(plan.most_jobs)
                                : fmt::format("{} to {}", plan.least_jobs, plan.most_jobs);
    return fmt::format(
        "sweep {}: {} jobs; {} are planned now, the others follow from the results of the searches",
        plan.sweep_name, all, jobs);
  }
  const auto requested = static_cast<size_t>(std::count_if(
      plan.jobs.begin(), plan.jobs.end(), [](const auto& job) { return job.requested; }));
  return fmt::format("sweep {}: {} jobs, and {} that they need", plan.sweep_name, requested,
                     jobs - requested);
}

// A folder that is gone at the end.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "qbitopt-plan-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      throw InputError("cannot create a temporary folder like " + name + "; set TMPDIR");
    path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// The part of the plan that the options choose. A condition is about recorded jobs, so the sweep is
// recorded in a copy of the database.
Plan chosen_part(const Plan& plan, const Known& known, JobChoice& choice,
                 const std::filesystem::path& database, const Catalog& catalog) {
  if (!choice.has_where())
    return choice.of(plan, {.states = {known.states.begin(), known.states.end()}});
  const ScratchFolder scratch;
  const std::filesystem::path copy = scratch.path() / "copy.db";
  if (std::filesystem::exists(database)) backup_database(database, copy);
  Database recorded(copy);
  recorded.record_sweep(plan, {.catalog = &catalog});
  return choice.of(plan, choice.ask(recorded.reader()));
}

// `is_whole`: the plan is not a part that options chose.
std::string as_text(const Plan& plan, const Known& known, const Estimate& estimate,
                    const std::vector<std::string>& plugins, bool is_whole) {
  std::string text = headline(plan) + "\n\n";
  text += table_of_cases(plan, known) + "\n";
  const std::string axes = table_of_axes(plan);
  if (!axes.empty()) text += axes + "\n";
  if (!known.stored_keys.empty() && is_whole) {
    const PlanDifference changes = difference(known.stored_keys, plan);
    text += fmt::format("changes since the last run: +{} new, -{} orphaned, {} kept\n",
                        changes.added.size(), changes.orphaned.size(), changes.kept.size());
  }
  for (const SearchState& search : plan.searches) text += search_text(search) + "\n";
  for (const std::string& plugin : plugins) {
    text += fmt::format("loads the sweep's plugin {} (refused by --no-plugins)\n", plugin);
  }
  return text + describe(estimate) + "\n";
}

}  // namespace

int plan(const Invocation& invocation) {
  CommandLine line("plan SWEEP [key=value ...] [options]",
                   "Shows what a sweep would run. Writes nothing. Overrides are those of `run`.");
  line.options()("list", po::bool_switch(), "print a line for each job: key, state, case, values")(
      "csv", po::bool_switch(), "print --list as CSV")(
      "tree", po::bool_switch(), "print the jobs below the jobs that they need");
  JobChoice::add_options(line);
  add_plugin_option(line);
  add_executor_options(line);
  line.add_database();
  line.add_json();
  line.add_positional("sweep", 1);
  line.add_positional("override", -1);
  if (!line.parse(invocation)) return kGood;
  if (!line.has("sweep"))
    throw UsageError("plan needs a sweep: a file, or the name of one in sweeps/");
  if (line.is_on("csv") && !line.is_on("list")) throw UsageError("--csv is an option of --list");
  if (line.is_on("csv") && line.json()) throw UsageError("--csv and --json exclude each other");
  if (line.is_on("tree") && (line.is_on("list") || line.json()))
    throw UsageError("--tree excludes --list and --json");

  Console& console = invocation.console;
  const std::filesystem::path sweep = find_sweep(line.words("sweep").front());
  const Catalog catalog = known_parts(sweep, plugins_of(line));
  std::optional<Reader> reader;
  if (std::filesystem::exists(line.database())) reader.emplace(line.database());
  Plan plan = Sweep(sweep, line.words("override"), catalog).plan([&](const std::string& key) {
    return reader ? trial_result(*reader, key) : std::nullopt;
  });
  JobChoice choice(line);
  choice.check_cases(plan);
  for (const std::string& warning : plan.warnings) console.warn(warning);
  if (const auto clash = reader ? clash_of_names(*reader, plan) : std::nullopt)
    console.warn(*clash + "; `run` will refuse it");
  for (const SweepTable& table : read_tables(plan, catalog, line.database().parent_path())) {
    const auto missing =
        reader ? missing_sweeps(table, *reader, plan.sweep_name) : std::vector<std::string>{};
    if (!missing.empty()) {
      console.warn(fmt::format("table {} also shows sweep {}, which is not in the database yet",
                               table.definition.name, fmt::join(missing, ", ")));
    }
  }
  std::vector<std::string> plugins;
  for (const SweepPlugin& plugin : plugins_of_sweep(sweep))
    plugins.push_back(plugin.library.string());
  const Known known = ask(reader, plan);
  if (!choice.is_all()) {
    const size_t planned_jobs = plan.jobs.size();
    plan = chosen_part(plan, known, choice, line.database(), catalog);
    console.say(fmt::format("{} of {} jobs are chosen, with those that they need", plan.jobs.size(),
                            planned_jobs));
  }
  const auto state = [&](const PlannedJob& job) { return state_of(known, job); };
  if (line.is_on("list")) {
    const Rows rows = list_of_jobs(plan, state);
    console.print(line.is_on("csv") ? write_rows(rows, RowsFormat::kCsv)
                  : line.json()     ? write_rows(rows, RowsFormat::kJson)
                                    : list_text(rows));
    return kGood;
  }
  if (line.is_on("tree")) {
    console.print(tree_of_jobs(plan, state));
    return kGood;
  }
  const Estimate expected = estimate(reader, plan, known, catalog);
  if (line.json()) {
    print_json(plan_json(plan, known, expected, plugins), plan, known, console);
  } else {
    console.print(as_text(plan, known, expected, plugins, choice.is_all()));
    if (line.has("executor")) {
      const std::string text = scripts(plan, known, reader, line);
      if (!text.empty()) console.print("\n" + text);
    }
  }
  return kGood;
}

}  // namespace qbitopt::app
