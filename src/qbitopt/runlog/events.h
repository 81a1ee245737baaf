#pragma once

// Internal to the run log: events become rows.

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>

#include "qbitopt/job/event.h"
#include "qbitopt/runlog/connection.h"

namespace qbitopt {

class EventStore {
 public:
  explicit EventStore(Connection& connection) : connection_(connection) {}

  // Stores one event of an attempt, unless its number says that it is stored already. Part of the
  // caller's transaction. Returns true if it was new.
  bool store(int64_t attempt, const Event& event);

  // Call after a rollback: what was stored since the last commit is not known any more.
  void forget() {
    metric_ids_.clear();
    last_numbers_.clear();
  }

  // True since the last call: a metric came whose column `runs` does not have.
  bool take_new_result() { return std::exchange(has_new_result_, false); }

  // State of an attempt, and of its job with it. A job that has a result keeps it until another
  // attempt has finished.
  void set_state(int64_t attempt, const std::string& state);

  // A line of the log: told by the driver if `number` is 0.
  void log(int64_t attempt, int64_t number, double unix_seconds, const std::string& type,
           const std::string& level, std::optional<int64_t> step, const std::string& text);

 private:
  void add(const Started& body);
  void add(const Inventory& body);
  void add(const Metrics& body);
  void add(const NonFinite& body);
  void add(const Reallocation& body);
  void add(const Progress&) {}
  void add(const Artifact& body);
  void add(const Note& body);
  void add(const Finished& body);
  void add(const Failed& body);

  int64_t metric_id(const std::string& name);
  void make_column(int64_t metric, const std::string& name);
  int64_t environment_id(const Started& body);
  void log(const std::string& type, const std::string& level, std::optional<int64_t> step,
           const std::string& text);
  // What SQLite would keep as NULL becomes an event as well.
  std::optional<double> finite(int64_t step, const std::string& name, double value);

  Connection& connection_;
  std::unordered_map<std::string, int64_t> metric_ids_;
  std::unordered_map<int64_t, int64_t> last_numbers_;  // by attempt
  bool has_new_result_ = false;
  int64_t attempt_ = 0;  // of the event at hand
  const Event* event_ = nullptr;
};

}  // namespace qbitopt
