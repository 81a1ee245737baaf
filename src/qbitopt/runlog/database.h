#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "qbitopt/core/file_hashes.h"
#include "qbitopt/runlog/error.h"
#include "qbitopt/runlog/published.h"
#include "qbitopt/runlog/reader.h"
#include "qbitopt/runlog/removal.h"
#include "qbitopt/schedule/run_store.h"
#include "qbitopt/sweep/plan.h"

namespace qbitopt {

class Catalog;
class Connection;
class EventStore;

// How SQLite protects changes. A write-ahead log needs shared memory, which network file systems
// lack.
enum class Journal { kAutomatic, kWriteAhead, kRollback };

struct DatabaseOptions {
  // Automatic: write-ahead on a local disk, rollback on a network.
  Journal journal = Journal::kAutomatic;
  // Group commit: events are committed when this many are waiting, or after this time.
  int commit_events = 1000;
  std::chrono::milliseconds commit_after{200};
  // See RunStore::set_meanwhile. Null: the database waits 10 s for a file that another program has
  // locked.
  RunStore::Meanwhile meanwhile = nullptr;
};

// What is stored about a sweep besides its plan.
struct SweepOrigin {
  std::vector<std::string> argv;
  // Host, versions, user's settings of the driver: name -> text.
  std::map<std::string, std::string> environment;
  // Unit and meaning of parameters, for the documentation of columns; null: none known.
  const Catalog* catalog = nullptr;
};

// A table that was written, to be recorded.
struct RenderedTable {
  std::string name;               // of the definition
  std::string definition;         // verbatim
  std::string format;             // "markdown", ...
  std::vector<std::string> jobs;  // keys of the runs in it
  std::string text;               // its hash is kept
};

// The run log: one SQLite file, written by one driver. Committed changes survive a crash, and after
// close() there is one file that can be opened anywhere. Not thread-safe. Every function throws
// DatabaseError if the disk or the file fails. Committed changes are not lost then, and pending
// events are read from the spools again by the next run.
class Database : public RunStore {
 public:
  // Opens the file, or creates it with its folder. A file of an older version is migrated after a
  // copy was made ("<file>.v<version>.bak"). Throws DatabaseError, with the file untouched, if it
  // belongs to another program or to a newer version of this one.
  explicit Database(const std::filesystem::path& file, const DatabaseOptions& options = {});
  ~Database() override;  // close(), without exceptions
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Stores the sweep and all its jobs; jobs that are stored already keep their state. Jobs that
  // only an earlier version of the sweep had are kept and marked as orphaned. Committed on return.
  void record_sweep(const Plan& plan, const SweepOrigin& origin = {});

  // RunStore. A job is finished when its Finished event is committed; `end` cannot change that.
  std::vector<JobRecord> records(const Plan& plan) override;
  void begin(const Attempt& attempt) override;
  void note_queue_id(const Attempt& attempt, const std::string& id) override;
  void note(const Attempt& attempt, const std::string& text) override;
  void ingest(const Attempt& attempt, const std::vector<Event>& events) override;
  void end(const Attempt& attempt, const AttemptEnd& end) override;
  std::string artifact(const std::string& job_key, const std::string& name) override;
  std::vector<std::pair<int64_t, double>> validation_curve(const std::string& key,
                                                           const std::string& metric) override;
  // Commits pending events that have waited long enough.
  void commit_if_due() override;
  Meanwhile set_meanwhile(Meanwhile meanwhile) override;

  void commit() override;

  // Marks jobs to be run again, including finished ones: their state becomes new, their attempts
  // are kept, and a result stays valid until another attempt has finished. Committed on return.
  void reset(const std::vector<std::string>& job_keys);

  // Deletes sweeps and jobs with all their rows; the folders are the caller's. Committed on return.
  void remove(const Removal& removal);
  // Deletes the record of files that are no longer kept. Committed on return.
  void forget_artifact(const std::string& job_key, const std::string& name);

  // Replaces the published numbers. Committed on return.
  void record_published(const std::vector<PublishedResult>& results);
  // A table that is already stored with the same text is not recorded again. Committed on return.
  void record_table(const RenderedTable& table);

  // Sees all ingested events, committed or not. Valid as long as the database.
  const Reader& reader() const;

  // Commits, empties the write-ahead log and leaves one plain file. No function may be called after
  // it.
  void close();

 private:
  // Runs `action` in the open transaction, or in a new one. If it throws, everything since the last
  // commit is undone; the spools still have it.
  void change(const std::function<void()>& action);
  int64_t attempt_id(const Attempt& attempt);
  bool wait_for_lock(double seconds);
  void renew_job(int64_t attempt);
  void refresh_views();

  std::filesystem::path file_;
  DatabaseOptions options_;
  std::shared_ptr<Connection> connection_;
  std::unique_ptr<EventStore> events_;
  std::optional<Reader> reader_;
  FileHashes hashes_;                           // of artifacts: many jobs may need the same one
  std::map<std::string, int64_t> attempt_ids_;  // "<key>/<number>"
  double told_of_lock_ = 0;  // seconds of the current wait when the user was told
  int waiting_events_ = 0;
  std::chrono::steady_clock::time_point oldest_waiting_;
};

}  // namespace qbitopt
