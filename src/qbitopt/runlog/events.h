#pragma once

// Internal to the run log: stores events as rows.

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "qbitopt/job/event.h"
#include "qbitopt/runlog/connection.h"

namespace qbitopt {

class EventStore {
 public:
  explicit EventStore(Connection& connection) : connection_(connection) {}

  // Stores one event of an attempt within the caller's transaction. Returns false if the event with
  // this number is already stored.
  bool store(int64_t attempt, const Event& event);

  // Call after the events of one attempt were stored, in the same transaction: only now their points
  // of curves are.
  void note_last(int64_t attempt);

  // Call after a rollback: forgets what was stored since the last commit.
  void forget() {
    metric_ids_.clear();
    environment_ids_.clear();
    inventory_ids_.clear();
    last_numbers_.clear();
    points_.clear();
  }

  // The attempt has ended.
  void forget(int64_t attempt) { last_numbers_.erase(attempt); }

  // True if a metric without a column in `runs` has been stored since the last call.
  bool take_new_result() { return std::exchange(has_new_result_, false); }

  // Sets the state of an attempt and of its job. A job keeps its result until another attempt has
  // finished.
  void set_state(int64_t attempt, const std::string& state);

  // Adds a line to the log; `number` is 0 for a line of the driver.
  void log(int64_t attempt, int64_t number, double unix_seconds, const std::string& type,
           const std::string& level, std::optional<int64_t> step, const std::string& text);

 private:
  // A row of metric_point.
  struct Point {
    int64_t attempt, metric;
    int split;
    int64_t step;
    double value;
  };

  void store_points();
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
  int64_t inventory_id(const Inventory& body, const std::string& list);
  void log(const std::string& type, const std::string& level, std::optional<int64_t> step,
           const std::string& text);
  // A value that is not finite, which SQLite would store as NULL, is also logged as an event.
  std::optional<double> finite(int64_t step, const std::string& name, double value);

  Connection& connection_;
  std::unordered_map<std::string, int64_t> metric_ids_;
  std::unordered_map<int64_t, int64_t> last_numbers_;  // by attempt
  // By their content, as JSON.
  std::unordered_map<std::string, int64_t> environment_ids_, inventory_ids_;
  std::vector<Point> points_;  // not stored yet
  bool has_new_result_ = false;
  int64_t attempt_ = 0;  // of the current event
  double heard_at_ = 0;  // [unix seconds] the latest event
  const Event* event_ = nullptr;
};

}  // namespace qbitopt
