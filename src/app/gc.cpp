// qbitopt gc: deletes files of attempts that no result needs.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include "app/disk_space.h"
#include "app/driver_lock.h"
#include "app/exit_codes.h"
#include "app/places.h"
#include "app/text.h"
#include "app/verbs.h"
#include "qbitopt/runlog/database.h"
#include "qbitopt/runlog/queries.h"

namespace po = boost::program_options;

namespace qbitopt::app {
namespace {

namespace fs = std::filesystem;

// Files of one kind that may go.
struct Garbage {
  std::string what;
  std::vector<fs::path> paths;                                 // files and folders
  std::vector<std::pair<std::string, std::string>> artifacts;  // job and name, gone with them
};

struct GarbageOptions {
  bool networks = false;
  bool logs = false;
  double ended_before = 0;  // [unix seconds]
};

// Every attempt, with what decides about its files.
struct StoredAttempt {
  std::string key, folder, state;
  bool is_result = false;      // the attempt that counts of a finished job
  bool is_superseded = false;  // another attempt of its job has finished
  bool is_old = true;
};

std::vector<StoredAttempt> stored_attempts(const Reader& reader, double ended_before) {
  const Rows rows = reader.query(
      "SELECT job.key, attempt.folder, attempt.state, attempt.id = job.attempt_id AND "
      "attempt.state = "
      "'finished' AS is_result, counted.state = 'finished' AND attempt.id <> counted.id AND "
      "job.state = 'finished' AS is_superseded, COALESCE(attempt.ended_at, attempt.begun_at) AS "
      "ended FROM job JOIN attempt ON attempt.job_id = job.id"
      " LEFT JOIN attempt AS counted ON counted.id = job.attempt_id");
  std::vector<StoredAttempt> all;
  const fs::path base = runs_folder(reader.file()).parent_path();
  for (const auto& row : rows.rows) {
    all.push_back({row[0], (base / row[1].get<std::string>()).lexically_normal().string(), row[2],
                   row[3] == 1, row[4] == 1, row[5].get<double>() < ended_before});
  }
  return all;
}

// Jobs whose network another job starts from.
std::set<std::string> needed_jobs(const Reader& reader) {
  std::set<std::string> keys;
  for (const auto& row : reader
                             .query("SELECT DISTINCT key FROM job_dependency JOIN job ON job.id = "
                                    "needed_job_id")
                             .rows)
    keys.insert(row[0].get<std::string>());
  return keys;
}

bool is_attempt_number(const std::string& name) {
  return !name.empty() && name.find_first_not_of("0123456789") == std::string::npos;
}

// Folders of attempts that the database does not know, or not any more.
Garbage strangers(const fs::path& runs, const std::vector<StoredAttempt>& attempts,
                  double ended_before) {
  std::set<std::string> known;
  for (const StoredAttempt& attempt : attempts) known.insert(attempt.folder);
  Garbage garbage{"folders of attempts that the database does not have", {}, {}};
  std::error_code ignored;
  for (const fs::directory_entry& job : fs::directory_iterator(runs, ignored)) {
    if (!job.is_directory()) continue;
    for (const fs::directory_entry& attempt : fs::directory_iterator(job.path(), ignored)) {
      const std::string stem = attempt.path().stem().stem().string();
      const bool is_attempt = attempt.is_directory() && is_attempt_number(stem) &&
                              fs::exists(attempt.path() / "job.json");
      if (!is_attempt || known.count(attempt.path().string()) != 0) continue;
      const auto age = fs::file_time_type::clock::now() - attempt.last_write_time(ignored);
      const double now =
          std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch())
              .count();
      if (now - std::chrono::duration<double>(age).count() < ended_before)
        garbage.paths.push_back(attempt.path());
    }
  }
  return garbage;
}

std::vector<Garbage> find_garbage(const Reader& reader, const GarbageOptions& options) {
  const std::vector<StoredAttempt> attempts = stored_attempts(reader, options.ended_before);
  const std::set<std::string> needed = needed_jobs(reader);
  Garbage superseded{"attempts that are not the result of their finished job", {}, {}};
  Garbage checkpoints{"checkpoints of finished runs", {}, {}};
  Garbage networks{"networks of finished runs that no other job starts from", {}, {}};
  Garbage logs{"logs and events of finished runs", {}, {}};
  const auto add = [](Garbage& garbage, const fs::path& path) {
    const bool is_there = fs::exists(fs::symlink_status(path));
    if (is_there) garbage.paths.push_back(path);
    return is_there;
  };
  for (const StoredAttempt& attempt : attempts) {
    if (!attempt.is_old || attempt.state == "running") continue;
    const fs::path folder = attempt.folder;
    if (attempt.is_superseded) add(superseded, folder);
    if (!attempt.is_result) continue;
    add(checkpoints, folder / "checkpoint");
    const auto model = finished_artifact(reader, attempt.key, "model");
    if (options.networks && model && needed.count(attempt.key) == 0 && add(networks, model->path))
      networks.artifacts.emplace_back(attempt.key, "model");
    if (!options.logs) continue;
    for (const char* name : {"log.txt", "events.jsonl"}) add(logs, folder / name);
  }
  return {strangers(runs_folder(reader.file()), attempts, options.ended_before), superseded,
          checkpoints, networks, logs};
}

int64_t space_of(const Garbage& garbage) {
  int64_t bytes = 0;
  for (const fs::path& path : garbage.paths) bytes += disk_space(path);
  return bytes;
}

std::string summary(const std::vector<Garbage>& all) {
  std::vector<std::vector<std::string>> rows = {{"what", "number", "size"}};
  int64_t total = 0;
  for (const Garbage& garbage : all) {
    if (garbage.paths.empty()) continue;
    const int64_t bytes = space_of(garbage);
    total += bytes;
    rows.push_back({garbage.what, std::to_string(garbage.paths.size()), size_text(bytes)});
  }
  rows.push_back({"total", "", size_text(total)});
  return rows.size() == 2 ? "nothing to delete\n" : columns(rows);
}

void delete_files(const Garbage& garbage, Console& console) {
  for (const fs::path& path : garbage.paths) {
    std::error_code error;
    fs::remove_all(path, error);
    if (error) console.warn(fmt::format("{}: {}", path.string(), error.message()));
    fs::remove(path.parent_path(), error);  // if it is empty now
  }
}

}  // namespace

int gc(const Invocation& invocation) {
  CommandLine line("gc [options]",
                   "Shows which files of attempts no result needs, and deletes them with --delete. "
                   "Results stay in the\ndatabase.");
  line.options()("delete", po::bool_switch(), "delete what is shown")(
      "networks", po::bool_switch(),
      "also the trained networks of finished runs that no other job starts from; `predict` and "
      "`export-network` need them")("logs", po::bool_switch(),
                                    "also logs and events of finished runs")(
      "older-than", po::value<Seconds>()->value_name("TIME"),
      "only of attempts that ended this long ago: 12h, 30d")("list", po::bool_switch(),
                                                             "print the path of each file");
  line.add_database();
  if (!line.parse(invocation)) return kGood;
  Console& console = invocation.console;

  const fs::path file = line.database();
  Reader{file};  // a missing database is an error and not created
  const DriverLock lock(file);
  Database database(file);
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  GarbageOptions options;
  options.networks = line.is_on("networks");
  options.logs = line.is_on("logs");
  options.ended_before = now - line.get_or("older-than", Seconds{-1}).value;
  const std::vector<Garbage> all = find_garbage(database.reader(), options);
  if (line.is_on("list")) {
    for (const Garbage& garbage : all) {
      for (const fs::path& path : garbage.paths) console.print(shown(path) + "\n");
    }
  } else {
    console.print(summary(all));
  }
  const bool is_empty =
      std::all_of(all.begin(), all.end(), [](const Garbage& each) { return each.paths.empty(); });
  if (line.is_on("delete")) {
    for (const Garbage& garbage : all) {
      for (const auto& [key, name] : garbage.artifacts) database.forget_artifact(key, name);
      delete_files(garbage, console);
    }
    if (!is_empty) console.say("deleted");
  } else if (!is_empty) {
    console.say("nothing was deleted; --delete does");
  }
  database.close();
  return kGood;
}

}  // namespace qbitopt::app
