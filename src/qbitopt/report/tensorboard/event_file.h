#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "qbitopt/core/output_file.h"

namespace qbitopt {

// CRC-32C (Castagnoli polynomial, as in RFC 3720).
uint32_t crc32c(std::string_view bytes);

// A file of TensorBoard: records of length and CRC around messages of the Protocol Buffers `Event`
// (tensorflow/core/util/event.proto). It appears as a whole, at commit().
class EventFile {
 public:
  using Value = std::variant<bool, double, std::string>;
  // What a run was made with, for the plugin "hparams" (tensorboard/plugins/hparams/plugin_data.proto).
  struct Session {
    std::map<std::string, Value> parameters;
    std::string group;      // sessions of one group are repetitions of one another
    double started_at = 0;  // [unix seconds]
    double ended_at = 0;
    enum class Status { kUnknown = 0, kSuccess = 1, kFailure = 2, kRunning = 3 } status;
  };
  // The columns of that plugin's table.
  struct Experiment {
    struct Parameter {
      std::string name;
      std::string description;
      std::vector<Value> values;  // all of one type; at least one
    };
    struct Metric {
      std::string tag;
      std::string name;
      std::string description;
    };
    std::vector<Parameter> parameters;
    std::vector<Metric> metrics;
  };

  // `wall_time` [unix seconds]: of the file.
  EventFile(const std::filesystem::path& file, double wall_time);

  void add_scalar(const std::string& tag, int64_t step, double wall_time, double value);
  // Markdown.
  void add_text(const std::string& tag, double wall_time, const std::string& text);
  void add_session(const Session& session);
  void add_experiment(const Experiment& experiment, double wall_time);
  void commit() { output_.commit(); }

 private:
  void add_record(std::string_view event);

  OutputFile output_;
};

}  // namespace qbitopt
