#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "qbitopt/core/json.h"

// What every benchmark here shares: interleaved timing, one table, one file.
namespace qbitopt::bench {

// One measured number.
struct Row {
  std::string name;             // what was measured: "quantized step"
  std::string case_;            // on what: "resnet20, batch 64"
  double value = 0;             // median over the rounds
  std::string unit;             // "ms", "ns/element"
  std::string reference;        // what the ratio compares with; empty: nothing
  std::optional<double> ratio;  // value / value of the reference
  int rounds = 0;
  double spread = 0;  // interquartile range, in the unit of `value`
};

struct Summary {
  double median = 0;
  double spread = 0;  // interquartile range
};

inline Summary summarize(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto at = [&](double fraction) {
    const double place = fraction * static_cast<double>(values.size() - 1);
    const auto low = static_cast<size_t>(place);
    const size_t high = std::min(low + 1, values.size() - 1);
    return values[low] + (place - static_cast<double>(low)) * (values[high] - values[low]);
  };
  return {at(0.5), at(0.75) - at(0.25)};
}

inline double seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Seconds of each kind of work in each round: [work][round]. In a round all take turns, so that
// what else the machine does hits them alike; one round before the first warms up.
inline std::vector<std::vector<double>> interleave(const std::vector<std::function<void()>>& works,
                                                   int rounds) {
  for (const auto& work : works) work();
  std::vector<std::vector<double>> times(works.size());
  for (int round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < works.size(); ++i) times[i].push_back(seconds(works[i]));
  }
  return times;
}

// Collects rows, then prints them as a table and writes results/bench/<name>.json (below the
// current folder).
class Report {
 public:
  explicit Report(std::string name) : name_(std::move(name)) {}

  // Tells the row at once, as some benchmarks take long.
  void add(Row row) {
    std::fprintf(stderr, "%s, %s: %.4g %s\n", row.name.c_str(), row.case_.c_str(), row.value,
                 row.unit.c_str());
    rows_.push_back(std::move(row));
  }

  void finish() const {
    size_t widths[] = {4, 4, 9};  // name, case, reference
    Json json = Json::array();
    for (const Row& row : rows_) {
      widths[0] = std::max(widths[0], row.name.size());
      widths[1] = std::max(widths[1], row.case_.size());
      widths[2] = std::max(widths[2], row.reference.size());
      json.push_back({{"name", row.name},
                      {"case", row.case_},
                      {"value", row.value},
                      {"unit", row.unit},
                      {"reference", row.reference.empty() ? Json() : Json(row.reference)},
                      {"ratio", row.ratio ? Json(*row.ratio) : Json()},
                      {"rounds", row.rounds},
                      {"spread", row.spread}});
    }
    const auto width = [&](int i) { return static_cast<int>(widths[i]); };
    std::printf("%-*s  %-*s  %12s  %-11s  %12s  %6s  %-*s  %6s\n", width(0), "name", width(1),
                "case", "value", "unit", "spread", "rounds", width(2), "reference", "ratio");
    for (const Row& row : rows_) {
      std::printf("%-*s  %-*s  %12.4g  %-11s  %12.2g  %6d  %-*s", width(0), row.name.c_str(),
                  width(1), row.case_.c_str(), row.value, row.unit.c_str(), row.spread, row.rounds,
                  width(2), row.reference.c_str());
      row.ratio ? std::printf("  %6.3f\n", *row.ratio) : std::printf("\n");
    }
    const std::filesystem::path file = "results/bench/" + name_ + ".json";
    std::filesystem::create_directories(file.parent_path());
    write_file_atomically(file, json.dump(2) + "\n");
    std::printf("wrote %s\n", file.c_str());
  }

 private:
  std::string name_;
  std::vector<Row> rows_;
};

}  // namespace qbitopt::bench
