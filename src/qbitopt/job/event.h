#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "qbitopt/core/json.h"

namespace qbitopt {

// What a worker tells of a running attempt. One struct a kind; each line of events.jsonl is one
// Event:
//   {"n": 7, "t": 1764000000.123, "type": "metrics", ...the struct's fields...}

// First event of every attempt.
struct Started {
  std::string host;
  int64_t pid = 0;
  std::string device;  // "cpu", "cuda:0"
  int threads = 1;
  // Hardware, OS, LibTorch, compiler, code version: name -> text.
  std::map<std::string, std::string> environment;
  // Optimizer step the attempt goes on from; 0 for a fresh one.
  int64_t resumed_from_step = 0;
};

// One tensor's quantizer, as it never changes during a run.
struct QuantizerInfo {
  std::string name;      // "features.1.conv.0.0.weight", "features.1.conv.0.0.input"
  std::string kind;      // "weight" | "activation"
  int64_t elements = 0;  // activations: per sample at inference resolution
  int64_t macs = 0;      // of the layer it feeds, per sample
  bool counted = true;   // enters the budget's average
  std::optional<int> pinned_bits;
  // Its weight in the averages of budgets (budget.weighting). None: an older worker did not tell.
  std::optional<int64_t> share;
};
// Once, before the first step. Later events list quantizers in this order.
struct Inventory {
  std::vector<QuantizerInfo> quantizers;
};

// Points of curves. Finite values only; see NonFinite.
struct Metrics {
  int64_t step = 0;                      // optimizer steps done
  std::string split;                     // "train" | "validation" | "test"
  std::map<std::string, double> values;  // "loss", "top1" (percent), "learning_rate", ...
};

struct NonFinite {
  int64_t step = 0;
  std::string name;   // of the metric or gradient
  std::string value;  // "nan" | "inf" | "-inf"
};

// How one kind of budget stands, in its unit: limit (none: the job does not limit it) and achieved.
struct BudgetState {
  std::string group;  // the name of a kind: "weight", "bops" (see budget_kinds.h)
  std::optional<double> limit;
  double achieved = 0;
};

// Bits were chosen (also at the start: step 0). Vectors follow the inventory.
struct Reallocation {
  int64_t step = 0;
  std::string solver;           // empty for a method without one
  std::string status;           // "optimal" | "feasible" | "initial" | "over_budget"
  double objective = 0;         // in the metric's unit (nats)
  std::optional<double> bound;  // none: the solver knows no bound
  std::optional<double> gap;    // (objective - bound) / objective, 0 at objective 0
  double solve_microseconds = 0;
  double sensitivity_seconds = 0;
  std::vector<BudgetState> budgets;
  std::vector<int> bits;
  // Cost of each quantizer at its bits; empty where the method has none.
  std::vector<double> sensitivities;
  std::vector<double> ranges;
  // What it was chosen by, per quantizer: candidate bits -> cost; empty where the method has none.
  std::vector<std::map<int, double>> costs;
  std::string cost_unit;  // "nats", ...
};

// For the eye: where a running attempt is. Not stored.
struct Progress {
  int64_t step = 0;
  int64_t total_steps = 0;
  std::string phase;  // "calibrate", "train", "re-estimate batch norm", "evaluate"
  double loss = 0;
  double top1 = 0;
  double average_bits = 0;
};

// A file worth keeping, inside the attempt's folder.
struct Artifact {
  std::string name;  // "checkpoint", "model"
  std::string path;  // relative to the attempt's folder
  std::string sha256;
  int64_t bytes = 0;
};

struct Note {
  std::string level;  // "info" | "warning"
  std::string text;
};

// Last event of a good attempt. `budgets` and `all_tensor_bits` are recomputed from the final
// integer bits.
struct Finished {
  int64_t steps = 0;
  std::map<std::string, double> results;          // "top1", "loss", "validation_top1", ...
  std::vector<int> bits;                          // final, by inventory; empty for fp32
  std::vector<BudgetState> budgets;               // every kind
  std::map<std::string, double> all_tensor_bits;  // "weight", "activation": pinned ones included
  int64_t weight_bytes = 0;                       // all quantized weights at their bits
  bool budget_met = true;
  double seconds = 0;
  double train_seconds = 0;
  double reallocation_seconds = 0;
  int64_t peak_memory_bytes = 0;
};

// Last event of a bad one.
struct Failed {
  std::string error_class;  // as JobError
  std::string text;
};

using EventBody = std::variant<Started, Inventory, Metrics, NonFinite, Reallocation, Progress,
                               Artifact, Note, Finished, Failed>;

struct Event {
  int64_t number = 0;  // 1, 2, 3, ... within the attempt: ingesting twice changes nothing
  double unix_seconds = 0;
  EventBody body;
};

// One line of JSON without the newline.
std::string to_line(const Event& event);
// Throws InputError on a line that is not an event (a kind this version does not know included). A
// number that is not finite reads back as NaN.
Event parse_event(const std::string& line);

}  // namespace qbitopt
