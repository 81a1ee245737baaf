// qbitopt watch: shows the progress of a run in another process. Reads the database and the spools
// of running attempts.
#include <fmt/format.h>

#include <chrono>
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
#include "qbitopt/schedule/rhythm.h"

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
      if (!all.empty()) add_news(job, all.back().folder);
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

  // What the newest events say, and how long ago the last one came.
  void add_news(Json& job, const std::string& folder) {
    const fs::path file = fs::path(folder) / "events.jsonl";
    auto [found, is_new] = spools_.try_emplace(folder, Watched{SpoolReader(file), {}, {}});
    Watched& watched = found->second;
    for (std::vector<Event> events; !(events = watched.spool.read_new()).empty();)
      watched.hear(events);
    job["progress"] = watched.progress;
    if (watched.rhythm.last() == 0) return;
    const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
    job["silent_seconds"] = std::max(0.0, now.count() - watched.rhythm.last());
    job["is_stalled"] = job["silent_seconds"] > watched.rhythm.patience();
  }

  fs::path database_;
  struct Watched {
    SpoolReader spool;
    Json progress;
    Rhythm rhythm;

    void hear(const std::vector<Event>& events) {
      for (const Event& event : events) {
        rhythm.hear(event.unix_seconds);
        if (const auto* news = std::get_if<Progress>(&event.body)) {
          progress = {
              {"phase", news->phase}, {"step", news->step}, {"total_steps", news->total_steps},
              {"loss", news->loss},   {"top1", news->top1}, {"average_bits", news->average_bits}};
        }
      }
    }
  };
  std::map<std::string, Watched> spools_;  // by folder
};

std::string describe_sweep(const Json& sweep) {
  std::string text = fmt::format("{}: {}/{} finished", printable(plain(sweep["sweep"])),
                                 plain(sweep["finished"]), plain(sweep["jobs"]));
  for (const char* state : {"running", "interrupted", "failed", "stopped"}) {
    if (sweep[state] != 0) text += fmt::format(", {} {}", plain(sweep[state]), state);
  }
  if (sweep["hours_left"].is_number()) {
    text += fmt::format(", {} of work left", duration(3600 * sweep["hours_left"].get<double>()));
  }
  return text + "\n";
}

std::string describe_job(const Json& job) {
  std::string text = fmt::format("  {} {}", plain(job["job"]), plain(job["method"]));
  if (!job["bits"].is_null()) text += " bits=" + plain(job["bits"]);
  text += " seed=" + plain(job["seed"]);
  if (job.contains("queue_id")) text += "  job " + printable(plain(job["queue_id"]));
  if (job.value("is_stalled", false))
    text += "  STALLED for " + duration(job["silent_seconds"].get<double>());
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
