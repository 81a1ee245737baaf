// What a driver does with the events.jsonl of a worker: its lines are read and stored, the views are
// read, and the attempt ends. A line that was read is written and reads back to the same line, a
// batch that comes twice changes nothing, and one that is refused leaves nothing.
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "qbitopt/core/error.h"
#include "qbitopt/core/hash.h"
#include "qbitopt/job/spool.h"
#include "qbitopt/runlog/database.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;

void promise(bool is_true, const char* what) {
  if (is_true) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "spool_fuzzer_XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path_); }
  fs::path operator/(const char* name) const { return path_ / name; }

 private:
  fs::path path_;
};

Job one_job() {
  Job job;
  job.parameters = {{"method", "qbitopt"}, {"model", "resnet8"}, {"data.name", "x"}, {"seed", 0}};
  job.key = job.config_key = sha256("a job");
  return job;
}

// A run log of one job, made anew now and then, before it grows slow.
class RunLog {
 public:
  RunLog() : database_(folder_ / "x.db") {
    Plan plan;
    plan.sweep_name = "fuzz";
    plan.jobs.push_back(planned_job(one_job()));
    database_.record_sweep(plan);
  }

  bool is_old() const { return attempt_.number >= 50; }

  void begin() {
    ++attempt_.number;
    attempt_.job = one_job();
    attempt_.folder = folder_ / "x.runs";
    database_.begin(attempt_);
  }
  void ingest(const std::vector<Event>& events) { database_.ingest(attempt_, events); }
  void end() { database_.end(attempt_, {JobState::kFailed, 0, 0, "lost", ""}); }

  // Rows of the tables that events go to.
  std::string rows() const {
    std::string sql;
    for (const char* table :
         {"event", "metric", "metric_point", "allocation", "quantizer_bits", "sensitivity",
          "quantizer_final", "budget_result", "artifact", "inventory", "quantizer", "environment"})
      sql += std::string(sql.empty() ? "SELECT " : ", ") + "(SELECT count(*) FROM " + table + ")";
    return Json(database_.reader().query(sql).rows.at(0)).dump();
  }

  void read_views() const {
    for (const char* view : {"runs", "results", "curves", "allocations", "bits_history",
                             "sensitivities", "bits", "failures", "progress", "sweep_runs"})
      database_.reader().query(std::string("SELECT * FROM ") + view);
  }

 private:
  Folder folder_;
  Attempt attempt_{.number = 0};
  Database database_;
};

std::vector<Event> events_in(const std::string& text) {
  static const Folder folder;
  const fs::path file = folder / "events.jsonl";
  std::ofstream(file, std::ios::binary) << text;
  SpoolReader reader(file);
  std::vector<Event> events;
  try {
    for (std::vector<Event> more; !(more = reader.read_new()).empty();)
      events.insert(events.end(), more.begin(), more.end());
  } catch (const InputError&) {
  }
  return events;
}

void try_spool(const std::string& text) {
  const std::vector<Event> events = events_in(text);
  for (const Event& event : events) {
    const std::string line = to_line(event);
    promise(to_line(parse_event(line)) == line, "a line reads back as another one");
  }
  static std::optional<RunLog> log;
  if (!log || log->is_old()) log.emplace();
  log->begin();
  const std::string before = log->rows();
  try {
    log->ingest(events);
    const std::string after = log->rows();
    log->ingest(events);
    promise(log->rows() == after, "events that came twice count twice");
  } catch (const InputError&) {
    promise(log->rows() == before, "events that were refused left something");
  }
  log->end();
  log->read_views();
}

}  // namespace
}  // namespace qbitopt

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  qbitopt::try_spool({reinterpret_cast<const char*>(data), size});
  return 0;
}
