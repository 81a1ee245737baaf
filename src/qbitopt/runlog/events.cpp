#include "qbitopt/runlog/events.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "qbitopt/core/hash.h"
#include "qbitopt/core/json.h"
#include "qbitopt/runlog/schema.h"

namespace qbitopt {
namespace {

int split_code(const std::string& split) {
  if (split == "train") return 0;
  return split == "validation" ? 1 : 2;
}

std::optional<std::string> fact(const Started& body, const std::string& name) {
  const auto found = body.environment.find(name);
  return found == body.environment.end() ? std::nullopt : std::optional(found->second);
}

const char* non_finite_name(double value) {
  if (std::isnan(value)) return "nan";
  return value > 0 ? "inf" : "-inf";
}

}  // namespace

bool EventStore::store(int64_t attempt, const Event& event) {
  auto [last, is_unknown] = last_numbers_.try_emplace(attempt, 0);
  if (is_unknown)
    last->second =
        *connection_.find<int64_t>("SELECT last_event FROM attempt WHERE id = ?", attempt);
  if (event.number <= last->second) return false;
  attempt_ = attempt;
  event_ = &event;
  if (event.number > last->second + 1) {
    log("missing", "warning", std::nullopt,
        fmt::format("events {} to {} are missing in the spool", last->second + 1,
                    event.number - 1));
  }
  std::visit([this](const auto& body) { add(body); }, event.body);
  last->second = event.number;
  heard_at_ = event.unix_seconds;
  return true;
}

// Many rows by one statement: its beginning and end take longer than a row.
void EventStore::store_points() {
  constexpr size_t kMostRows = 50;
  const auto statement = [](size_t rows) {
    std::string sql = "INSERT OR REPLACE INTO metric_point VALUES ";
    for (size_t row = 0; row < rows; ++row) sql += row == 0 ? "(?,?,?,?,?)" : ",(?,?,?,?,?)";
    return sql;
  };
  static const std::string many = statement(kMostRows), one = statement(1);
  for (size_t next = 0; next < points_.size();) {
    const size_t rows = points_.size() - next >= kMostRows ? kMostRows : 1;
    SQLite::Statement& insert = connection_.prepare(rows == 1 ? one : many);
    int index = 0;
    for (const size_t end = next + rows; next < end; ++next) {
      const Point& point = points_[next];
      insert.bind(++index, point.attempt);
      insert.bind(++index, point.metric);
      insert.bind(++index, point.split);
      insert.bind(++index, point.step);
      insert.bind(++index, point.value);
    }
    insert.exec();
  }
  points_.clear();
}

void EventStore::note_last(int64_t attempt) {
  store_points();
  connection_.execute("UPDATE attempt SET last_event = ?, heard_at = ? WHERE id = ?",
                      last_numbers_.at(attempt), heard_at_, attempt);
}

void EventStore::add(const Started& body) {
  connection_.execute(
      "UPDATE attempt SET started_at = ?, host = ?, pid = ?, device = ?, threads = ?, "
      "environment_id = ?,"
      " resumed_from_step = ? WHERE id = ?",
      event_->unix_seconds, body.host, body.pid, body.device, body.threads, environment_id(body),
      body.resumed_from_step, attempt_);
  connection_.execute(
      "INSERT OR REPLACE INTO attempt_chain SELECT ?1, ancestor_id, min(last_step, ?2) FROM "
      "attempt_chain"
      " WHERE attempt_id = (SELECT resumed_from FROM attempt WHERE id = ?1)",
      attempt_, body.resumed_from_step);
  log("started", "info", body.resumed_from_step,
      body.resumed_from_step > 0 ? "continued from a checkpoint" : "started");
}

void EventStore::add(const Inventory& body) {
  Json list = Json::array();
  for (const QuantizerInfo& q : body.quantizers) {
    list.push_back({q.name, q.kind, q.elements, q.macs, q.counted,
                    q.pinned_bits ? Json(*q.pinned_bits) : Json(),
                    q.share ? Json(*q.share) : Json()});
  }
  const std::string text = canonical_json(list);
  int64_t& inventory = inventory_ids_[text];
  if (inventory == 0) inventory = inventory_id(body, text);
  connection_.execute("UPDATE attempt SET inventory_id = ? WHERE id = ?", inventory, attempt_);
}

int64_t EventStore::inventory_id(const Inventory& body, const std::string& list) {
  const std::string hash = sha256(list);
  auto inventory = connection_.find<int64_t>("SELECT id FROM inventory WHERE sha256 = ?", hash);
  if (!inventory) {
    connection_.execute("INSERT INTO inventory (sha256) VALUES (?)", hash);
    inventory = connection_.last_id();
    int position = 0;
    for (const QuantizerInfo& q : body.quantizers) {
      connection_.execute("INSERT INTO quantizer VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", *inventory,
                          position++, q.name, q.kind, q.elements, q.macs, q.counted, q.pinned_bits,
                          q.share);
    }
  }
  return *inventory;
}

void EventStore::add(const Metrics& body) {
  for (const auto& [name, value] : body.values) {
    if (!finite(body.step, name, value)) continue;
    points_.push_back({attempt_, metric_id(name), split_code(body.split), body.step, value});
  }
}

std::optional<double> EventStore::finite(int64_t step, const std::string& name, double value) {
  if (std::isfinite(value)) return value;
  add(NonFinite{step, name, non_finite_name(value)});
  return std::nullopt;
}

void EventStore::add(const NonFinite& body) {
  log("non_finite", "warning", body.step, fmt::format("{} is {}", body.name, body.value));
}

void EventStore::add(const Reallocation& body) {
  if (const auto former = connection_.find<int64_t>(
          "SELECT id FROM allocation WHERE attempt_id = ? AND step = ?", attempt_, body.step)) {
    for (const char* table : {"quantizer_bits", "sensitivity", "allocation_budget"})
      connection_.execute(fmt::format("DELETE FROM {} WHERE allocation_id = ?", table), *former);
  }
  connection_.execute(
      "INSERT OR REPLACE INTO allocation (attempt_id, step, solver, status, objective, bound, gap, "
      "solve_microseconds,"
      " sensitivity_seconds, cost_unit) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      attempt_, body.step, body.solver, body.status,
      finite(body.step, "the predicted rise of the loss", body.objective), body.bound, body.gap,
      body.solve_microseconds, body.sensitivity_seconds, body.cost_unit);
  const int64_t allocation = connection_.last_id();
  for (const BudgetState& budget : body.budgets) {
    if (!budget.limit) continue;
    connection_.execute("INSERT OR REPLACE INTO allocation_budget VALUES (?, ?, ?, ?)", allocation,
                        budget.group, budget.limit, budget.achieved);
  }
  const auto at = [&](const char* name, const std::vector<double>& values, size_t i) {
    return i < values.size()
               ? finite(body.step, fmt::format("{} of quantizer {}", name, i), values[i])
               : std::nullopt;
  };
  for (size_t i = 0; i < body.bits.size(); ++i) {
    connection_.execute("INSERT INTO quantizer_bits VALUES (?, ?, ?, ?, ?)", allocation, i,
                        body.bits[i], at("the sensitivity", body.sensitivities, i),
                        at("the range", body.ranges, i));
  }
  for (size_t i = 0; i < body.costs.size(); ++i) {
    for (const auto& [bits, cost] : body.costs[i]) {
      if (!finite(body.step, fmt::format("the cost of quantizer {} at {} bits", i, bits), cost))
        continue;
      connection_.execute("INSERT INTO sensitivity VALUES (?, ?, ?, ?)", allocation, i, bits, cost);
    }
  }
}

void EventStore::add(const Artifact& body) {
  connection_.execute("INSERT OR REPLACE INTO artifact VALUES (?, ?, ?, ?, ?)", attempt_, body.name,
                      body.path, body.sha256, body.bytes);
}

void EventStore::add(const Note& body) {
  log("note", body.level == "warning" ? "warning" : "info", std::nullopt, body.text);
}

void EventStore::add(const Finished& body) {
  for (const auto& [name, value] : body.results) {
    if (!finite(body.steps, name, value)) continue;
    const int64_t id = metric_id(name);
    make_column(id, name);
    connection_.execute("INSERT OR REPLACE INTO metric VALUES (?, ?, ?)", attempt_, id, value);
  }
  for (size_t i = 0; i < body.bits.size(); ++i) {
    connection_.execute("INSERT OR REPLACE INTO quantizer_final VALUES (?, ?, ?)", attempt_, i,
                        body.bits[i]);
  }
  for (const BudgetState& budget : body.budgets) {
    connection_.execute("INSERT OR REPLACE INTO budget_result VALUES (?, ?, ?, ?, NULL)", attempt_,
                        budget.group, budget.limit, budget.achieved);
  }
  for (const auto& [group, average] : body.all_tensor_bits) {
    connection_.execute(
        "INSERT INTO budget_result VALUES (?, ?, NULL, NULL, ?)"
        " ON CONFLICT DO UPDATE SET all_tensor_bits = excluded.all_tensor_bits",
        attempt_, group, average);
  }
  connection_.execute(
      "UPDATE attempt SET ended_at = ?, steps = ?, seconds = ?, train_seconds = ?, "
      "reallocation_seconds = ?,"
      " peak_memory_bytes = ?, weight_bytes = ?, budget_met = ? WHERE id = ?",
      event_->unix_seconds, body.steps, body.seconds, body.train_seconds, body.reallocation_seconds,
      body.peak_memory_bytes, body.weight_bytes, body.budget_met, attempt_);
  // The worker checks this, too.
  const bool breaks_promise =
      !body.budget_met && connection_.find<int64_t>(
                              "SELECT guarantees_budget FROM job JOIN attempt ON attempt.job_id = "
                              "job.id WHERE attempt.id = ?",
                              attempt_) == 1;
  if (breaks_promise) {
    add(Failed{"budget_exceeded",
               "the final bits exceed the budget that the method promises to keep"});
    return;
  }
  set_state(attempt_, "finished");
  log("finished", "info", body.steps, "finished");
}

void EventStore::make_column(int64_t metric, const std::string& name) {
  if (!connection_.find<int64_t>("SELECT 1 FROM metric_definition WHERE id = ? AND NOT is_result",
                                 metric))
    return;
  if (connection_.find<int64_t>("SELECT count(*) FROM metric_definition WHERE is_result") >=
      kMostResults) {
    log("note", "warning", std::nullopt,
        fmt::format("the result '{}' has no column, because there are {} already", name,
                    kMostResults));
    return;
  }
  connection_.execute("UPDATE metric_definition SET is_result = 1 WHERE id = ?", metric);
  has_new_result_ = true;
}

void EventStore::add(const Failed& body) {
  connection_.execute(
      "UPDATE attempt SET ended_at = ?, error_class = ?, error_text = ? WHERE id = ?",
      event_->unix_seconds, body.error_class, body.text, attempt_);
  set_state(attempt_, "failed");
  log("failed", "error", std::nullopt, body.error_class + ": " + body.text);
}

void EventStore::set_state(int64_t attempt, const std::string& state) {
  connection_.execute("UPDATE attempt SET state = ? WHERE id = ?", state, attempt);
  const bool has_result = connection_.find<int64_t>(
                              "SELECT 1 FROM job JOIN attempt ON attempt.id = job.attempt_id"
                              " WHERE job.id = (SELECT job_id FROM attempt WHERE id = ?1)"
                              " AND attempt.id <> ?1 AND attempt.state = 'finished'",
                              attempt) == 1;
  const std::string job_state = has_result && state == "failed" ? "finished" : state;
  connection_.execute(
      "UPDATE job SET state = ?1, attempt_id = iif(?2, attempt_id, ?3)"
      " WHERE id = (SELECT job_id FROM attempt WHERE id = ?3)",
      job_state, has_result && state != "finished", attempt);
}

int64_t EventStore::metric_id(const std::string& name) {
  const auto known = metric_ids_.find(name);
  if (known != metric_ids_.end()) return known->second;
  auto id = connection_.find<int64_t>("SELECT id FROM metric_definition WHERE name = ?", name);
  if (!id) {
    connection_.execute(
        "INSERT INTO metric_definition (name, unit, goal, description, is_result) VALUES (?, '', "
        "NULL, ?, 0)",
        name, "reported as `" + name + "`");
    id = connection_.last_id();
  }
  return metric_ids_[name] = *id;
}

int64_t EventStore::environment_id(const Started& body) {
  const std::string facts = canonical_json(Json(body.environment));
  int64_t& id = environment_ids_[facts];
  if (id != 0) return id;
  const auto known = connection_.find<int64_t>("SELECT id FROM environment WHERE facts = ?", facts);
  if (known) return id = *known;
  connection_.execute(
      "INSERT INTO environment (facts, cpu, os, libtorch, compiler, commit_hash, library_sha256)"
      " VALUES (?, ?, ?, ?, ?, ?, ?)",
      facts, fact(body, "cpu"), fact(body, "os"), fact(body, "libtorch"), fact(body, "compiler"),
      fact(body, "commit"), fact(body, "library_sha256"));
  return id = connection_.last_id();
}

void EventStore::log(const std::string& type, const std::string& level, std::optional<int64_t> step,
                     const std::string& text) {
  log(attempt_, event_->number, event_->unix_seconds, type, level, step, text);
}

void EventStore::log(int64_t attempt, int64_t number, double unix_seconds, const std::string& type,
                     const std::string& level, std::optional<int64_t> step,
                     const std::string& text) {
  connection_.execute(
      "INSERT INTO event (attempt_id, number, unix_seconds, type, level, step, text) VALUES (?, ?, "
      "?, ?, ?, ?, ?)",
      attempt, number, unix_seconds, type, level, step, text);
}

}  // namespace qbitopt
