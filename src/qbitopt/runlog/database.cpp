#include "qbitopt/runlog/database.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <map>
#include <set>

#include "qbitopt/core/error.h"
#include "qbitopt/core/hash.h"
#include "qbitopt/runlog/connection.h"
#include "qbitopt/runlog/database_file.h"
#include "qbitopt/runlog/events.h"
#include "qbitopt/runlog/queries.h"
#include "qbitopt/runlog/removal_rows.h"
#include "qbitopt/runlog/schema.h"
#include "qbitopt/runlog/sweep_record.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;

// Seconds of waiting for a lock until the user is told, or until it gives up if there is no user to
// tell.
constexpr double kTellOfLock = 2;
constexpr double kLockPatience = 10;

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

JobState state_named(const std::string& text) {
  if (text == "running") return JobState::kRunning;
  if (text == "interrupted") return JobState::kInterrupted;
  if (text == "finished") return JobState::kFinished;
  return text == "failed" ? JobState::kFailed : JobState::kNew;
}

// Folders below the database's own are stored relative to it, so that both may be moved together.
std::string stored_folder(const fs::path& database, const fs::path& folder) {
  const fs::path relative =
      folder.lexically_normal().lexically_relative(folder_of_database(database));
  if (relative.empty() || *relative.begin() == "..") return folder.string();
  return relative.string();
}

// Names of the parameters of all jobs.
std::set<std::string> parameters_of(const Plan& plan) {
  std::set<std::string> names;
  std::map<const JobShape*, std::vector<bool>> given;  // which of `varying` some job has
  for (const PlannedJob& job : plan.jobs) {
    std::vector<bool>& of_shape = given[job.shape.get()];
    of_shape.resize(job.values.size());
    for (size_t i = 0; i < job.values.size(); ++i)
      of_shape[i] = of_shape[i] || !job.values[i].is_null();
  }
  for (const auto& [shape, is_given] : given) {
    for (const auto& [name, value] : shape->parameters.items()) names.insert(name);
    for (size_t i = 0; i < is_given.size(); ++i) {
      if (is_given[i]) names.insert(shape->varying[i]);
    }
  }
  return names;
}

std::string name_of(const Attempt& attempt) {
  return fmt::format("{}/{}", attempt.job.key, attempt.number);
}

// True if the rows are wrong, not the disk or the file.
bool is_refusal(const SQLite::Exception& error) {
  const int code = error.getErrorCode() & 0xff;
  return code == SQLITE_CONSTRAINT || code == SQLITE_MISMATCH || code == SQLITE_TOOBIG;
}

}  // namespace

Database::Database(const fs::path& file, const DatabaseOptions& options)
    : file_(file), options_(options) {
  connection_ = open_for_writing(file, options.journal,
                                 [this](double seconds) { return wait_for_lock(seconds); });
  events_ = std::make_unique<EventStore>(*connection_);
  reader_.emplace(Reader(file_, connection_));
  refresh_views();
}

Database::~Database() {
  try {
    close();
  } catch (const std::exception&) {
    // Committed changes are in the log beside the file, which the next opening reads.
  }
}

const Reader& Database::reader() const { return *reader_; }

RunStore::Meanwhile Database::set_meanwhile(Meanwhile meanwhile) {
  return std::exchange(options_.meanwhile, std::move(meanwhile));
}

bool Database::wait_for_lock(double seconds) {
  if (seconds < told_of_lock_) told_of_lock_ = 0;  // another wait
  std::string text;
  if (seconds >= kTellOfLock && told_of_lock_ == 0) {
    told_of_lock_ = seconds;
    text = fmt::format("waiting for {}, which has locked {}; running jobs continue",
                       holder_of_lock(file_), file_.string());
  }
  return options_.meanwhile ? options_.meanwhile(text) : seconds < kLockPatience;
}

void Database::change(const std::function<void()>& action) {
  translate_errors(file_, [&] {
    try {
      connection_->begin();
      action();
    } catch (...) {
      connection_->rollback();
      events_->forget();
      attempt_ids_.clear();
      waiting_events_ = 0;
      throw;
    }
  });
}

void Database::refresh_views() {
  translate_errors(file_, [&] { extend_views(*connection_, {}); });
}

void Database::record_sweep(const Plan& plan, const SweepOrigin& origin) {
  change([&] {
    SweepRecorder(*connection_, now()).record(plan, origin);
    extend_views(*connection_, parameters_of(plan));
  });
  commit();
}

std::vector<JobRecord> Database::records(const Plan& plan) {
  std::vector<JobRecord> records;
  records.reserve(plan.jobs.size());
  const fs::path folder = folder_of_database(file_);
  translate_errors(file_, [&] {
    const ReadTransaction transaction(*connection_);
    for (const PlannedJob& job : plan.jobs) {
      JobRecord record;
      SQLite::Statement& row = connection_->prepare(
          "SELECT job.state, attempt.number, attempt.folder, attempt.error_class FROM job"
          " LEFT JOIN attempt ON attempt.id = (SELECT id FROM attempt WHERE job_id = job.id ORDER "
          "BY number DESC LIMIT 1)"
          " WHERE job.key = ?",
          job.key);
      if (row.executeStep()) {
        record.state = state_named(row.getColumn(0).getString());
        record.attempts = row.getColumn(1).getInt();
        if (record.attempts > 0)
          record.folder = (folder / row.getColumn(2).getString()).lexically_normal().string();
        record.error_class = row.getColumn(3).getString();
        if (record.state == JobState::kFailed && record.error_class == kStopped)
          record.state = JobState::kStopped;
      }
      row.reset();
      records.push_back(std::move(record));
    }
  });
  return records;
}

void Database::begin(const Attempt& attempt) {
  change([&] {
    const auto job =
        connection_->find<int64_t>("SELECT id FROM job WHERE key = ?", attempt.job.key);
    if (!job)
      throw std::logic_error("an attempt at a job that no recorded sweep has: " + attempt.job.key);
    std::optional<int64_t> resumed_from;
    if (!attempt.resume_from.empty()) {
      resumed_from = connection_->find<int64_t>(
          "SELECT id FROM attempt WHERE job_id = ? AND CAST(number AS TEXT) = ?", *job,
          fs::path(attempt.resume_from).parent_path().filename().string());
    }
    connection_->execute(
        "INSERT INTO attempt (job_id, number, state, folder, begun_at, resumed_from, inventory_id)"
        " VALUES (?1, ?2, 'running', ?3, ?4, ?5, (SELECT inventory_id FROM attempt WHERE id = ?5))",
        *job, attempt.number, stored_folder(file_, attempt.folder), now(), resumed_from);
    const int64_t id = connection_->last_id();
    connection_->execute("INSERT INTO attempt_chain VALUES (?1, ?1, 9223372036854775807)", id);
    // The first event will give the last step that counts.
    connection_->execute(
        "INSERT INTO attempt_chain SELECT ?1, ancestor_id, last_step FROM attempt_chain WHERE "
        "attempt_id = ?2",
        id, resumed_from);
    events_->set_state(id, "running");
    ++waiting_events_;
    oldest_waiting_ = {};  // due at once
  });
}

void Database::note_queue_id(const Attempt& attempt, const std::string& id) {
  change([&] {
    connection_->execute("UPDATE attempt SET slurm_id = ? WHERE id = ?", id, attempt_id(attempt));
    if (waiting_events_++ == 0) oldest_waiting_ = std::chrono::steady_clock::now();
  });
}

void Database::note(const Attempt& attempt, const std::string& text) {
  change([&] {
    events_->log(attempt_id(attempt), 0, now(), "note", "info", std::nullopt, text);
    if (waiting_events_++ == 0) oldest_waiting_ = std::chrono::steady_clock::now();
  });
}

void Database::ingest(const Attempt& attempt, const std::vector<Event>& events) {
  if (events.empty()) return commit_if_due();
  std::string refused;
  change([&] {
    const int64_t id = attempt_id(attempt);
    connection_->execute("SAVEPOINT events");
    try {
      bool is_news = false;
      for (const Event& event : events) {
        if (!events_->store(id, event)) continue;
        is_news = true;
        if (waiting_events_++ == 0) oldest_waiting_ = std::chrono::steady_clock::now();
      }
      if (is_news) events_->note_last(id);
    } catch (const SQLite::Exception& error) {
      if (!is_refusal(error)) throw;
      refused = error.what();
      connection_->execute("ROLLBACK TO events");
      events_->forget();
    }
    connection_->execute("RELEASE events");
    if (events_->take_new_result()) extend_views(*connection_, {});
  });
  if (!refused.empty()) {
    throw InputError(
        fmt::format("{}: the run log cannot store its events: {}", attempt.folder, refused));
  }
  if (waiting_events_ >= options_.commit_events || waiting_events_ == 0) {
    commit();
  } else {
    commit_if_due();
  }
}

void Database::end(const Attempt& attempt, const AttemptEnd& end) {
  change([&] {
    ++waiting_events_;
    oldest_waiting_ = {};  // due at once
    const int64_t id = attempt_id(attempt);
    attempt_ids_.erase(name_of(attempt));
    events_->forget(id);
    connection_->execute(
        "UPDATE attempt SET exit_code = ?1, signal = nullif(?2, 0), ended_at = COALESCE(ended_at, "
        "?3) WHERE id = ?4",
        end.exit_code, end.signal, now(), id);
    const auto state =
        *connection_->find<std::string>("SELECT state FROM attempt WHERE id = ?", id);
    // A full disk is not the job's fault, whatever its worker reported.
    const bool is_overruled = state == "failed" && end.state == JobState::kInterrupted;
    if (state == "failed" && end.will_retry) renew_job(id);
    if (state != "running" && !is_overruled) return;
    if (end.state == JobState::kInterrupted) {
      connection_->execute(
          "UPDATE attempt SET error_class = nullif(?, ''), error_text = nullif(?, '') WHERE id = ?",
          end.error_class, end.text, id);
      events_->set_state(id, "interrupted");
      events_->log(id, 0, now(), "interrupted", "info", std::nullopt,
                   end.text.empty() ? "stopped in good order" : end.text);
      return;
    }
    const bool is_silent = end.state == JobState::kFinished;
    const std::string error_class = is_silent || end.error_class.empty() ? "lost" : end.error_class;
    const std::string text =
        is_silent ? "the worker reported success, but its last event is missing" : end.text;
    connection_->execute("UPDATE attempt SET error_class = ?, error_text = ? WHERE id = ?",
                         error_class, text, id);
    events_->set_state(id, "failed");
    const bool is_stopped = end.state == JobState::kStopped;
    events_->log(id, 0, now(), is_stopped ? "stopped" : "failed", is_stopped ? "info" : "error",
                 std::nullopt, is_stopped ? text : error_class + ": " + text);
    if (end.will_retry) renew_job(id);
  });
}

std::string Database::artifact(const std::string& job_key, const std::string& name) {
  const auto left = finished_artifact(reader(), job_key, name);
  const std::string job = short_key(job_key);
  const std::string remedy = fmt::format(
      "`qbitopt retry {}` makes it again, and then runs the jobs that failed without it", job);
  if (!left) throw InputError(fmt::format("job {} left no '{}'; {}", job, name, remedy));
  if (!fs::exists(left->path)) {
    throw InputError(
        fmt::format("{}: missing, but job {} left it and other jobs need it; restore it, or {}",
                    left->path, job, remedy));
  }
  if (const std::string& found = hashes_.sha256_of(left->path); found != left->sha256) {
    throw JobError(
        "damaged_input",
        fmt::format("{}: changed since job {} left it: its sha256 is {}..., expected {}...; {}",
                    left->path, job, found.substr(0, 10), left->sha256.substr(0, 10), remedy));
  }
  return left->path;
}

std::vector<std::pair<int64_t, double>> Database::validation_curve(const std::string& key,
                                                                   const std::string& metric) {
  const Rows rows = reader().query(
      "SELECT step, value FROM curves WHERE key = ? AND metric = ? AND split = 'validation' ORDER "
      "BY "
      "step",
      {key, metric});
  std::vector<std::pair<int64_t, double>> curve;
  for (const auto& row : rows.rows) curve.emplace_back(row[0].get<int64_t>(), row[1].get<double>());
  return curve;
}

void Database::commit_if_due() {
  if (waiting_events_ > 0 &&
      std::chrono::steady_clock::now() - oldest_waiting_ >= options_.commit_after)
    commit();
}

void Database::commit() {
  if (connection_->is_in_transaction()) change([&] { connection_->commit(); });
  waiting_events_ = 0;
}

void Database::reset(const std::vector<std::string>& job_keys) {
  change([&] {
    for (const std::string& key : job_keys)
      connection_->execute("UPDATE job SET state = 'new' WHERE key = ?", key);
  });
  commit();
}

void Database::renew_job(int64_t attempt) {
  connection_->execute(
      "UPDATE job SET state = 'new' WHERE id = (SELECT job_id FROM attempt WHERE id = ?)", attempt);
}

void Database::remove(const Removal& removal) {
  change([&] {
    delete_rows(*connection_, removal);
    events_->forget();
    attempt_ids_.clear();
    qbitopt::refresh_views(*connection_);
  });
  commit();
}

void Database::forget_artifact(const std::string& job_key, const std::string& name) {
  change([&] {
    connection_->execute(
        "DELETE FROM artifact WHERE name = ? AND attempt_id IN (SELECT attempt.id FROM attempt "
        "JOIN "
        "job ON job.id = attempt.job_id WHERE job.key = ?)",
        name, job_key);
  });
  commit();
}

void Database::record_published(const std::vector<PublishedResult>& results) {
  change([&] {
    connection_->execute("DELETE FROM published_result");
    for (const PublishedResult& r : results) {
      connection_->execute(
          "INSERT INTO published_result (model, method, kind, weight_bits, activation_bits,"
          " budget_constraint, fp32_top1, top1, source_title, source_url, quoted_from)"
          " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
          r.model, r.method, r.kind, r.weight_bits, r.activation_bits, r.constraint, r.fp32_top1,
          r.top1, r.source_title, r.source_url, r.quoted_from);
    }
  });
  commit();
}

void Database::record_table(const RenderedTable& table) {
  const std::string hash = sha256(table.text);
  change([&] {
    const auto last = connection_->find<std::string>(
        "SELECT sha256 FROM rendered_table WHERE name = ? AND format = ? ORDER BY id DESC LIMIT 1",
        table.name, table.format);
    if (last == hash) return;
    connection_->execute(
        "INSERT INTO rendered_table (name, rendered_at, definition, format, jobs, sha256)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        table.name, now(), table.definition, table.format, Json(table.jobs).dump(), hash);
  });
  commit();
}

void Database::close() {
  if (!connection_) return;
  commit();
  reader_.reset();
  events_.reset();
  const std::shared_ptr<Connection> connection = std::move(connection_);
  translate_errors(file_, [&] { come_to_rest(*connection); });
}

int64_t Database::attempt_id(const Attempt& attempt) {
  int64_t& id = attempt_ids_[name_of(attempt)];
  if (id == 0) {
    const auto found = connection_->find<int64_t>(
        "SELECT attempt.id FROM attempt JOIN job ON job.id = attempt.job_id WHERE job.key = ? AND "
        "attempt.number = ?",
        attempt.job.key, attempt.number);
    if (!found)
      throw std::logic_error(
          fmt::format("attempt {} at {} was not begun", attempt.number, attempt.job.key));
    id = *found;
  }
  return id;
}

}  // namespace qbitopt
