#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "qbitopt/core/error.h"
#include "qbitopt/core/hash.h"
#include "qbitopt/schedule/run_store.h"

namespace qbitopt::testing {

// A RunStore in memory that also remembers, for a look afterwards, everything it was told.
class MapStore : public RunStore {
 public:
  std::vector<JobRecord> records(const Plan& plan) override {
    std::vector<JobRecord> records;
    for (const PlannedJob& job : plan.jobs) records.push_back(jobs[job.key]);
    return records;
  }
  void begin(const Attempt& attempt) override {
    JobRecord& record = jobs[attempt.job.key];
    record.state = JobState::kRunning;
    record.attempts = attempt.number;
    record.folder = attempt.folder;
    begun.push_back(attempt);
  }
  void note_queue_id(const Attempt& attempt, const std::string& id) override {
    queue_ids[attempt.job.key].push_back(id);
  }
  void note(const Attempt&, const std::string& text) override { notes.push_back(text); }
  void ingest(const Attempt& attempt, const std::vector<Event>& new_events) override {
    for (const Event& event : new_events) events[attempt.job.key].push_back(event);
  }
  void end(const Attempt& attempt, const AttemptEnd& end) override {
    jobs[attempt.job.key].state = end.will_retry ? JobState::kNew : end.state;
    ends[attempt.job.key].push_back(end);
  }
  void commit() override { committed = begun.size(); }
  std::vector<std::pair<int64_t, double>> validation_curve(const std::string& key,
                                                           const std::string& metric) override {
    std::vector<std::pair<int64_t, double>> curve;
    for (const Event& event : events[key]) {
      const auto* metrics = std::get_if<Metrics>(&event.body);
      if (metrics != nullptr && metrics->split == "validation")
        curve.emplace_back(metrics->step, metrics->values.at(metric));
    }
    return curve;
  }
  std::string artifact(const std::string& key, const std::string& name) override {
    const auto file = std::filesystem::path(jobs[key].folder) / name;
    if (!std::filesystem::exists(file)) throw InputError(file.string() + " is gone");
    return file.string();
  }

  std::map<std::string, JobRecord> jobs;
  std::map<std::string, std::vector<Event>> events;
  std::map<std::string, std::vector<AttemptEnd>> ends;
  std::map<std::string, std::vector<std::string>> queue_ids;
  std::vector<std::string> notes;
  std::vector<Attempt> begun;
  size_t committed = 0;  // of those
};

// A job of nothing but its name; its key is the name's hash.
inline Job named_job(const std::string& name, Json parameters = Json::object(),
                     const std::map<std::string, std::string>& needs = {}) {
  parameters["name"] = name;
  return {sha256(name), sha256(name), parameters, {}, needs};
}

}  // namespace qbitopt::testing
