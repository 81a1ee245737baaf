#pragma once

// Internal to the page: what its script needs to show every run.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "qbitopt/core/json.h"
#include "qbitopt/runlog/reader.h"

namespace qbitopt {

// The last characters of an attempt's log that are kept, over all runs together.
constexpr size_t kLogCharacters = 600'000;

// What tells a job from the others of its method, besides budget and seed: "reallocation.tau=40".
using ShownParameters = std::map<std::string, std::string>;  // by key

struct PageRuns {
  Rows rows;                               // runs.sql
  std::map<std::string, Json> parameters;  // of each job, by key
  ShownParameters settings;
};
PageRuns read_runs(const Reader& reader, const std::optional<std::string>& sweep);

// {common: parameters that all jobs share, runs: {fields, rows}, steps: [[...]], inventories:
// [[[name, kind, counted]]], details: {job: {curves: [[metric, split, index of steps, "1,2,..."]],
// inventory: index, history: [[step, "84"]], bits: "84", log}}}: a digit of base 36 a quantizer.
// Curves have at most 60 points, so that 500 jobs stay below 3 MB.
Json run_data(const Reader& reader, const std::optional<std::string>& sweep, const PageRuns& runs);

}  // namespace qbitopt
