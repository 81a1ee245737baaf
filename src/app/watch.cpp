// qbitopt watch: shows the progress of a run in another process. Reads the database and the spools
// of running attempts.
#include <fmt/format.h>

#include <cstdio>
#include <fstream>

#include "app/driver_lock.h"
#include "app/exit_codes.h"
#include "app/places.h"
#include "app/rows.h"
#include "app/stop_signals.h"
#include "app/text.h"
#include "app/verbs.h"
#include "qbitopt/core/encoding.h"
#include "qbitopt/job/spool.h"
#include "qbitopt/runlog/queries.h"

namespace po = boost::program_options;

namespace qbitopt::app {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRunning =
    "SELECT key, job, method, seed, budget_average_bits AS bits, attempts FROM runs WHERE key "
    "IN (SELECT key FROM job WHERE state = 'running')";

// The spools of running attempts, each read from where the last read ended.
class Watcher {
 public:
  explicit Watcher(fs::path database) : database_(std::move(database)) {}

  Json look() {
    const Reader reader(database_);
    Json running = as_json(reader.query(kRunning));
    const Json queued = queue_states();
    for (Json& job : running) {
      const auto all = attempts(reader, job["key"]);
      if (!all.empty()) job["progress"] = newest_progress(all.back().folder);
      if (!all.empty() && !all.back().queue_id.empty()) job["queue_id"] = all.back().queue_id;
      if (const std::string state = queued.value(job["key"].get<std::string>(), ""); !state.empty())
        job["state"] = state;
    }
    const Rows sweeps = reader.query(
        "SELECT * FROM progress WHERE running > 0 OR interrupted + new > 0 ORDER BY sweep");
    return {{"driver", has_driver(database_)}, {"sweeps", as_json(sweeps)}, {"running", running}};
  }

 private:
  // As the driver wrote it down: key -> "queued: Priority".
  Json queue_states() const {
    std::ifstream stream(runs_folder(database_) / "queue.json");
    const Json states = Json::parse(stream, nullptr, /*allow_exceptions=*/false);
    return states.is_object() ? states : Json::object();
  }

  Json newest_progress(const std::string& folder) {
    const fs::path file = fs::path(folder) / "events.jsonl";
    auto [spool, is_new] = spools_.try_emplace(folder, SpoolReader(file), Json());
    for (const Event& event : spool->second.first.read_new()) {
      if (const auto* progress = std::get_if<Progress>(&event.body)) {
        spool->second.second = {{"phase", progress->phase},
                                {"step", progress->step},
                                {"total_steps", progress->total_steps},
                                {"loss", progress->loss},
                                {"top1", progress->top1},
                                {"average_bits", progress->average_bits}};
      }
    }
    return spool->second.second;
  }

  fs::path database_;
  std::map<std::string, std::pair<SpoolReader, Json>> spools_;  // by folder
};

std::string describe_sweep(const Json& sweep) {
  std::string text = fmt::format("{}: {}/{} finished", printable(plain(sweep["sweep"])),
                                 plain(sweep["finished"]), plain(sweep["jobs"]));
  for (const char* state : {"running", "interrupted", "failed"}) {
    if (sweep[state] != 0) text += fmt::format(", {} {}", plain(sweep[state]), state);
  }
  if (sweep["hours_left"].is_number()) {
    text += fmt::format(", {} of work left", duration(3600 * sweep["hours_left"].get<double>()));
  }
  return text + "\n";
}

std::string describe_job(const Json& job) {
  std::string text = fmt::format("  {} {} bits={} seed={}", plain(job["job"]), plain(job["method"]),
                                 plain(job["bits"]), plain(job["seed"]));
  if (job.contains("queue_id")) text += "  job " + printable(plain(job["queue_id"]));
  const Json progress = job.value("progress", Json());
  if (!progress.is_object()) return text + "  " + job.value("state", "starting") + "\n";
  return text + fmt::format("  {} {}/{}  loss {:.3f}  top-1 {:.2f}\n", plain(progress["phase"]),
                            plain(progress["step"]), plain(progress["total_steps"]),
                            progress["loss"].get<double>(), progress["top1"].get<double>());
}

std::string as_text(const Json& seen) {
  std::string text;
  for (const Json& sweep : seen["sweeps"]) text += describe_sweep(sweep);
  for (const Json& job : seen["running"]) text += describe_job(job);
  if (!seen["driver"].get<bool>()) text += "no driver is running\n";
  return text;
}

}  // namespace

int watch(const Invocation& invocation) {
  CommandLine line("watch [options]",
                   "Shows the progress of a sweep that another process runs, until it ends.");
  line.options()("once", po::bool_switch(), "print the state once and exit")(
      "interval", po::value<Interval>()->default_value({1}, "1")->value_name("TIME"),
      "time between updates");
  line.add_database();
  line.add_json();
  if (!line.parse(invocation)) return kGood;
  Console& console = invocation.console;
  Watcher watcher(line.database());
  const StopSignals signals;
  size_t drawn_lines = 0;
  while (signals.count() == 0) {
    const Json seen = watcher.look();
    const std::string text = line.json()
                                 ? seen.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"
                                 : as_text(seen);
    if (!line.json()) console.take_back(drawn_lines);
    console.print(text);
    std::fflush(stdout);
    drawn_lines = static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
    if (line.is_on("once") || !seen["driver"].get<bool>()) return kGood;
    signals.wait(line.get<Interval>("interval").seconds);
  }
  return kGood;
}

}  // namespace qbitopt::app
